"""The pages of the documentation: complete, linked, and light."""
import functools
import html
import html.parser
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "service" / "contract" / "documentation"), str(ROOT / "service" / "contract")]

from build import make_files  # noqa: E402
from layout import resolve_links  # noqa: E402
from markup import render_text  # noqa: E402
from source import ContractError, load_contract  # noqa: E402
from sql_rows import read_code_lists, read_rows, read_statistics  # noqa: E402

LARGEST_PAGE = 208 * 1024
LANGUAGES = ("Python", "TypeScript", "Go", "Java", "C#")
MAIN_FLOW = ("pushReferral", "pushReferrals", "listReferrals", "acceptReferral", "getCase", "moveCase", "createAction",
             "addActionUpdate", "getStatistics", "listChanges")
CONTRACT = load_contract((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
FILES = make_files(ROOT)
PAGES = {address: text for address, text in FILES.items() if text.startswith("<!DOCTYPE html>")}
OPERATIONS = {operation["operationId"]: (method, path) for path, item in CONTRACT["paths"].items()
              for method, operation in item.items() if isinstance(operation, dict) and "operationId" in operation}


@functools.lru_cache(maxsize=None)
def identifiers(page):
    return re.findall(r'\bid="([^"]+)"', PAGES[page])


def links(page):
    """Returns (page, identifier or "") of the links to other parts of the documentation."""
    found = [address.partition("#") for address in re.findall(r'href="([^"]+)"', PAGES[page])]
    return [(address or page, identifier) for address, _, identifier in found]


def reachable():
    """Returns what can be reached from the first page by links."""
    seen, ahead = set(), ["/docs"]
    while ahead:
        page = ahead.pop()
        if page in seen or page not in PAGES:
            continue
        seen.add(page)
        ahead += [address for address, _ in links(page)]
    return {identifier for page in seen for identifier in identifiers(page)} | seen


@functools.lru_cache(maxsize=None)
def sections(kind):
    """Returns {name: HTML} of the parts whose identifier begins with the kind."""
    found = {}
    for text in PAGES.values():
        pieces = re.split(rf'<h2 id="{kind}-([^"]+)">', text)
        found.update(zip(pieces[1::2], (piece.split("</section>")[0] for piece in pieces[2::2])))
    return found


def test_no_page_is_heavy():
    assert {address: len(text.encode()) for address, text in FILES.items() if len(text.encode()) > LARGEST_PAGE} == {}


def test_everything_is_reachable_from_the_first_page():
    expected = ({f"operation-{name}" for name in OPERATIONS}
                | {f"schema-{name}" for name in CONTRACT["components"]["schemas"]}
                | {f"response-{name}" for name in CONTRACT["components"]["responses"]}
                | {f"problem-{one['code']}" for one in CONTRACT["x-problems"]}
                | {f"/v1/problems/{one['code']}" for one in CONTRACT["x-problems"]}
                | {f"table-{row[0]}" for row in read_statistics(ROOT / "sql")[0]})
    assert expected - reachable() == set()


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_lead_somewhere(page):
    served = set(FILES) | {path for method, path in OPERATIONS.values() if method == "get"}
    assert [address for address, identifier in links(page) if address not in served
            or (identifier and identifier not in identifiers(address))] == []


def test_a_dead_link_stops_the_build():
    with pytest.raises(ContractError, match="#nowhere"):
        resolve_links({"/docs": '<a href="#nowhere">there</a>'})


def test_an_identifier_is_on_a_page_once():
    with pytest.raises(ContractError, match="twice"):
        resolve_links({"/docs": '<p id="a"></p><p id="a"></p>'})


def test_every_member_and_parameter_has_a_meaning():
    rows = [row for kind in ("schema", "operation") for text in sections(kind).values()
            for row in re.findall(r"<dt><code[^>]*>([^<]+)</code> <span.*?</dt>\n<dd>(.*?)</dd>", text, re.DOTALL)]
    assert len(rows) > 2000
    only_rules = re.compile(r"$|(?:Format|Pattern|Default|Always) |At most \d|\d+ or more|From -?\d|One of <code>|Each: ")
    assert [name for name, meaning in rows if only_rules.match(meaning.strip())] == []


def test_the_meaning_and_limits_behind_a_reference_are_shown():
    text = sections("schema")["ReferralInput"]
    schemas = CONTRACT["components"]["schemas"]
    for name in ("source_system", "committee", "basis"):
        description = schemas[schemas["ReferralInput"]["properties"][name]["$ref"].rsplit("/", 1)[1]]["description"]
        row = re.search(rf"<dt><code>{name}</code>.*?</div>", text, re.DOTALL)[0]
        assert description.split("`")[0].split(".")[0].replace("'", "&#x27;") in row
        assert "required" in row and "t most" in row


def test_codes_have_their_labels():
    assert "<code>significant_harm</code></dt>\n<dd>Significant harm</dd>" in sections("schema")["ChildOutcome"]
    assert "<code>age_band" in sections("schema")["ChildInput"]
    assert "<code>5_10</code> (5 to 10 years)" in sections("schema")["ChildInput"]


def test_the_rows_of_code_lists_are_read_whole():
    lists = read_code_lists(ROOT / "sql")
    path = ROOT / "sql" / "reference" / "rows_code_lists.sql"
    assert set(lists) >= {row[0] for row in read_rows(path, "insert into code_list (", "on conflict")}
    assert lists["criteria"]["child_protection_register"].endswith("was on the Child Protection Register")


def test_every_operation_has_a_request_for_curl():
    text = sections("operation")
    assert [name for name in OPERATIONS if "<summary>curl</summary>" not in text[name]] == []


def test_the_shell_reads_every_request():
    whole = "".join(PAGES.values())
    found = re.findall(r"<summary>curl</summary>\n<pre[^>]*><code>(.*?)</code></pre>", whole, re.DOTALL)
    plain = [html.unescape(re.sub(r"<[^>]+>", "", one)) for one in found]
    assert len(plain) == len(OPERATIONS)
    subprocess.run(["bash", "-n"], input="\n".join(plain), text=True, check=True)


@pytest.mark.parametrize("name", MAIN_FLOW)
def test_the_main_flow_has_samples_in_every_language(name):
    text = sections("operation")[name]
    assert [one for one in LANGUAGES if f"<summary>{one}</summary>" not in text] == []


def test_every_status_with_a_body_has_an_example():
    text = sections("operation")
    without = [(name, status) for path in CONTRACT["paths"].values() for operation in path.values()
               if isinstance(operation, dict) and (name := operation.get("operationId"))
               for status, response in operation["responses"].items() if "content" in response
               and f"Example of {status}" not in text[name] and f"<code>{status}</code></dt>" in text[name]
               and not re.search(rf"<code>{status}</code></dt>.*?(?:<details>|Example: as for)", text[name], re.DOTALL)]
    assert without == []


class Elements(html.parser.HTMLParser):
    """Fails for an element that is not closed or closed twice."""

    EMPTY = {"meta", "link", "input", "rect", "path", "br"}

    def __init__(self):
        super().__init__()
        self.stack = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.EMPTY:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.stack.pop() == tag, self.getpos()


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_well_formed(page):
    elements = Elements()
    elements.feed(PAGES[page])
    assert elements.stack == []


def test_a_little_markdown_is_rendered():
    text = render_text("## Title\nSome `code`.\n\n- first\n- [second](#there)\n")
    assert '<h3 id="text-title">' in text and "<code>code</code>" in text
    assert '<li>first</li>\n<li><a href="#there">second</a></li>' in text


def test_pages_have_nothing_that_their_policy_forbids():
    for address, text in PAGES.items():
        assert not re.search(r"<script(?! src=\"/docs/)|<style|\bstyle=|\bon[a-z]+=", text), address
