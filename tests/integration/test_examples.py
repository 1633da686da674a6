"""The example clients for a sender or a reader work as described against the real service."""
import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest
import requests

from payloads import new_referral
from scenarios import make_action, make_case
from service import ROOT
from waiting import WATCHDOG_S, wait_until

EXAMPLES = ROOT / "deploy" / "examples"
PUSHERS = ["push.py", "push.sh"]


def settings_of(url, token):
    return {"PATH": os.environ["PATH"], "REGISTER_URL": url, "REGISTER_TOKEN": token}


def run(name, url, token, *words, **environment):
    return subprocess.run([EXAMPLES / name, *words], timeout=WATCHDOG_S, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**settings_of(url, token), **environment})


def start(name, url, token, *words):
    return subprocess.Popen([EXAMPLES / name, *words], text=True, stdout=subprocess.PIPE, env=settings_of(url, token))


@pytest.fixture
def referral_file(tmp_path):
    def write(**overrides):
        path = tmp_path / "referral.json"
        path.write_text(json.dumps(new_referral(**overrides)), encoding="utf-8")
        return path
    return write


@pytest.fixture
def shaky(instance):
    """Puts a faulty proxy in front of the service: it closes the connection, answers 502, then 503, then forwards."""
    keys = []

    class Shaky(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            keys.append(self.headers["Idempotency-Key"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(keys) == 1:
                self.close_connection = True
            elif len(keys) == 2:
                self.reply(502, b"<html>Bad Gateway</html>", [("Content-Type", "text/html"), ("Retry-After", "0")])
            elif len(keys) == 3:
                self.reply(503, b'{"code": "overloaded", "retryable": true}', [("Retry-After", "0")])
            else:
                self.pass_on(body)

        def pass_on(self, body):
            answer = requests.post(instance.url + self.path, data=body, timeout=WATCHDOG_S, headers={
                name: self.headers[name]
                for name in ("Authorization", "Content-Type", "Idempotency-Key")})
            self.reply(answer.status_code, answer.content, [])

        def reply(self, status, body, headers):
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", str(len(body)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", keys
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", PUSHERS)
def test_a_pusher_pushes_a_referral(name, instance, agency, referral_file):
    done = run(name, instance.url, agency.token, referral_file())
    assert done.returncode == 0, done.stderr
    assert agency.send("getReferral", id=json.loads(done.stdout)["id"]).status == 200


@pytest.mark.parametrize("name", PUSHERS)
def test_a_pusher_reports_the_reason_of_a_refusal(name, instance, agency, referral_file):
    done = run(name, instance.url, agency.token, referral_file(committee="glasgow"))
    assert done.returncode == 1
    assert json.loads(done.stdout)["code"] == "schema_violation"


@pytest.mark.parametrize("name", PUSHERS)
def test_a_pusher_retries_with_the_same_key(name, shaky, agency, referral_file):
    url, keys = shaky
    done = run(name, url, agency.token, referral_file())
    assert done.returncode == 0, done.stderr
    assert len(keys) == 4 and len(set(keys)) == 1


def test_an_example_fits_on_a_page():
    assert all(len((EXAMPLES / name).read_text().splitlines()) <= 60 for name in PUSHERS)


@pytest.fixture
def follow(instance, committee, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("node is missing: THE EXAMPLE OF A FOLLOWER WAS NOT RUN")

    def start():
        done = run("follow.mjs", instance.url, committee.token, "--once",
                   REGISTER_POSITION=str(tmp_path / "position"))
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
    return start


def test_a_follower_begins_with_the_snapshot(follow, committee):
    action = make_action(committee)
    assert any(action["links"]["self"] in line for line in follow())


def test_a_follower_continues_where_it_ended(follow, committee):
    case = make_case(committee, "decision")
    follow()
    action = make_action(committee, case)
    seen = []

    def told():
        seen.extend(follow())
        return any(action["links"]["self"] in line for line in seen)
    wait_until(told, "the follower prints the action")
    assert not any(line.split()[1].endswith(".present") for line in seen)


@pytest.fixture
def poll(instance, committee):
    if shutil.which("node") is None:
        pytest.skip("node is missing: THE EXAMPLE OF A POLLER WAS NOT RUN")
    return lambda table, *words: run("poll.mjs", instance.url, committee.token, table, *words)


def test_a_poller_prints_an_unchanged_table_once(poll):
    done = poll("decisions", "--times", "3", "--every", "0.1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 0 and lines.count(lines[0]) == 1


def test_a_poller_prints_a_changed_table_again(poll, instance, committee):
    agency = committee.of("LA-S12000049", "council-casework")
    with start("poll.mjs", instance.url, committee.token, "referrals_received?view=live&committee=GLA", "--every", "0.1") as polling:
        head = polling.stdout.readline()
        assert head.startswith("table,")
        agency.send("pushReferral", new_referral()).expect(201)
        watchdog = threading.Timer(WATCHDOG_S, polling.kill)
        watchdog.start()
        assert head in iter(polling.stdout.readline, ""), "the table is not printed again"
        watchdog.cancel()
        polling.kill()


def test_a_poller_reports_the_reason_of_a_refusal(poll):
    done = poll("no_such_table")
    assert done.returncode == 1 and "not_found" in done.stderr
