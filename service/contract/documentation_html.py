"""Small pieces of HTML that the documentation is made of."""
import html
import re


def escape(text):
    return html.escape(str(text), quote=True)


def anchor(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def render_inline(text):
    """Returns escaped text with `code` marked up."""
    parts = re.split(r"`([^`]+)`", text)
    marked = (f"<code>{escape(part)}</code>" if index % 2 else escape(part)
              for index, part in enumerate(parts))
    return "".join(marked)


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
    """Returns HTML of a little Markdown: headings, paragraphs, - lists and `code`."""
    blocks = re.split(r"\n\s*\n", (text or "").strip())
    return "".join(render_block([line.strip() for line in block.split("\n")], level)
                   for block in blocks if block.strip())


def render_table(caption, head, rows):
    """Returns a table; the cells are HTML already."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join("<tr>" + f'<th scope="row">{row[0]}</th>'
                   + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>\n" for row in rows)
    return (f'<div class="wide"><table><caption>{escape(caption)}</caption>\n'
            f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n")
