"""The pages of the documentation, in the order of the sidebar."""
import itertools

from contract_view import ContractView
from definitions import render_definitions
from guide import read_chapters, render_chapters
from layout import Page, render_page, resolve_links
from markup import anchor, escape, link, render_code, render_text
from operations import OperationPages
from problems import render_problem, render_problems
from samples import read_programs, render_programs
from schemas import render_schema_pages
from sql_rows import read_code_lists, read_statistics
from stages import Machine, render_machine

START = """<p>{summary}.</p>
<ul>
<li>{guide}: from the first request to webhooks.</li>
<li>{operations}: every request with its parameters, samples and responses.</li>
<li>{examples}: programs in Python, TypeScript, Go, Java and C# for the main flow.</li>
<li>{problems}: what each error means and what to do.</li>
<li>{definitions}: what each statistic counts.</li>
</ul>
<p>The search finds operations, schemas, members, problems and chapters. It runs in the browser.</p>
<h2 id="first-request"><a class="self" href="#first-request">First request</a></h2>
<p>Get a token ({authentication}), and ask how the register understands it:</p>
{request}"""

ENTRY = """<p>{summary}.</p>
<ul>
<li>{docs}: guide, operations, schemas, problems and definitions.</li>
<li>{dashboard}: charts of the statistics. It needs a token.</li>
<li>The contract (OpenAPI 3.1): {yaml}, {json}.</li>
<li>{problems}: every error code.</li>
</ul>
<p>Programs get these links as JSON at this address.</p>
"""
REQUEST = 'curl -sS "$url/v1/me" -H "Authorization: Bearer $token"'


def render_start(info):
    return START.format(
        summary=escape(info["summary"]), guide=link("/docs/guide", "Guide"), examples=link("#examples", "Examples"),
        operations=link("#operations", "All operations"), problems=link("#problems", "Problems"),
        definitions=link("#definitions", "Definitions of the statistics"),
        authentication=link("#authentication", "authentication"), request=render_code(REQUEST))


def render_entry(info):
    return ENTRY.format(summary=escape(info["summary"]), docs=link("/docs", "Documentation"),
                        dashboard=link("/dashboard", "Dashboard"), yaml=link("/openapi.yaml", "YAML"),
                        json=link("/openapi.json", "JSON"), problems=link("#problems", "Problems"))


def named(name, title, main, group, short=""):
    return Page(f"/docs/{name}", title, main, group, name, short)


def make_view(document, operations, root):
    """Returns the view of the contract with the labels of all codes that have some."""
    stages = Machine(root / "sql" / "case" / "lifecycle.yaml").states
    codes = {each["code"]: each["title"] for each in document["x-problems"]}
    lists = {**read_code_lists(root / "sql"), "stages": dict(stages), "problems": codes}
    return ContractView(document, operations, lists)


def make_pages(document, operations, root):
    """Returns the pages. `operations`: as compile.py collects them, with webhooks; `root`: of the repository."""
    view, info = make_view(document, operations, root), document["info"]
    sources, parts = read_programs(root / "deploy" / "examples")
    resources = OperationPages(view, parts)
    return [
        Page("/docs", f"{info['title']} {info['version']}", render_start(info), "Start", "start", "Overview"),
        named("guide", "Guide", render_chapters(read_chapters(root / "api" / "guide.md")), "Start"),
        named("examples", "Examples", render_programs(sources), "Start"),
        named("conventions", "Conventions", render_text(info["description"], 2), "Start"),
        named("operations", "All operations", resources.render_index(), "Operations"),
        *(Page(f"/docs/{anchor(tag['name'])}", tag["name"], resources.render_page(tag, some), "Operations",
               f"tag-{anchor(tag['name'])}") for tag, some in view.tags()),
        named("problems", "Problems", render_problems(document["x-problems"]), "Reference"),
        named("responses", "Shared responses", resources.render_shared_responses(), "Reference"),
        named("scopes", "Scopes", resources.render_scopes(), "Reference"),
        named("stages", "Stages and moves of a case", render_machine(root / "sql" / "case" / "lifecycle.yaml"),
              "Reference", "Stages"),
        named("definitions", "Definitions of the statistics", render_definitions(*read_statistics(root / "sql")),
              "Reference", "Statistics"),
        *(named(f"schemas-{initial}", f"Schemas: {initial.upper()}", main, "Schemas", initial.upper())
          for initial, main in render_schema_pages(view).items()),
        Page("/", info["title"], render_entry(info)),
        *(Page(f"/v1/problems/{each['code']}", each["title"], render_problem(each)) for each in document["x-problems"])]


def render_pages(pages, product):
    """Returns {address: HTML}."""
    shown = [page for page in pages if page.group]
    return resolve_links(dict(zip((page.address for page in pages),
                                  map(render_page, pages, itertools.repeat(shown), itertools.repeat(product)))))
