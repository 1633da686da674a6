"""The chapters of the guide: a little Markdown, with places for what is made from the contract."""
import re

from documentation_html import anchor, escape, render_text
from source import ContractError

PART = re.compile(r"^\{\{([a-z]+)\}\}$", re.MULTILINE)


def read_chapters(path):
    """Returns (anchor, title, text) for each `# Title` of the file."""
    pieces = re.split(r"^# (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if pieces[0].strip():
        raise ContractError(path.name, "text before the first chapter")
    return [(anchor(title), title, text) for title, text in zip(pieces[1::2], pieces[2::2])]


def render_chapter(identifier, title, text, parts):
    """Returns HTML of a chapter. `parts`: name to HTML of what `{{name}}` on a line of its own stands for."""
    pieces = PART.split(text)
    html = ""
    for index, piece in enumerate(pieces):
        if index % 2 and piece not in parts:
            raise ContractError(f"{title}: {{{{{piece}}}}}", "nothing is made under this name")
        html += parts[piece] if index % 2 else render_text(piece)
    return (f'<section aria-labelledby="{identifier}">\n<h2 id="{identifier}">{escape(title)}</h2>\n{html}</section>\n')
