"""Writes the contract as one static page: no scripts, readable by people and screen readers."""
import base64
import hashlib
import json

from documentation_guide import read_chapters, render_chapter
from documentation_html import (anchor, escape, render_code, render_inline, render_list_of_links, render_table,
                                render_text)
from rules import audit_of, scopes_of
from source import examples_of, resolve
from state_machine import render_machine

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1f; --paper: #fdfdfc; --line: #8a8a94;
  --soft: #f0f0ec; --link: #0b4f9e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --paper: #17181c; --line: #7d7e88; --soft: #24262c; --link: #8ec5ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.55 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
header, main, nav, footer { max-width: 64rem; margin: 0 auto; padding: 0 1rem; }
a { color: var(--link); }
a:focus-visible, pre:focus-visible, summary:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: .25rem; }
code { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { border: 1px solid var(--line); padding: .3rem .5rem; text-align: left;
  vertical-align: top; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
section section { border-top: 1px solid var(--line); margin-top: 2rem; }
ul.links { columns: 18rem; }
tbody th code { overflow-wrap: normal; }
td:last-child { min-width: 12rem; }
td ul { margin: 0; padding-left: 1.1rem; }
.machine svg { display: block; width: 44rem; max-width: none; height: auto; }
.machine rect { fill: var(--soft); stroke: var(--ink); }
.machine text { font-size: 14px; text-anchor: middle; fill: var(--ink); }
.machine > svg > path { fill: none; stroke: var(--ink); stroke-width: 1.3; }
.machine marker path { fill: var(--ink); }
.machine .discontinue { stroke-dasharray: 7 4; }
.machine .return, .machine .reopen { stroke-dasharray: 2 4; }
@media print {
  :root { color-scheme: light; --ink: #000; --paper: #fff; --line: #777; --soft: #f4f4f4; --link: #000; }
  header, main, nav, footer { max-width: none; padding: 0; }
  .skip { display: none; }
  pre { white-space: pre-wrap; }
  h2, h3, h4 { break-after: avoid; }
  tr { break-inside: avoid; }
  .wide { overflow: visible; } }
"""


AUDIT_WORDS = {
    "none": "",
    "read": "<p>Recorded in the audit trail as a read.</p>\n",
    "change": "<p>Recorded in the audit trail as a change.</p>\n",
}


class Page:
    """Renders the parts that need the whole contract, for their references."""

    def __init__(self, document, operations, chapters, stages):
        self.document = document
        self.operations = operations
        self.chapters = chapters
        self.stages = stages

    def resolve(self, node):
        return resolve(self.document, node, "#")[0]

    def describe_type(self, node):
        """Returns HTML that says what values a schema allows, in one line."""
        if "$ref" in node:
            name = node["$ref"].rsplit("/", 1)[1]
            return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
        if "oneOf" in node:
            return " or ".join(self.describe_type(each) for each in node["oneOf"])
        types = node.get("type", "any")
        types = [types] if isinstance(types, str) else types
        text = escape(" or ".join(types))
        if "items" in node:
            text += " of " + self.describe_type(node["items"])
        return text

    def describe_rules(self, node):
        """Returns HTML of the bounds of a schema."""
        words = {"format": "format", "minLength": "at least {} characters",
                 "maxLength": "at most {} characters", "minItems": "at least {} items",
                 "maxItems": "at most {} items", "minimum": "from {}", "maximum": "to {}",
                 "minProperties": "at least {} members"}
        parts = []
        for key, phrase in words.items():
            if key in node:
                text = phrase.format(node[key]) if "{}" in phrase else f"{phrase} {node[key]}"
                parts.append(escape(text))
        if node.get("uniqueItems"):
            parts.append("no item twice")
        if "pattern" in node:
            parts.append(f"pattern <code>{escape(node['pattern'])}</code>")
        if "enum" in node:
            parts.append("one of " + ", ".join(f"<code>{escape(json.dumps(each).strip(chr(34)))}"
                                               "</code>" for each in node["enum"]))
        if "const" in node:
            parts.append(f"always <code>{escape(json.dumps(node['const']))}</code>")
        if "default" in node:
            parts.append(f"default <code>{escape(json.dumps(node['default']))}</code>")
        if node.get("x-free-text"):
            parts.append("free text, scanned for what identifies a person")
        if node.get("x-identifier"):
            parts.append("no CHI number and no e-mail address")
        text = "; ".join(parts)
        return text[:1].upper() + text[1:]

    def member_rows(self, node, prefix=""):
        rows = []
        for name, inner in node.get("properties", {}).items():
            path = f"{prefix}{name}"
            required = "yes" if name in node.get("required", []) else "no"
            note = " ".join(filter(None, [render_inline(inner.get("description", "")),
                                          self.describe_rules(inner)]))
            rows.append((f"<code>{escape(path)}</code>", self.describe_type(inner), required, note))
            rows += self.member_rows(inner, path + ".")
            if "items" in inner:
                rows += self.member_rows(inner["items"], path + "[].")
        return rows

    def render_schema(self, name, node):
        text = f'<section>\n<h3 id="schema-{escape(name)}">{escape(name)}</h3>\n'
        text += render_text(node.get("description"), 4)
        text += f"<p>Type: {self.describe_type(node)}. {self.describe_rules(node)}</p>\n"
        rows = self.member_rows(node)
        if rows:
            text += render_table(f"Members of {name}", ("Member", "Type", "Required", "Meaning"),
                                 rows)
        return text + "</section>\n"

    def render_examples(self, media_type, media):
        text = ""
        if "schema" in media:
            text += f"<p><code>{escape(media_type)}</code>: {self.describe_type(media['schema'])}"
            text += "</p>\n"
        examples = [self.resolve(each) for each in media.get("examples", {}).values()]
        if "example" in media:
            examples.append({"value": media["example"]})
        if not examples and "schema" in media:
            examples = [{"value": value} for value in examples_of(self.document, media["schema"], "#")]
        for number, example in enumerate(examples, 1):
            value = example.get("value")
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False,
                                                                    indent=2)
            title = escape(example.get("summary") or ("Example" if number == 1 else f"Example {number}"))
            text += f"<details><summary>{title}</summary>\n{render_code(shown)}</details>\n"
        return text

    def render_parameters(self, operation):
        rows = []
        for node, _ in operation["parameters"]:
            schema = self.resolve(node["schema"])
            note = " ".join(filter(None, [render_inline(node.get("description", "")),
                                          self.describe_rules(schema)]))
            if "items" in schema:
                note += ". Each: " + self.describe_rules(self.resolve(schema["items"]))
            rows.append((f"<code>{escape(node['name'])}</code>", escape(node["in"]),
                         "yes" if node.get("required") else "no",
                         self.describe_type(node["schema"]), note))
        if not rows:
            return ""
        return render_table("Parameters", ("Name", "In", "Required", "Type", "Meaning"), rows)

    def render_body(self, node):
        if "requestBody" not in node:
            return ""
        body = self.resolve(node["requestBody"])
        text = "<h4>Request body</h4>\n" + render_text(body.get("description"), 5)
        text += f"<p>At most {body.get('x-max-bytes', 65536):,} bytes.</p>\n"
        return text + "".join(self.render_examples(*each) for each in body["content"].items())

    def render_headers(self, response):
        return ", ".join(f"<code>{escape(each)}</code>" for each in response.get("headers", {}))

    def render_responses(self, node):
        """Answers of the operation's own; those that it shares with others have a section for all."""
        rows, examples, shared, following = [], "", [], {}
        for code, response in node["responses"].items():
            if "$ref" in response:
                name = escape(response["$ref"].rsplit("/", 1)[1])
                link = f'<a href="#response-{name}">{name}</a>'
                if "description" in response:
                    rows.append((f"<code>{escape(code)}</code>",
                                 f"{render_inline(response['description'])} See {link}.",
                                 self.render_headers(self.resolve(response))))
                else:
                    shared.append(f"<code>{escape(code)}</code> {link}")
                continue
            rows.append((f"<code>{escape(code)}</code>",
                         render_inline(response.get("description", "")), self.render_headers(response)))
            examples += "".join(self.render_examples(*each)
                                for each in response.get("content", {}).items())
            following.update({link["operationId"]: link["description"]
                              for link in map(self.resolve, response.get("links", {}).values())})
        text = "<h4>Responses</h4>\n"
        if rows:
            text += render_table("Responses by status", ("Status", "Meaning", "Headers"), rows)
        text += examples + (f"<p>Also: {', '.join(shared)}.</p>\n" if shared else "")
        steps = "".join(f'<li><a href="#operation-{escape(name)}">{escape(name)}</a>: {render_inline(words)}</li>\n'
                        for name, words in following.items())
        return text + (f"<p>Next steps:</p>\n<ul>\n{steps}</ul>\n" if steps else "")

    def render_shared_response(self, name, response):
        identifier = "response-" + escape(name)
        text = f'<section>\n<h3 id="{identifier}">{escape(name)}</h3>\n'
        text += render_text(response.get("description", ""), 4)
        text += f"<p>Headers: {self.render_headers(response) or 'none'}.</p>\n"
        return (text + "".join(self.render_examples(*each) for each in response.get("content", {}).items())
                + "</section>\n")

    def render_operation(self, operation):
        node = operation["node"]
        identifier = escape("operation-" + node["operationId"])
        scopes = scopes_of(node["security"])
        access = "Any valid token." if node["security"] else "Needs no token."
        if scopes:
            optional = "No token, or scopes: " if {} in node["security"] else "Scopes: "
            access = optional + ", ".join(f"<code>{escape(each)}</code>" for each in scopes)
        text = f'<section>\n<h3 id="{identifier}">{escape(node["summary"])}</h3>\n'
        where = "the address of the webhook"
        if operation.get("webhook"):
            access = "Sent by the service; signed instead of a token."
        else:
            where = escape(operation["path"])
        text += f"<p><code>{operation['method']} {where}</code> "
        text += f"({escape(node['operationId'])})</p>\n"
        if node.get("deprecated"):
            text += "<p><strong>Deprecated.</strong></p>\n"
        text += render_text(node["description"], 4) + f"<p>{access}</p>\n"
        text += AUDIT_WORDS[audit_of(operation)]
        text += self.render_parameters(operation) + self.render_body(node)
        return text + self.render_responses(node) + "</section>\n"

    def tags(self):
        """Returns the tags in the contract's order with the operations of each."""
        tags = {each["name"]: (each, []) for each in self.document.get("tags", [])}
        order = {}
        for index, path in enumerate(self.document["paths"]):
            order[path] = index
        for operation in sorted(self.operations, key=lambda each: order.get(each["path"], len(order))):
            name = (operation["node"].get("tags") or ["Other"])[0]
            tags.setdefault(name, ({"name": name}, []))[1].append(operation)
        return [each for each in tags.values() if each[1]]

    def render_problems(self):
        text = ""
        for each in self.document["x-problems"]:
            again = "yes" if each["retryable"] else "no"
            text += (f'<section>\n<h3 id="problem-{escape(each["code"])}">{escape(each["title"])}</h3>\n'
                     f"<p><code>{escape(each['code'])}</code>, status {each['status']}, "
                     f"the same request may be repeated: {again}.</p>\n"
                     f"{render_text(each['meaning'], 4)}{render_text(each['what_to_do'], 4)}"
                     "</section>\n")
        return text

    def operations_of(self, scope):
        return ", ".join(f'<a href="#operation-{escape(one["node"]["operationId"])}">'
                         f"{escape(one['node']['operationId'])}</a>" for one in self.operations
                         for each in one["node"]["security"] if scope in each.get("oauth2", []))

    def render_scopes(self):
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        flows = schemes.get("oauth2", {}).get("flows", {})
        rows = [(f"<code>{escape(scope)}</code>", render_inline(meaning), self.operations_of(scope))
                for flow in flows.values() for scope, meaning in flow["scopes"].items()]
        return render_table("Scopes of the tokens", ("Scope", "Meaning", "Operations that need it"), rows)

    def render_guide(self):
        parts = {"problems": self.render_problems(), "scopes": self.render_scopes(),
                 "stages": render_machine(self.stages) if self.stages else ""}
        return "".join(render_chapter(*chapter, parts) for chapter in self.chapters)

    def render_contents(self):
        guide = [(identifier, title) for identifier, title, _ in self.chapters] + [("about", "Conventions")]
        parts = [("tag-" + anchor(tag["name"]), tag["name"]) for tag, _ in self.tags()]
        parts += [("responses", "Shared responses"), ("schemas", "Schemas")]
        return ('<nav aria-labelledby="contents">\n<h2 id="contents">Contents</h2>\n'
                f"<h3>Guide</h3>\n{render_list_of_links(guide)}<h3>Reference</h3>\n{render_list_of_links(parts)}"
                "</nav>\n")

    def render_main(self):
        text = self.render_guide()
        text += '<section aria-labelledby="about">\n<h2 id="about">Conventions</h2>\n'
        text += render_text(self.document["info"].get("description")) + "</section>\n"
        for tag, operations in self.tags():
            identifier = "tag-" + anchor(tag["name"])
            text += f'<section aria-labelledby="{identifier}">\n'
            text += f'<h2 id="{identifier}">{escape(tag["name"])}</h2>\n'
            text += render_text(tag.get("description"))
            text += render_list_of_links([("operation-" + each["node"]["operationId"], each["node"]["summary"])
                                          for each in operations])
            text += "".join(map(self.render_operation, operations)) + "</section>\n"
        components = self.document.get("components", {})
        text += '<section aria-labelledby="responses">\n<h2 id="responses">Shared responses</h2>\n'
        text += "".join(self.render_shared_response(*each) for each in components.get("responses", {}).items())
        text += '</section>\n<section aria-labelledby="schemas">\n<h2 id="schemas">Schemas</h2>\n'
        text += "".join(self.render_schema(*each) for each in components.get("schemas", {}).items())
        return text + "</section>\n"


def documentation_policy():
    """Returns the Content-Security-Policy of the page: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
    return (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'")


def render_documentation(document, operations, guide=None, stages=None):
    """Returns the page.

    `operations` as compile.py collected them; `guide`: the file of the chapters; `stages`: the SQL file of the state
    machine.
    """
    chapters = read_chapters(guide) if guide else [("errors", "Errors", "{{problems}}\n")]
    page, info = Page(document, operations, chapters, stages), document["info"]
    title = f"{info['title']} {info['version']}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the content</a>\n'
        f"<header>\n<h1>{escape(title)}</h1>\n<p>{render_inline(info.get('summary', ''))}</p>\n"
        f"</header>\n{page.render_contents()}<main id=\"main\" tabindex=\"-1\">\n"
        f"{page.render_main()}</main>\n"
        '<footer><p>The contract itself: <a href="/openapi.yaml">YAML</a>, '
        '<a href="/openapi.json">JSON</a>.</p></footer>\n</body>\n</html>\n')
