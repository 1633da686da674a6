"""The frame of the pages: head, search, sidebar; and their links."""
import dataclasses
import re

from markup import escape, link, plain, render_list_of_links
from source import ContractError

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
          "form-action 'none'; frame-ancestors 'none'")
IDENTIFIER = re.compile(r'\bid="([^"]+)"')
FRAGMENT = re.compile(r'href="#([^"]+)"')
# Identifiers of the frame, the same on every page.
OF_THE_FRAME = {"main", "menu", "search", "query", "found", "count"}


@dataclasses.dataclass
class Page:
    """`group`: its heading in the sidebar, or None for a page that is not there. `identifier`: of its title."""
    address: str
    title: str
    main: str
    group: str | None = None
    identifier: str = ""
    short: str = ""


def render_sidebar(pages, current):
    groups = {}
    for page in pages:
        if page.group:
            here = ' aria-current="page"' if page is current else ""
            groups.setdefault(page.group, []).append(
                f'<li><a href="{page.address}"{here}>{escape(page.short or page.title)}</a></li>\n')
    text = "".join(f'<p class="group">{escape(name)}</p>\n<ul class="{name.lower()}">\n{"".join(items)}</ul>\n'
                   for name, items in groups.items())
    close = f'<p class="narrow">{link("#main", "Close the menu")}</p>'
    return f'<nav id="menu" aria-label="Documentation">\n{text}{close}</nav>\n'


def render_contents(page):
    """Returns links to the parts of a page that has several and does not list them itself."""
    found = re.findall(r'<h2 id="([^"]+)"><a[^>]*>(.*?)</a></h2>', page.main)
    if len(found) < 3 or 'class="links"' in page.main.split("<h2", 1)[0]:
        return ""
    return render_list_of_links((f"#{identifier}", plain(title)) for identifier, title in found)


def render_page(page, pages, product):
    title = page.title if page.title.startswith(product) else f"{page.title} · {product}"
    return (
        '<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(title)}</title>\n<link rel="stylesheet" href="/docs/style.css">\n'
        '<script src="/docs/script.js" defer></script>\n</head>\n<body>\n'
        '<a class="skip" href="#main">Skip to the content</a>\n'
        f'<header>\n<p><a href="/docs">{escape(product)}</a></p>\n'
        '<form id="search" role="search" hidden>\n<label for="query">Search</label>\n'
        '<input id="query" type="search" autocomplete="off" spellcheck="false" aria-controls="found">\n'
        '<p id="count" role="status"></p>\n<ol id="found"></ol>\n</form>\n'
        '<p class="narrow"><a href="#menu">Menu</a></p>\n</header>\n'
        f"{render_sidebar(pages, page)}"
        f'<main id="main" tabindex="-1">\n<h1 id="{escape(page.identifier or "title")}">{escape(page.title)}</h1>\n'
        f"{render_contents(page)}{page.main}</main>\n"
        '<footer><p>The contract: <a href="/openapi.yaml">YAML</a>, <a href="/openapi.json">JSON</a>. '
        '<a href="/dashboard">Dashboard</a>.</p></footer>\n</body>\n</html>\n')


def resolve_links(texts):
    """Returns the pages {address: HTML} with each link `#id` leading to the page that has the id.

    Raises ContractError for one that leads nowhere and for an id that a page has twice.
    """
    homes, own = {}, {}
    for address, text in texts.items():
        identifiers = IDENTIFIER.findall(text)
        own[address] = set(identifiers)
        if len(own[address]) != len(identifiers):
            twice = sorted(each for each in own[address] if identifiers.count(each) > 1)
            raise ContractError(address, f"an id is there twice: {', '.join(twice)}")
        homes.update({each: address for each in own[address] - OF_THE_FRAME})

    def lead(address):
        def replace(match):
            if match[1] in own[address]:
                return match[0]
            if match[1] not in homes:
                raise ContractError(address, f"a link leads nowhere: #{match[1]}")
            return f'href="{homes[match[1]]}#{match[1]}"'
        return replace

    return {address: FRAGMENT.sub(lead(address), text) for address, text in texts.items()}
