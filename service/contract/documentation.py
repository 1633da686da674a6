"""Writes the contract as one static page: no scripts, readable by people and screen readers."""
import json

from documentation_html import anchor, escape, render_inline, render_table, render_text
from rules import audit_of
from source import resolve
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
a:focus-visible, pre:focus-visible, summary:focus-visible { outline: 3px solid var(--link); }
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
nav ul { columns: 18rem; }
td ul { margin: 0; padding-left: 1.1rem; }
.machine svg { display: block; width: 44rem; max-width: none; height: auto; }
.machine rect { fill: var(--soft); stroke: var(--ink); }
.machine text { font-size: 14px; text-anchor: middle; fill: var(--ink); }
.machine > svg > path { fill: none; stroke: var(--ink); stroke-width: 1.3; }
.machine marker path { fill: var(--ink); }
.machine .discontinue { stroke-dasharray: 7 4; }
.machine .return, .machine .reopen { stroke-dasharray: 2 4; }
"""


AUDIT_WORDS = {
    "none": "",
    "read": "<p>Recorded in the audit trail as a read.</p>\n",
    "read_unless_empty": "<p>Recorded in the audit trail as a read when it shows anything.</p>\n",
    "change": "<p>Recorded in the audit trail as a change.</p>\n",
}


class Page:
    """Renders the parts that need the whole contract, for their references."""

    def __init__(self, document, operations, stages):
        self.document = document
        self.operations = operations
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
        text = f'<section aria-labelledby="schema-{escape(name)}">\n'
        text += f'<h3 id="schema-{escape(name)}">{escape(name)}</h3>\n'
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
        for example in examples:
            value = example.get("value")
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False,
                                                                    indent=2)
            title = escape(example.get("summary") or "Example")
            text += (f"<details><summary>{title}</summary>\n<pre tabindex=\"0\"><code>"
                     f"{escape(shown)}</code></pre></details>\n")
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

    def render_responses(self, node):
        rows, examples = [], ""
        for code, response in node["responses"].items():
            response = self.resolve(response)
            headers = ", ".join(f"<code>{escape(each)}</code>"
                                for each in response.get("headers", {}))
            rows.append((f"<code>{escape(code)}</code>",
                         render_inline(response.get("description", "")), headers))
            if code.startswith("2"):
                examples += "".join(self.render_examples(*each)
                                    for each in response.get("content", {}).items())
        return ("<h4>Responses</h4>\n"
                + render_table("Responses by status", ("Status", "Meaning", "Headers"), rows)
                + examples)

    def render_operation(self, operation):
        node = operation["node"]
        identifier = escape("operation-" + node["operationId"])
        scopes = node["security"][0]["oauth2"] if node["security"] else None
        access = "Needs no token." if scopes is None else "Any valid token."
        if scopes:
            access = "Scopes: " + ", ".join(f"<code>{escape(each)}</code>" for each in scopes)
        text = f'<section aria-labelledby="{identifier}">\n'
        text += f'<h3 id="{identifier}">{escape(node["summary"])}</h3>\n'
        text += f"<p><code>{operation['method']} {escape(operation['path'])}</code> "
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
        for operation in sorted(self.operations, key=lambda each: order[each["path"]]):
            name = (operation["node"].get("tags") or ["Other"])[0]
            tags.setdefault(name, ({"name": name}, []))[1].append(operation)
        return [each for each in tags.values() if each[1]]

    def render_problems(self):
        text = '<section aria-labelledby="problems">\n<h2 id="problems">Problems</h2>\n'
        for each in self.document["x-problems"]:
            again = "yes" if each["retryable"] else "no"
            text += (f'<section aria-labelledby="problem-{escape(each["code"])}">\n'
                     f'<h3 id="problem-{escape(each["code"])}">{escape(each["title"])}</h3>\n'
                     f"<p><code>{escape(each['code'])}</code>, status {each['status']}, "
                     f"the same request may be repeated: {again}.</p>\n"
                     f"{render_text(each['meaning'], 4)}{render_text(each['what_to_do'], 4)}"
                     "</section>\n")
        return text + "</section>\n"

    def render_scopes(self):
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        flows = schemes.get("oauth2", {}).get("flows", {})
        rows = [(f"<code>{escape(scope)}</code>", render_inline(meaning))
                for flow in flows.values() for scope, meaning in flow["scopes"].items()]
        if not rows:
            return ""
        return ('<section aria-labelledby="scopes">\n<h2 id="scopes">Scopes</h2>\n'
                + render_table("Scopes of the tokens", ("Scope", "Meaning"), rows)
                + "</section>\n")

    def render_contents(self):
        text = '<nav aria-labelledby="contents">\n<h2 id="contents">Contents</h2>\n'
        for tag, operations in self.tags():
            items = "".join(
                f'<li><a href="#operation-{escape(each["node"]["operationId"])}">'
                f"{escape(each['node']['summary'])}</a></li>\n" for each in operations)
            text += f"<h3>{escape(tag['name'])}</h3>\n<ul>\n{items}</ul>\n"
        machine = '<a href="#machine">The stages of a case</a>, ' if self.stages else ""
        return text + (f'<p>{machine}<a href="#scopes">Scopes</a>, <a href="#problems">Problems</a>, '
                       '<a href="#schemas">Schemas</a></p>\n</nav>\n')

    def render_main(self):
        info = self.document["info"]
        text = '<section aria-labelledby="about">\n<h2 id="about">About</h2>\n'
        text += render_text(info.get("description")) + "</section>\n"
        text += render_machine(self.stages) if self.stages else ""
        for tag, operations in self.tags():
            identifier = "tag-" + anchor(tag["name"])
            text += f'<section aria-labelledby="{identifier}">\n'
            text += f'<h2 id="{identifier}">{escape(tag["name"])}</h2>\n'
            text += render_text(tag.get("description"))
            text += "".join(map(self.render_operation, operations)) + "</section>\n"
        text += self.render_scopes() + self.render_problems()
        text += '<section aria-labelledby="schemas">\n<h2 id="schemas">Schemas</h2>\n'
        schemas = self.document.get("components", {}).get("schemas", {})
        text += "".join(self.render_schema(*each) for each in schemas.items())
        return text + "</section>\n"


def render_documentation(document, operations, stages=None):
    """Returns the page. `operations` as compile.py collected them; `stages`: the SQL file of the state machine."""
    page, info = Page(document, operations, stages), document["info"]
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
