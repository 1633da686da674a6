"""The pages that a register serves, in a real browser: judge_pages.py AXE_JS [FOLDER FOR PICTURES].

REGISTER_URL names the register. axe finds nothing in light and dark, wide and narrow, and printed; nothing is asked
of another machine, nothing is refused by the page's own policy, and no page is wider than a telephone. Prints what
it finds, and ends with status 1 when that is anything.
"""
import base64
import json
import os
import pathlib
import sys
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "statistics"), str(TESTS / "integration")]

import browser as chromium  # noqa: E402
from browser import Browser  # noqa: E402

URL = os.environ["REGISTER_URL"]
PAGES = ("/docs", "/dashboard")
LOOKS = {"light": (1280, False), "dark": (1280, True), "narrow": (390, False)}
# Best practices are not asked by WCAG, but nothing here has a reason to break them.
JUDGE = """axe.run(document, {resultTypes: ['violations'], rules: {'color-contrast': {enabled: %s}}, runOnly:
    ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((found) =>
    found.violations.map((one) => one.id + ': ' + one.help + ', ' + one.nodes.length + ' times, first ' +
    one.nodes[0].target))"""
# Contrast takes minutes for 30,000 elements: it is judged on the first sections of each chapter, made by the same code.
SHORTEN = "document.querySelectorAll('main > section > section:nth-of-type(n + 4)').forEach((one) => one.remove())"
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
DEAD_LINKS = """[...document.querySelectorAll('a[href^="#"]')].map((one) => one.getAttribute('href').slice(1))
    .filter((id) => document.getElementById(id) === null)"""


def judge(browser, axe, page, folder):
    """Yields what is wrong with a page."""
    browser.events.clear()
    for look, (width, dark) in LOOKS.items():
        browser.look(width, dark=dark)
        browser.open(URL + page)
        yield from browser.complaints()
        if folder:
            picture(browser, f"{folder}{page}-{look}.png")
        if browser.run(TOO_WIDE):
            yield f"{look}: wider than the window"
        yield from (f"leads nowhere: #{one}" for one in browser.run(DEAD_LINKS))
        browser.run(axe)
        if look == "light":
            yield from (f"whole: {one}" for one in browser.run(JUDGE % "false"))
        browser.run(SHORTEN)
        yield from (f"{look}: {one}" for one in browser.run(JUDGE % "true"))
    browser.ask("Emulation.setEmulatedMedia", media="print")
    yield from (f"printed: {one}" for one in browser.run(JUDGE % "true"))
    yield from (f"asked elsewhere: {url}" for url, _ in browser.requested() if not url.startswith(URL + "/"))


def picture(browser, path):
    """What the window shows: the whole page is a hundred thousand lines high."""
    pathlib.Path(path).write_bytes(base64.b64decode(browser.ask("Page.captureScreenshot", format="png")["data"]))


def lost_problems(browser):
    """Types of problems whose address is no section of the documentation."""
    with urllib.request.urlopen(URL + "/v1/problems", timeout=10) as answer:
        types = [one["type"] for one in json.load(answer)["items"]]
    browser.open(URL + "/docs")
    for each in types:
        place = urllib.parse.urlsplit(each)
        shown = browser.run(f"document.getElementById({json.dumps(place.fragment)})?.parentElement.tagName")
        if (place.path, shown) != ("/docs", "SECTION"):
            yield f"no section for {each}"


def main(axe_path, folder=None):
    chromium.SECONDS = 180  # the documentation is long
    axe = pathlib.Path(axe_path).read_text(encoding="utf-8")
    browser = Browser()
    try:
        found = [f"{page}: {one}" for page in PAGES for one in judge(browser, axe, page, folder)]
        found += lost_problems(browser)
    finally:
        browser.close()
    print(*found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
