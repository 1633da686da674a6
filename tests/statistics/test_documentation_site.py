"""The documentation in a real browser: its search, every width, the keyboard, and the form of development mode."""
import pytest

from browser import Browser, find_browser

pytestmark = pytest.mark.skipif(find_browser() is None, reason="there is no Chromium")

# Words of newcomers, and the first result.
SEARCHES = {
    "pagination": "/docs/guide#lists-and-paging",
    "bulk upload": "/docs/guide#batches",
    "login": "/docs/guide#authentication",
    "etag": "/docs/guide#conditional-changes",
    "csv": "/docs/guide#csv",
    "rate limit": "/docs/problems#problem-rate_limited",
    "webhook signature": "/docs/guide#webhooks",
    "retry": "/docs/guide#retries-and-idempotency",
    "sync": "/docs/guide#change-feed",
    "permissions": "/docs/guide#roles-and-scopes",
    "errors": "/docs/guide#errors",
    "workflow": "/docs/guide#the-stages-of-a-case",
    "deprecation": "/docs/guide#versioning",
    "gdpr": "/docs/problems#problem-personal_identifier_found",
    "whoami": "/docs/service#operation-getPrincipal",
    "sandbox": "/docs/guide#getting-started",
    "python": "/docs/examples#example-python",
    "pushReferral": "/docs/referrals#operation-pushReferral",
    "move case": "/docs/cases#operation-moveCase",
    "version_stale": "/docs/problems#problem-version_stale",
    "ReferralInput": "/docs/schemas-r#schema-ReferralInput",
    "notified_on": "/docs/schemas-r#schema-Referral",
    "days to decision": "/docs/definitions#table-days_to_decision",
    "overdue actions": "/docs/actions#operation-listActions",
}
PAGES = ("/docs", "/docs/guide", "/docs/referrals", "/docs/schemas-c", "/docs/problems", "/docs/definitions",
         "/docs/stages", "/docs/operations", "/docs/examples", "/v1/problems/version_stale", "/")
# Elements that reach beyond the window; code and the picture of the stages scroll by themselves.
BEYOND = """[...document.querySelectorAll('main *')].filter((one) => !one.closest('pre, .wide')
    && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser():
    made = Browser()
    yield made
    made.close()


def search(browser, words):
    browser.run("document.getElementById('query').value = ''; document.getElementById('query').focus()")
    browser.type(words)
    browser.wait_for("document.getElementById('count').textContent !== ''")
    found = browser.run("[...document.querySelectorAll('#found a')].map((one) => one.getAttribute('href'))")
    browser.run("document.getElementById('query').value = ''; "
                "document.getElementById('query').dispatchEvent(new Event('input'))")
    browser.wait_for("document.getElementById('count').textContent === ''")
    return found


@pytest.fixture(scope="module")
def start_page(browser, instance):
    browser.look(1280)
    browser.open(f"{instance.url}/docs")
    return browser


@pytest.mark.parametrize("words", SEARCHES)
def test_the_search_finds_what_a_newcomer_means(start_page, words):
    assert search(start_page, words)[0] == SEARCHES[words]


def test_the_search_says_that_there_is_nothing(start_page):
    assert search(start_page, "zzzzqq") == []


def test_the_search_works_with_the_keyboard(browser, instance):
    browser.open(f"{instance.url}/docs")
    browser.run("document.getElementById('query').focus()")
    browser.type("pushReferral")
    browser.wait_for("document.querySelector('#found a') !== null")
    browser.key("Enter", 13)
    browser.wait_for("location.pathname === '/docs/referrals' && location.hash === '#operation-pushReferral'")
    assert browser.complaints() == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_wider_than_the_window(browser, instance, page):
    browser.open(instance.url + page)
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for width in (320, 390, 1280):
        browser.look(width)
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run(BEYOND) == []
    assert browser.complaints() == []


def test_a_telephone_shows_the_sidebar_on_demand(browser, instance):
    browser.look(390)
    browser.open(f"{instance.url}/docs/guide")
    shown = "document.getElementById('menu').getClientRects().length > 0"
    assert not browser.run(shown)
    browser.run("document.querySelector('header .narrow a').click()")
    browser.wait_for(shown)


def test_a_request_can_be_tried_in_development_mode(browser, instance, caller):
    browser.look(1280)
    browser.open(f"{instance.url}/docs/service")
    section = "document.getElementById('operation-getPrincipal').closest('section').querySelector('.try')"
    browser.run(f"{section}.open = true")
    browser.wait_for(f"{section}.querySelector('form') !== null")
    browser.run(f"{section}.querySelector('input').focus()")
    browser.type(caller("CPC-GLA").token)
    browser.run(f"{section}.querySelector('button').click()")
    browser.wait_for(f"{section}.querySelector('pre').textContent.startsWith('200')")
    assert '"code": "CPC-GLA"' in browser.run(f"{section}.querySelector('pre').textContent")
    assert browser.complaints() == []
