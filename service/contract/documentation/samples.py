"""Samples of requests: curl made from the contract, other languages from the programs in deploy/examples."""
import json
import re
import textwrap

from markup import code, escape, render_code, render_heading
from source import ContractError, examples_of

PROGRAMS = {"Python": "python/main_flow.py", "TypeScript": "typescript/main_flow.ts", "Go": "go/main_flow.go",
            "Java": "java/MainFlow.java", "C#": "csharp/MainFlow.cs"}
# The part of a program for an operation is between these lines.
PART = re.compile(r"^ *(?:#|//) --- (\w+)\n(.*?)^ *(?:#|//) ---\n", re.MULTILINE | re.DOTALL)
# The headers that a sample takes from the shell.
HEADERS = {"Idempotency-Key": '"Idempotency-Key: $(uuidgen)"', "If-Match": '"If-Match: $etag"'}
AN_IDENTIFIER = "01a210a2-7216-72df-9e20-b94b71656a9a"


def read_programs(folder):
    """Returns {language: source}, and {operation: {language: the part that sends it}}."""
    sources, parts = {}, {}
    for language, path in PROGRAMS.items():
        sources[language] = (folder / path).read_text(encoding="utf-8")
        for name, part in PART.findall(sources[language]):
            parts.setdefault(name, {})[language] = textwrap.dedent(part).strip("\n") + "\n"
    for name, found in parts.items():
        if set(found) != set(PROGRAMS):
            raise ContractError(name, f"missing in the examples: {', '.join(set(PROGRAMS) - set(found))}")
    return sources, parts


def example_of_parameter(view, parameter):
    schema = view.flatten(parameter["schema"])
    known = [each for each in (parameter.get("example"), *schema.get("examples", []), schema.get("default"))
             if each is not None]
    if schema.get("format") == "uuid" and not known:
        return AN_IDENTIFIER
    return str((known or schema.get("enum") or ["…"])[0])


def examples_of_media(view, media):
    """Returns (summary, value) of the examples of a media type: its own, or those of its schema."""
    found = [view.resolve(each) for each in media.get("examples", {}).values()]
    found += [{"value": media["example"]}] if "example" in media else []
    if not found and "schema" in media:
        found = [{"value": value} for value in examples_of(view.document, media["schema"], "#")]
    return [(each.get("summary", ""), each["value"]) for each in found]


def text_of(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def body_of(view, operation):
    """Returns the media type and the first example of the request's body, or None."""
    if "requestBody" not in operation["node"]:
        return None
    media_type, media = next(iter(view.resolve(operation["node"]["requestBody"])["content"].items()))
    return media_type, text_of(examples_of_media(view, media)[0][1])


def address_of(view, operation):
    """Returns the path with examples, and the required parameters of the query."""
    path, query = operation["path"], []
    for parameter, _ in operation["parameters"]:
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], example_of_parameter(view, parameter))
        elif parameter["in"] == "query" and parameter.get("required"):
            query.append(f"{parameter['name']}={example_of_parameter(view, parameter)}")
    return path + ("?" + "&".join(query) if query else "")


def headers_of(operation):
    """Returns the words of -H: the token, and headers that the operation requires or advises."""
    names = {each["name"]: each for each, _ in operation["parameters"] if each["in"] == "header"}
    security = operation["node"]["security"]
    headers = ['"Authorization: Bearer $token"'] if security and {} not in security else []
    headers += [words for name, words in HEADERS.items() if name in names and
                (name != "If-Match" or names[name].get("required") or "If-None-Match" not in names)]
    if operation["method"] != "GET" and "If-None-Match" in names:
        headers.append("'If-None-Match: *'")
    return headers


def write_curl(view, operation):
    """Returns the command that sends the contract's example, up to the body; and the body with its type, or None."""
    method, body = operation["method"], body_of(view, operation)
    words = [f'"$url{address_of(view, operation)}"'] + [f"-H {each}" for each in headers_of(operation)]
    if body:
        words += [f"-H 'Content-Type: {body[0]}'", "--data-binary @- <<'JSON'"]
    usual = "POST" if body else "GET"
    command = "curl -sS " + (f"-X {method} " if method != usual else "") + " \\\n     ".join(words)
    return command, body


def render_curl(view, operation):
    command, body = write_curl(view, operation)
    marked = f"{escape(command)}\n"
    if body:
        marked += f'<span class="body" data-type="{escape(body[0])}">{escape(body[1])}</span>\nJSON\n'
    return f'<pre tabindex="0"><code>{marked}</code></pre>\n'


def render_programs(sources):
    """Returns HTML of the whole programs."""
    text = ""
    for language, source in sources.items():
        identifier = "example-" + {"C#": "csharp"}.get(language, language.lower())
        path = code("deploy/examples/" + PROGRAMS[language])
        text += (f"<section>\n{render_heading(2, identifier, language)}<p>{path}</p>\n"
                 f"{render_code(PART.sub(lambda part: part[2], source))}</section>\n")
    return text
