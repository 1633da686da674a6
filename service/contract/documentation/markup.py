"""Small pieces of HTML that the pages are made of. A link `#id` leads to the page that has the id (site_links.py)."""
import html
import re


def escape(text):
    return html.escape(str(text), quote=True)


def anchor(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def plain(markup):
    """Returns the text of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def code(text):
    return f"<code>{escape(text)}</code>"


def link(target, words):
    return f'<a href="{escape(target)}">{escape(words)}</a>'


def render_links(text):
    """Returns escaped text with [words](#anchor) marked up."""
    parts = re.split(r"\[([^\]]+)\]\((#[^)\s]+)\)", text)
    return escape(parts[0]) + "".join(
        link(target, words) + escape(after)
        for words, target, after in zip(parts[1::3], parts[2::3], parts[3::3]))


def render_inline(text):
    """Returns escaped text with `code` and links marked up."""
    parts = re.split(r"`([^`]+)`", text)
    return "".join(code(part) if index % 2 else render_links(part) for index, part in enumerate(parts))


def render_code(text, **attributes):
    """Returns lines of code, which the keyboard can scroll. `attributes`: of the element, without `data-`."""
    more = "".join(f' data-{name}="{escape(value)}"' for name, value in attributes.items())
    return f'<pre tabindex="0"{more}><code>{escape(text)}</code></pre>\n'


def render_heading(level, identifier, words):
    """Returns a heading that is a link to itself; `words` are HTML already."""
    identifier = escape(identifier)
    return f'<h{level} id="{identifier}"><a class="self" href="#{identifier}">{words}</a></h{level}>\n'


def render_block(lines, level):
    if lines[0].startswith("#"):
        title = lines[0].lstrip("#").strip()
        rest = render_block(lines[1:], level) if len(lines) > 1 else ""
        return render_heading(level, "text-" + anchor(title), render_inline(title)) + rest
    if lines[0].startswith("- "):
        items = re.split(r"\n- ", "\n" + "\n".join(lines))[1:]
        inner = "".join(f"<li>{render_inline(' '.join(item.split()))}</li>\n" for item in items)
        return f"<ul>\n{inner}</ul>\n"
    first_item = next((i for i, line in enumerate(lines) if line.startswith("- ")), len(lines))
    paragraph = f"<p>{render_inline(' '.join(lines[:first_item]))}</p>\n"
    return paragraph + (render_block(lines[first_item:], level) if lines[first_item:] else "")


def render_text(text, level=3):
    """Returns HTML of a little Markdown: headings, paragraphs, - lists, links, `code`, and ``` lines of it."""
    made = ""
    for index, piece in enumerate(re.split(r"^```\n(.*?)^```$", text or "", flags=re.MULTILINE | re.DOTALL)):
        blocks = [] if index % 2 else re.split(r"\n\s*\n", piece.strip())
        made += render_code(piece.rstrip("\n")) if index % 2 else ""
        made += "".join(render_block([line.strip() for line in block.split("\n")], level)
                        for block in blocks if block.strip())
    return made


def render_list_of_links(targets):
    """Returns a list of links: (address, words) each."""
    items = "".join(f"<li>{link(*each)}</li>\n" for each in targets)
    return f'<ul class="links">\n{items}</ul>\n'


def render_terms(pairs):
    """Returns a list of terms with their descriptions, for every width; both are HTML already."""
    rows = "".join(f"<div><dt>{term}</dt>\n<dd>{words}</dd></div>\n" for term, words in pairs)
    return f"<dl>\n{rows}</dl>\n" if rows else ""


def render_details(summary, inner, is_open=False):
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>\n{inner}</details>\n"
