"""The page in a real browser: its content, its readers, use by keyboard alone, all widths and colours."""
import os
import pathlib

import pytest

from browser import Browser, find_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason="there is no Chromium")

PICTURES = os.environ.get("LR_PICTURES")
TITLES = ["Caseload by stage", "Timeliness against timescales", "Actions overdue by committee", "Trend by quarter",
          "Days to decision and to completion"]

# The least contrast of any text with its background (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
    const light = (c) => { const v = c.map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92
        : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
    const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const behind = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
        if (c.length === 3 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
    let least = [99, ''];
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own || e.closest('.skip, noscript, script') || !e.getClientRects().length) continue;
        const style = getComputedStyle(e);
        const front = parts(e instanceof SVGElement ? style.fill : style.color).slice(0, 3);
        const [a, b] = [light(front), light(behind(e))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < least[0]) least = [ratio, e.outerHTML.slice(0, 80)];
    }
    return least;
})()"""


@pytest.fixture(scope="module")
def browser():
    made = Browser()
    yield made
    made.close()


def token_of(instance, organisation, scope):
    return instance.token(organisation, f"page-{organisation}", scope)


def enter(browser, instance, token, width=1280):
    browser.look(width)
    browser.ask("Page.navigate", url=f"{instance.url}/dashboard")
    browser.wait_for("location.pathname === '/dashboard' && document.readyState === 'complete'")
    browser.run("document.getElementById('token').focus()")
    browser.type(token)
    browser.key("Enter", 13)
    browser.wait_for("document.querySelectorAll('main section').length === 5 "
                     "|| document.getElementById('state').className === 'fault'")


def titles(browser):
    return browser.run("[...document.querySelectorAll('main h2')].map((e) => e.textContent)")


@pytest.fixture
def analyst_page(browser, instance, released):
    enter(browser, instance, token_of(instance, "SG", "statistics.read statistics.unsuppressed"))
    assert browser.complaints() == []
    return browser


def table(browser, section):
    return browser.run(f"[...document.getElementById('{section}').parentElement.querySelectorAll('tbody tr')]"
                       ".map((r) => [...r.cells].map((c) => c.textContent))")


def test_the_figures_are_those_of_the_api(analyst_page, analyst):
    assert titles(analyst_page) == TITLES
    rows = analyst.send("getStatistics", table="caseload", query="view=live")["rows"]
    counts = [str(row["value"]) for row in rows if row["figure"] == "count"]
    assert [cells[1] for cells in table(analyst_page, "caseload")] == counts
    rows = analyst.send("getStatistics", table="referrals_received", query="view=live&period_type=quarter")["rows"]
    assert [cells[1] for cells in table(analyst_page, "trend")] == [str(row["value"]) for row in rows]


def test_one_committee_can_be_chosen(analyst_page, analyst):
    analyst_page.run("const p = document.getElementById('place'); p.value = 'GLA'; p.dispatchEvent(new Event('change'))")
    analyst_page.wait_for("document.getElementById('state').textContent.includes('Glasgow')")
    rows = analyst.send("getStatistics", table="caseload", query="view=live&committee=GLA")["rows"]
    counts = [str(row["value"]) for row in rows if row["figure"] == "count"]
    assert [cells[1] for cells in table(analyst_page, "caseload")] == counts
    assert "Actions overdue" in titles(analyst_page)


def test_a_dashboard_token_sees_released_figures_only(browser, instance, released):
    enter(browser, instance, token_of(instance, "SG", "statistics.read"))
    assert browser.complaints() == []
    assert browser.run("document.getElementById('state').textContent").startswith("Figures of the release 2026")
    assert browser.run("document.querySelectorAll('#place option').length") == 1
    assert "Trend by year" in titles(browser)
    assert not [url for url, _ in browser.requested()[-9:] if "view=live" in url]


def test_the_released_timeliness_is_shown(browser, instance, released, dashboard):
    """Each share in the table next to the chart is the released one, and at least one of them is shown."""
    enter(browser, instance, token_of(instance, "SG", "statistics.read"))
    expected = []
    for name in ("info_return_on_time", "days_to_decision", "notices_on_time", "actions_on_time"):
        rows = dashboard.send("getStatistics", table=name).expect(200)["rows"]
        row = next(row for row in reversed(rows) if row["figure"] == "share")
        expected.append("c" if row["status"] == "confidential" else "–" if row["value"] is None
                        else f"{int(row['value'] * 100 + 0.5)} %")
    assert [cells[3] for cells in table(browser, "timeliness")] == expected
    assert any(cell.endswith("%") for cell in expected)


def test_a_scope_without_effect_shows_released_figures(browser, instance, released):
    enter(browser, instance, token_of(instance, "LA-S12000049", "statistics.read statistics.unsuppressed"))
    assert browser.run("document.getElementById('state').textContent").startswith("Figures of the release 2026")
    assert browser.complaints() == []


def test_a_committee_sees_its_own_figures(browser, instance, released):
    enter(browser, instance, token_of(instance, "CPC-GLA", "statistics.read"))
    assert "Exact figures, Glasgow" in browser.run("document.getElementById('state').textContent")
    assert browser.run("[...document.querySelectorAll('#place option')].map((e) => e.value)") == ["", "GLA"]
    browser.run("const p = document.getElementById('place'); p.value = ''; p.dispatchEvent(new Event('change'))")
    browser.wait_for("document.getElementById('state').textContent.includes('release 2026')")
    assert browser.complaints() == []


def test_an_invalid_token_is_reported(browser, instance, released):
    enter(browser, instance, "nonsense")
    assert "not accepted" in browser.run("document.getElementById('state').textContent")
    assert browser.run("document.querySelectorAll('main section').length") == 0
    browser.complaints()  # the browser reports the 401


def test_the_token_is_only_in_memory_and_can_be_forgotten(analyst_page):
    assert analyst_page.run("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    assert analyst_page.run("document.getElementById('token').value + location.search + location.hash") == ""
    analyst_page.run("document.getElementById('leave').click()")
    assert analyst_page.run("document.querySelectorAll('main section').length") == 0


def test_a_poll_without_news_leaves_the_page_unchanged(analyst_page):
    analyst_page.run("window.first = document.querySelector('main section'); true")
    before = len(analyst_page.requested())
    analyst_page.run("document.getElementById('place').dispatchEvent(new Event('change'))")
    analyst_page.wait_for("document.getElementById('figures').getAttribute('aria-busy') === null")
    polled = analyst_page.requested()[before:]
    assert {status for _, status in polled} == {304}
    assert analyst_page.run("window.first === document.querySelector('main section')")


def test_every_chart_has_a_name_and_a_table(analyst_page):
    assert analyst_page.run("[...document.querySelectorAll('main section')].every((s) => "
                            "s.querySelector('figure svg[role=img][aria-label]') && s.querySelector('table caption') && "
                            "s.querySelector('tbody tr') && s.getAttribute('aria-labelledby'))")


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_enough_contrast(analyst_page, dark):
    analyst_page.look(1280, dark=dark)
    ratio, where = analyst_page.run(CONTRAST)
    assert ratio >= 4.5, where


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_window(browser, instance, released, width):
    analyst_page = browser
    enter(browser, instance, token_of(instance, "SG", "statistics.read statistics.unsuppressed"), width)
    assert analyst_page.run("document.documentElement.scrollWidth") <= width
    small = analyst_page.run("[...document.querySelectorAll('button, input, select')].filter((e) => !e.hidden && "
                             "(e.getBoundingClientRect().height < 24 || e.getBoundingClientRect().width < 24)).length")
    assert small == 0
    # Charts are drawn for the width of the window at loading: 13 pixels are never less than 12.
    scale = analyst_page.run("Math.min(...[...document.querySelectorAll('figure > svg')].map((e) => "
                             "e.getBoundingClientRect().width / e.viewBox.baseVal.width))")
    assert scale >= 0.92
    if PICTURES:
        for dark in (False, True):
            analyst_page.look(width, dark=dark)
            analyst_page.picture(pathlib.Path(PICTURES) / f"dashboard-{width}-{'dark' if dark else 'light'}.png")


def test_everything_is_reachable_with_the_keyboard(browser, instance, released):
    enter(browser, instance, token_of(instance, "SG", "statistics.read statistics.unsuppressed"))
    browser.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = []
    for _ in range(14):
        browser.key("Tab", 9)
        reached.append(browser.run("document.activeElement.id || document.activeElement.className || "
                                   "document.activeElement.tagName"))
    assert {"token", "place", "leave", "skip", "scroll"} <= set(reached)


def test_the_printed_page_has_the_figures_without_the_form(analyst_page):
    analyst_page.ask("Emulation.setEmulatedMedia", media="print")
    assert analyst_page.run("getComputedStyle(document.getElementById('entry')).display") == "none"
    assert analyst_page.run("document.querySelector('main table').getClientRects().length > 0")
    data = analyst_page.ask("Page.printToPDF")["data"]
    assert len(data) > 10000
    analyst_page.look(1280)
