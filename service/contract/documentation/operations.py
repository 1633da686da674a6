"""The pages of the operations: one for each resource (tag)."""
from markup import (anchor, code, escape, link, render_code, render_details, render_heading, render_inline,
                    render_list_of_links, render_terms, render_text)
from rules import audit_of, scopes_of
from samples import examples_of_media, render_curl, text_of
from schemas import member_rows

AUDIT_WORDS = {"none": "", "read": "<p>Recorded in the audit trail as a read.</p>\n",
               "change": "<p>Recorded in the audit trail as a change.</p>\n"}


class OperationPages:
    """`parts`: {operation: {language: sample}}."""

    def __init__(self, view, parts):
        self.view = view
        self.parts = parts

    def render_parameters(self, operation):
        rows = []
        for node, _ in operation["parameters"]:
            kind = self.view.describe_kind(node["schema"], node.get("required"))
            name = f'<code data-in="{escape(node["in"])}">{escape(node["name"])}</code>'
            rows.append((f'{name} <span class="type">in {escape(node["in"])},</span> {kind}',
                         self.view.describe(node["schema"], node.get("description", ""))))
        return "<h3>Parameters</h3>\n" + render_terms(rows) if rows else ""

    def render_body(self, node):
        if "requestBody" not in node:
            return ""
        body = self.view.resolve(node["requestBody"])
        text = "<h3>Request body</h3>\n" + render_text(body.get("description"), 4)
        kinds = [f"{code(name)}: {self.view.describe_type(media['schema'])}"
                 for name, media in body["content"].items() if "schema" in media]
        text += f"<p>{' or '.join(kinds)}. At most {body.get('x-max-bytes', 65536):,} bytes.</p>\n"
        for media in body["content"].values():
            text += self.render_members(media.get("schema", {}))
            for summary, value in examples_of_media(self.view, media)[1:]:
                text += render_details(summary or "Another example", render_code(text_of(value)))
        return text

    def render_members(self, schema):
        """Returns the members of a body: readers need no other page to write one."""
        rows = member_rows(self.view, self.view.flatten(schema))
        name = schema.get("$ref", "the body").rsplit("/", 1)[-1]
        return render_details(f"Members of {name}", render_terms(rows)) if rows else ""

    def render_samples(self, operation):
        if operation.get("webhook"):
            return ""
        found = self.parts.get(operation["node"]["operationId"], {})
        text = "<h3>Request</h3>\n" + render_details("curl", render_curl(self.view, operation), True)
        text += "".join(render_details(language, render_code(sample)) for language, sample in found.items())
        if found:
            text += f"<p>{link('#examples', 'The whole programs')} have the functions that these samples call.</p>\n"
        return text

    def render_headers(self, response):
        return ", ".join(map(code, response.get("headers", {})))

    def render_content(self, response, shown):
        """Returns types and examples. `shown`: the examples of the operation so far and their status."""
        text = ""
        for media_type, media in response.get("content", {}).items():
            schema = f": {self.view.describe_type(media['schema'])}" if "schema" in media else ""
            text += f"<p>{code(media_type)}{schema}</p>\n"
            for summary, value in examples_of_media(self.view, media):
                sample = text_of(value)
                status = shown.setdefault(sample, response["status"])
                if status != response["status"]:
                    text += f"<p>Example: as for {code(status)}.</p>\n"
                else:
                    text += render_details(summary or f"Example of {status}", render_code(sample))
        return text

    def render_responses(self, node):
        """Returns the operation's own responses; those that it shares with others have a page."""
        rows, shared, shown = [], [], {}
        for status, response in node["responses"].items():
            if "$ref" not in response:
                words = render_inline(response.get("description", ""))
                headers = self.render_headers(response)
                rows.append((code(status), f"<p>{words}</p>\n" + (f"<p>Headers: {headers}.</p>\n" if headers else "")
                             + self.render_content({**response, "status": status}, shown)))
                continue
            name = response["$ref"].rsplit("/", 1)[1]
            if "description" in response:
                rows.append((code(status), f"{render_inline(response['description'])} "
                                           f"See {link('#response-' + name, name)}."))
            else:
                shared.append(f"{code(status)} {link('#response-' + name, name)}")
        also = f"<p>Also: {', '.join(shared)}.</p>\n" if shared else ""
        return f"<h3>Responses</h3>\n{render_terms(rows)}{also}{self.render_next_steps(node)}"

    def render_next_steps(self, node):
        own = [response for response in node["responses"].values() if "$ref" not in response]
        steps = {each["operationId"]: each["description"] for response in own
                 for each in map(self.view.resolve, response.get("links", {}).values())}
        items = "".join(f"<li>{link('#operation-' + name, name)}: {render_inline(words)}</li>\n"
                        for name, words in steps.items())
        return f"<p>Next steps:</p>\n<ul>\n{items}</ul>\n" if items else ""

    def describe_access(self, operation):
        node = operation["node"]
        if operation.get("webhook"):
            return "Sent by the service; signed instead of a token."
        scopes = scopes_of(node["security"])
        if scopes:
            optional = "No token, or scopes: " if {} in node["security"] else "Scopes: "
            return optional + ", ".join(map(code, scopes))
        return "Any valid token." if node["security"] else "Needs no token."

    def render_operation(self, operation):
        node = operation["node"]
        where = "the address of the webhook" if operation.get("webhook") else operation["path"]
        old = "<p><strong>Deprecated.</strong></p>\n" if node.get("deprecated") else ""
        sent = f' data-method="{operation["method"]}" data-path="{escape(operation["path"])}"' \
            if not operation.get("webhook") else ""
        return (f"<section class=\"operation\"{sent}>\n"
                + render_heading(2, f"operation-{node['operationId']}", escape(node["summary"]))
                + f"<p>{code(operation['method'] + ' ' + where)} ({escape(node['operationId'])})</p>\n{old}"
                + render_text(node["description"], 3) + f"<p>{self.describe_access(operation)}</p>\n"
                + AUDIT_WORDS[audit_of(operation)] + self.render_parameters(operation) + self.render_body(node)
                + self.render_samples(operation) + self.render_responses(node) + "</section>\n")

    def render_page(self, tag, operations):
        links = [(f"#operation-{each['node']['operationId']}", each["node"]["summary"]) for each in operations]
        return (render_text(tag.get("description"), 2) + render_list_of_links(links)
                + "".join(map(self.render_operation, operations)))

    def render_index(self):
        """Returns all operations by resource."""
        text = ""
        for tag, operations in self.view.tags():
            items = "".join(
                f"<li>{link('#operation-' + each['node']['operationId'], each['node']['summary'])} "
                f"{code(each['method'] + ' ' + each['path'])}</li>\n" for each in operations)
            name = anchor(tag["name"])
            text += f'<h2 id="index-{name}">{link("#tag-" + name, tag["name"])}</h2>\n<ul>\n{items}</ul>\n'
        return text

    def render_shared_responses(self):
        text = ""
        for name, response in self.view.document.get("components", {}).get("responses", {}).items():
            text += (f"<section>\n{render_heading(2, 'response-' + name, escape(name))}"
                     f"{render_text(response.get('description', ''), 3)}"
                     f"<p>Headers: {self.render_headers(response) or 'none'}.</p>\n"
                     f"{self.render_content({**response, 'status': name}, {})}</section>\n")
        return text

    def render_scopes(self):
        flows = self.view.document["components"]["securitySchemes"]["oauth2"]["flows"].values()
        return render_terms(
            (code(scope), f"<p>{render_inline(meaning)}</p><p>Operations: {self.operations_of(scope)}.</p>")
            for flow in flows for scope, meaning in flow["scopes"].items())

    def operations_of(self, scope):
        names = [one["node"]["operationId"] for one in self.view.operations
                 for each in one["node"]["security"] if scope in each.get("oauth2", [])]
        return ", ".join(link(f"#operation-{name}", name) for name in names) or "none of its own"
