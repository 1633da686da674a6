"""The pages of the schemas: one for each initial, so that the name of a schema gives its address."""
from markup import code, escape, link, render_heading, render_terms, render_text


def member_rows(view, node, prefix=""):
    """Returns (name with kind, description) of each member, also of those inside objects that have no name."""
    rows = []
    for name, inner in node.get("properties", {}).items():
        kind = view.describe_kind(inner, name in node.get("required", []))
        rows.append((f"{code(prefix + name)} {kind}", view.describe(inner)))
        rows += member_rows(view, inner, f"{prefix}{name}.")
        rows += member_rows(view, inner.get("items", {}), f"{prefix}{name}[].")
    return rows


def render_users(users):
    if not users:
        return ""
    return f"<p>Used by {', '.join(link('#operation-' + each, each) for each in users)}.</p>\n"


def render_schema(view, name, node, users):
    text = render_heading(2, f"schema-{name}", escape(name)) + render_text(node.get("description"), 3)
    if "enum" in node:
        text += f"<p>Type: {view.describe_type(node)}. One of:</p>\n"
        text += render_terms((code(value), escape(label)) for value, label in view.labelled_values(node))
        found = view.code_list_of(node["enum"])
        text += f"<p>The labels are those of the code list {code(found)}.</p>\n" if found else ""
    else:
        text += f"<p>Type: {view.describe_type(node)}. {view.describe_rules(node)}</p>\n"
    rows = member_rows(view, node) + member_rows(view, node.get("items", {}), "[].")
    return f"<section>\n{text}{render_terms(rows)}{render_users(users)}</section>\n"


def render_schema_pages(view):
    """Returns {initial: HTML}."""
    pages, users = {}, view.users_of_schemas()
    for name, node in sorted(view.schemas.items()):
        pages.setdefault(name[0].lower(), []).append(render_schema(view, name, node, users.get(name, [])))
    return {initial: "".join(sections) for initial, sections in pages.items()}
