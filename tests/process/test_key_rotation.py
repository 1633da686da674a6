"""The issuer changes its keys under load: the new one is accepted, the removed one rejected, no request fails."""
import http.server
import threading
import time
import urllib.error
import urllib.request

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from load_generator import LONG, ORGANISATION, SCOPES, Load, assert_nothing_lost, seconds_until, tally
from service import Instance
from test_production import ISSUER, Issuer

ROUNDS = 10 if LONG else 2


class KeyServer:
    """Serves the issuer's file, or an error instead."""

    def __init__(self, issuer):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                body = issuer.file.read_bytes()
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.status, self.asked = 200, 0
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/jwks.json"

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def issuer(tmp_path):
    return Issuer(tmp_path)


@pytest.fixture
def key_server(issuer):
    made = KeyServer(issuer)
    yield made
    made.stop()


@pytest.fixture
def start(shared_cluster, keys):
    made = []

    def start(**settings):
        instance = Instance(shared_cluster, keys, LR_ISSUER=ISSUER, **settings)
        del instance.environment["LR_DEV_SECRET_FILE"]
        made.append(instance)
        return instance.start()
    yield start
    for each in made:
        each.stop()


def new_key(number):
    return rsa.generate_private_key(65537, 2048) if number % 2 else ec.generate_private_key(ec.SECP256R1())


def token(issuer, kid):
    return issuer.token(kid, organisation=ORGANISATION, scope=SCOPES, client_id="rotation")


def status_with(instance, text):
    ask = urllib.request.Request(f"{instance.url}/v1/me", headers={"Authorization": f"Bearer {text}"})
    try:
        with urllib.request.urlopen(ask, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


def rotate(instance, issuer, present, refresh):
    """Adds a key to the one in use, signs with it, and removes the old one, as issuers do."""
    kept = dict(issuer.keys)
    fresh, old = f"key-{len(present)}", present[-1]
    issuer.publish(**kept, **{fresh: new_key(len(present))})
    refresh()
    accepted = seconds_until(lambda: status_with(instance, token(issuer, fresh)) == 200, 5)
    present.append(fresh)  # the callers sign with it from here on
    time.sleep(0.3)
    leaving = issuer.token(old, key=kept[old], organisation=ORGANISATION, scope=SCOPES, client_id="rotation")
    assert status_with(instance, leaving) == 200
    issuer.publish(**{fresh: issuer.keys[fresh]})
    refresh()
    refused = seconds_until(lambda: status_with(instance, leaving) == 401, 5)
    return accepted, refused


def run_rotations(instance, issuer, cluster, refresh):
    present = ["key-0"]
    with Load(instance, lambda: token(issuer, present[-1]), 6) as load:
        times = [rotate(instance, issuer, present, refresh) for _ in range(ROUNDS)]
        time.sleep(0.3)
    outcomes = load.outcomes()
    print(f"\n{ROUNDS} rotations: new key accepted after {max(a for a, _ in times):.2f} s at most, removed one refused after "
          f"{max(r for _, r in times):.2f} s at most; {tally(outcomes)}")
    assert [one for one in outcomes if one.fault or one.status not in (200, 201)] == []
    assert_nothing_lost(cluster, outcomes)


def test_rotation_of_keys_in_a_file(start, issuer, shared_cluster):
    issuer.publish(**{"key-0": new_key(0)})
    run_rotations(start(LR_JWKS_FILE=issuer.file), issuer, shared_cluster, refresh=lambda: None)


def test_rotation_of_keys_at_an_address(start, issuer, key_server, shared_cluster):
    """SIGHUP fetches them at once; without it the service fetches when it meets an unknown key."""
    issuer.publish(**{"key-0": new_key(0)})
    instance = start(LR_JWKS_URL=key_server.url)
    asked = key_server.asked
    issuer.publish(**issuer.keys, **{"key-unasked": new_key(1)})
    by_itself = seconds_until(lambda: status_with(instance, token(issuer, "key-unasked")) == 200, 5)
    for _ in range(50):  # unknown keys must not cause a fetch for every request
        assert status_with(instance, issuer.token("stranger", key=new_key(0))) == 401
    assert key_server.asked == asked + 1
    print(f"\na new key at the address is found by itself after {by_itself:.2f} s")
    issuer.publish(**{"key-0": issuer.keys["key-0"]})
    run_rotations(instance, issuer, shared_cluster, refresh=lambda: instance.signal(1))


def test_a_failing_issuer_does_not_remove_keys(start, issuer, key_server, shared_cluster):
    issuer.publish(**{"key-0": new_key(0)})
    instance = start(LR_JWKS_URL=key_server.url)
    with Load(instance, lambda: token(issuer, "key-0"), 4) as load:
        for status in (500, 404):
            asked, key_server.status = key_server.asked, status
            instance.signal(1)
            seconds_until(lambda: key_server.asked > asked, 5)
            time.sleep(0.3)
    assert [one for one in load.outcomes() if one.fault or one.status not in (200, 201)] == []
    assert '"keys":true' in instance.admin("/readyz")[1]
