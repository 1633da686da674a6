"""The chapters of the guide: a little Markdown."""
import re

from markup import anchor, render_heading, render_inline, render_text
from source import ContractError


def read_chapters(path):
    """Returns (anchor, title, text) for each `# Title` of the file."""
    pieces = re.split(r"^# (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if pieces[0].strip():
        raise ContractError(path.name, "text before the first chapter")
    return [(anchor(title), title, text) for title, text in zip(pieces[1::2], pieces[2::2])]


def render_chapters(chapters):
    return "".join(f"<section>\n{render_heading(2, identifier, render_inline(title))}{render_text(text)}</section>\n"
                   for identifier, title, text in chapters)
