"""The pages that a register serves, in a real browser: judge_pages.py AXE_JS [FOLDER FOR PICTURES].

REGISTER_URL names the register. axe finds nothing in light and dark, wide and narrow, and printed; nothing is asked
of another machine, nothing is refused by the page's own policy, and no page is wider than a telephone. Prints what
it finds, and ends with status 1 when that is anything.
"""
import base64
import os
import pathlib
import sys

sys.dont_write_bytecode = True
TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "statistics"), str(TESTS / "integration")]

from browser import Browser  # noqa: E402

URL = os.environ["REGISTER_URL"]
LOOKS = {"light": (1280, False), "dark": (1280, True), "narrow": (390, False)}
# Best practices are not asked by WCAG, but nothing here has a reason to break them.
JUDGE = """axe.run(document, {resultTypes: ['violations'], runOnly:
    ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((found) =>
    found.violations.map((one) => one.id + ': ' + one.help + ', ' + one.nodes.length + ' times, first ' +
    one.nodes[0].target))"""
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SIDEBAR = "[...document.querySelectorAll('nav ul a')].map((one) => one.getAttribute('href'))"
# The pages of the problems are alike.
OTHERS = ["/", "/v1/problems/version_stale", "/dashboard"]


def judge(browser, axe, page, folder):
    """Yields what is wrong with a page."""
    browser.events.clear()
    for look, (width, dark) in LOOKS.items():
        browser.look(width, dark=dark)
        browser.open(URL + page)
        yield from browser.complaints()
        if folder:
            picture(browser, f"{folder}/{page.strip('/').replace('/', '-')}-{look}.png")
        if browser.run(TOO_WIDE):
            yield f"{look}: wider than the window"
        browser.run(axe)
        yield from (f"{look}: {one}" for one in browser.run(JUDGE))
    browser.ask("Emulation.setEmulatedMedia", media="print")
    yield from (f"printed: {one}" for one in browser.run(JUDGE))
    yield from (f"asked elsewhere: {url}" for url, _ in browser.requested() if not url.startswith(URL + "/"))


def picture(browser, path):
    """Writes what the window shows."""
    pathlib.Path(path).write_bytes(base64.b64decode(browser.ask("Page.captureScreenshot", format="png")["data"]))


def main(axe_path, folder=None):
    axe = pathlib.Path(axe_path).read_text(encoding="utf-8")
    browser = Browser()
    try:
        browser.open(URL + "/docs")
        pages = [*browser.run(SIDEBAR), *OTHERS]
        found = [f"{page}: {one}" for page in pages for one in judge(browser, axe, page, folder)]
    finally:
        browser.close()
    print(f"{len(pages)} pages", *found, sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
