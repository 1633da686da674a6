"""Small pieces of HTML that the documentation is made of."""
import html
import re


def escape(text):
    return html.escape(str(text), quote=True)


def anchor(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def render_links(text):
    """Returns escaped text with [words](#anchor) marked up."""
    parts = re.split(r"\[([^\]]+)\]\((#[^)\s]+)\)", text)
    html = escape(parts[0])
    for words, target, after in zip(parts[1::3], parts[2::3], parts[3::3]):
        html += f'<a href="{escape(target)}">{escape(words)}</a>{escape(after)}'
    return html


def render_inline(text):
    """Returns escaped text with `code` and links within the page marked up."""
    parts = re.split(r"`([^`]+)`", text)
    marked = (f"<code>{escape(part)}</code>" if index % 2 else render_links(part)
              for index, part in enumerate(parts))
    return "".join(marked)


def render_code(text):
    """Returns lines of code; who moves by keys alone can scroll them."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>\n'


def render_block(lines, level):
    if lines[0].startswith("#"):
        title = lines[0].lstrip("#").strip()
        rest = render_block(lines[1:], level) if len(lines) > 1 else ""
        return f"<h{level} id=\"text-{anchor(title)}\">{render_inline(title)}</h{level}>\n" + rest
    if lines[0].startswith("- "):
        items = re.split(r"\n- ", "\n" + "\n".join(lines))[1:]
        inner = "".join(f"<li>{render_inline(' '.join(item.split()))}</li>\n" for item in items)
        return f"<ul>\n{inner}</ul>\n"
    first_item = next((i for i, line in enumerate(lines) if line.startswith("- ")), len(lines))
    paragraph = f"<p>{render_inline(' '.join(lines[:first_item]))}</p>\n"
    return paragraph + (render_block(lines[first_item:], level) if lines[first_item:] else "")


def render_text(text, level=3):
    """Returns HTML of a little Markdown: headings, paragraphs, - lists, links, `code`, and ``` lines of it."""
    html = ""
    for index, piece in enumerate(re.split(r"^```\n(.*?)^```$", text or "", flags=re.MULTILINE | re.DOTALL)):
        blocks = [] if index % 2 else re.split(r"\n\s*\n", piece.strip())
        html += render_code(piece.rstrip("\n")) if index % 2 else ""
        html += "".join(render_block([line.strip() for line in block.split("\n")], level)
                        for block in blocks if block.strip())
    return html


def render_list_of_links(targets):
    """Returns a list of links within the page: (id, words) each."""
    items = "".join(f'<li><a href="#{escape(target)}">{escape(words)}</a></li>\n' for target, words in targets)
    return f'<ul class="links">\n{items}</ul>\n'


def render_table(caption, head, rows):
    """Returns a table; the cells are HTML already."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join("<tr>" + f'<th scope="row">{row[0]}</th>'
                   + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>\n" for row in rows)
    return (f'<div class="wide" tabindex="0" role="group" aria-label="{escape(caption)}">'
            f"<table><caption>{escape(caption)}</caption>\n"
            f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n")
