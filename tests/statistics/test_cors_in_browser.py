"""A dashboard on another origin, in a real browser: what its scripts can read."""
import functools
import http.server
import threading

import pytest

from browser import Browser, find_browser
from service import Instance, free_port

pytestmark = pytest.mark.skipif(find_browser() is None, reason="there is no Chromium")


class BlankPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Dashboard</title>")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def pages():
    """Two origins with a blank page each."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), BlankPage) for _ in range(2)]
    for each in servers:
        threading.Thread(target=each.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{each.server_port}" for each in servers]
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture(scope="module")
def register(cluster, keys, pages):
    made = Instance(cluster, keys, LR_CORS_ORIGINS=pages[0])
    yield made.start()
    assert made.stop() == 0


@pytest.fixture(scope="module")
def browser():
    made = Browser()
    yield made
    made.close()


def status_in(browser, address, method="GET", **headers):
    """Returns the status that a script reads, or the name of the error."""
    return browser.run(f"""fetch({address!r}, {{method: {method!r}, headers: {headers!r}}})
        .then((one) => one.status, (fault) => fault.name)""")


@pytest.mark.parametrize("known", [True, False])
def test_pages_of_known_origins_alone_use_a_token(browser, register, pages, caller, known):
    token = caller("CPC-GLA", "dashboard", "cases.read").token
    browser.open(pages[0 if known else 1])
    status = functools.partial(status_in, browser)
    assert status(f"{register.url}/openapi.json") == 200
    assert status(f"{register.url}/v1/statistics/decisions") == 200
    assert status(f"{register.url}/v1/cases", Authorization=f"Bearer {token}") == (200 if known else "TypeError")
    assert status(f"{register.url}/v1/cases") == (401 if known else "TypeError")
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    assert status(f"{register.url}/v1/cases", "POST", **sent) == (403 if known else "TypeError")
