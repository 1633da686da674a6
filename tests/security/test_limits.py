"""Every row of the table of limits (deploy/README.md) has a test that fails when the limit is missing."""
import ast
import concurrent.futures
import contextlib
import json
import re
import signal
import socket
import threading
import time

import pytest
import urllib3

from client import ALL_SCOPES, Client
from cluster import DATABASE
from contract_reader import ROOT
from payloads import new_case, new_referral
from service import Instance
from sql_patches import function_body
from tokens import make_token
from waiting import WATCHDOG_S, wait_until

PUSH = (b"POST /v1/referrals HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\n"
        b"Content-Type: application/json\r\n")
COVERED = {}
# Rows whose tests are next to those of their subject.
ELSEWHERE = {
    "connections of one address, unless of `LR_TRUSTED_PROXIES`":
        "tests/integration/test_operation.py::test_connections_of_an_address_are_limited_unless_it_is_trusted",
    "descriptors of the process": "tests/process/test_descriptors.py::test_the_service_recovers_from_a_flood_of_connections",
    "one request, from its headers until answered":
        "tests/security/test_limits.py::test_slow_clients_are_closed_while_others_are_served",
    "headers of a request": "tests/security/test_limits.py::test_slow_clients_are_closed_while_others_are_served",
    "memory of bodies, documents and answers":
        "tests/integration/test_admission.py::test_bodies_over_the_memory_budget_are_refused_until_some_is_free",
    "body of a request that is refused at its headers":
        "tests/integration/test_admission.py::test_a_client_that_is_still_sending_receives_the_refusal",
    "silence of the database":
        "tests/process/test_database_away.py::test_a_hanging_database_blocks_requests_for_a_limited_time",
    "requests of one client; of one organisation":
        "tests/integration/test_operation.py::test_the_clients_of_an_organisation_share_its_quota",
    "webhooks of an organisation":
        "tests/integration/test_webhooks.py::test_an_organisation_has_at_most_twenty_webhooks",
    "events under way to one webhook":
        "tests/integration/test_webhooks.py::test_at_most_four_events_are_in_flight_to_a_webhook",
    "events that wait for one webhook":
        "tests/integration/test_webhooks.py::test_a_webhook_has_at_most_a_thousand_pending_events",
    "one attempt to send an event":
        "tests/integration/test_webhooks.py::test_a_receiver_that_does_not_answer_is_given_up_after_ten_seconds",
    "answer of a webhook's receiver":
        "tests/integration/test_webhooks.py::test_an_endless_response_body_counts_as_accepted",
    "repetitions of an event":
        "tests/integration/test_webhooks.py::test_after_three_days_an_event_fails_and_the_next_one_is_sent",
    "audit trail":
        "tests/integration/test_audit_chain.py::test_expired_entries_are_removed_and_the_chain_stays_whole",
    "key set of the issuer":
        "tests/integration/test_production.py::test_a_key_set_with_only_a_weak_key_is_refused",
}


def limit(row):
    def mark(function):
        COVERED[row] = function.__name__
        return function
    return mark


def rows():
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8").split("\n## Limits")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in text.splitlines()[4:] if line.startswith("|")]


def test_every_row_has_a_test():
    for place in ELSEWHERE.values():
        file, _, name = place.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, place
    assert len(rows()) > 15 and set(rows()) == set(COVERED) | set(ELSEWHERE)


@pytest.fixture
def other_instance(cluster, keys, recorder):
    """Starts an instance with its own settings, and callers of it."""
    made = []

    def make(organisation="LA-S12000049", **settings):
        instance = Instance(cluster, keys, **settings)
        made.append(instance)
        instance.start()
        return instance, Client(instance.url, instance.token(organisation, "limits", ALL_SCOPES), recorder)
    yield make
    for each in made:
        each.stop()


def padded(document, size):
    text = json.dumps(document).encode()
    return text + b" " * (size - len(text))


@limit("request body")
def test_a_body(agency):
    single = [agency.send("pushReferral", data=padded(new_referral(), size)).status for size in (65536, 65537)]
    batch = [agency.send("pushReferrals", data=padded([new_referral()], size)).status for size in (4 << 20, (4 << 20) + 1)]
    assert (single, batch) == ([201, 413], [207, 413])


@limit("batch")
def test_a_batch(agency):
    replies = [agency.send("pushReferrals", [{}] * count) for count in (1000, 1001, 0)]
    assert [(reply.status, reply.code) for reply in replies[1:]] == [(400, "schema_violation")] * 2
    assert replies[0].status == 207


@limit("JSON document")
def test_a_json_document(agency):
    deep = [agency.send("pushReferral", data=b"[" * depth + b"]" * depth).code for depth in (32, 33)]
    wide = [agency.send("pushReferrals", data=b"[" + b"1," * count + b"1]").code for count in (199_000, 200_001)]
    assert deep == wide == ["schema_violation", "malformed_json"]


@limit("encoded (compressed) request bodies")
def test_an_encoded_body(agency):
    assert agency.send("pushReferral", new_referral(), headers={"Content-Encoding": "gzip"}).code == "media_type_unsupported"


@limit("page; query string")
def test_a_page_and_a_query(agency):
    pages = [agency.send("listReferrals", query=f"limit={size}").code if size != 200 else
             agency.send("listReferrals", query="limit=200").status for size in (0, 200, 201)]
    queries = [agency.send("listReferrals", query="&".join(f"a{n}=1" for n in range(count))).code for count in (50, 51)]
    assert pages == ["invalid_parameter", 200, "invalid_parameter"]
    assert queries == ["unknown_parameter", "invalid_parameter"]


def raw(instance, target="/v1/problems", fields=()):
    """Returns status and body of a request sent by hand; nothing when the connection ends without an answer."""
    with socket.create_connection(("127.0.0.1", instance.port), timeout=WATCHDOG_S) as link:
        lines = [f"GET {target} HTTP/1.1", "Host: a", "Connection: close", *fields]
        link.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        answer = b""
        with contextlib.suppress(ConnectionError):
            while more := link.recv(65536):
                answer += more
    return int(answer.split()[1]) if answer else 0, answer.partition(b"\r\n\r\n")[2]


@limit("address; headers")
def test_an_address_and_the_number_of_headers(instance):
    addresses = [raw(instance, "/nowhere/" + "a" * (size - len("/nowhere/")))[0] for size in (4096, 4097)]
    headers = [raw(instance, fields=[f"X-{n}: a" for n in range(count - 2)])[0] for count in (100, 101)]
    assert (addresses, headers) == ([404, 400], [200, 400])


@limit("first line and headers together")
def test_the_size_of_all_headers(instance):
    assert raw(instance, fields=["X-Long: " + "a" * 12_000])[0] == 200
    assert raw(instance, fields=["X-Long: " + "a" * 20_000])[0] in (414, 431)


def sign(keys, size):
    """Makes a valid token of about that size."""
    return next(token for length in range(size)
                if len(token := make_token(keys.token_secret, pad="a" * length)) >= size)


@limit("token")
def test_a_token(agency, keys):
    fits, long = sign(keys, 4090), sign(keys, 4104)
    assert len(fits) <= 4096 < len(long)
    assert [agency.at(agency.url, token).send("listReferrals").status for token in (fits, long)] == [200, 401]


@limit("`Idempotency-Key`")
def test_an_idempotency_key(agency):
    assert [agency.send("pushReferral", new_referral(), key="k" * size).status for size in (128, 129)] == [201, 400]


@limit("faults reported at once")
def test_the_number_of_faults(agency):
    assert len(agency.send("pushReferral", new_referral(children=[{"surprise": 1}] * 20, **{
        f"x{n}": 1 for n in range(100)}))["errors"]) == 100
    faulty = [{f"x{n}": 1 for n in range(100)}] * 100
    counts = [len(item["problem"]["errors"]) for item in agency.send("pushReferrals", faulty).expect(207)["items"]]
    assert counts == [100] * 20 + [1] * 80


def is_kept(link):
    """Returns whether the request gets a successful answer; reads the whole answer."""
    try:
        link.sendall(b"GET /v1/problems/not_found HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = link.recv(65536)
        while answer and len(answer.partition(b"\r\n\r\n")[2]) < int(
                re.search(rb"(?i)content-length: *(\d+)", answer + b"Content-Length: 1")[1]):
            answer += link.recv(65536)
        return answer.startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


@limit("client connections")
def test_connections_in_all(other_instance):
    """At the limit nothing hangs either: connected clients are served, and so are new ones after one has left."""
    instance, _ = other_instance(LR_CONNECTION_LIMIT=16, LR_WORKERS=4)
    for _ in range(3):
        links = [socket.create_connection(("127.0.0.1", instance.port), timeout=WATCHDOG_S) for _ in range(60)]
        kept = [link for link in links if is_kept(link)]
        assert len(kept) == 16 and all(is_kept(link) for link in kept)
        for link in links:
            link.close()
        wait_until(lambda: instance.figure("http_connections") == 1, "only the connection that asks is left")
    assert "LR_CONNECTION_LIMIT" in instance.log_text()
    assert instance.stop() == 0


def test_connections_to_the_admin_port(other_instance):
    """There are 32 of them; when they are closed it answers as before."""
    instance, _ = other_instance(LR_IDLE_SECONDS=2)
    links = [socket.create_connection(("127.0.0.1", instance.admin_port), timeout=WATCHDOG_S) for _ in range(60)]
    for link in links:
        link.close()
    wait_until(lambda: instance.admin("/livez")[0] == 200, "the admin port answers")
    assert instance.stop() == 0


@limit("silence on a connection")
def test_a_silent_connection(brief):
    """LR_IDLE_SECONDS is 4 here."""
    with socket.create_connection(("127.0.0.1", brief.port), timeout=WATCHDOG_S) as link:
        began = time.monotonic()
        assert is_kept(link)
        while link.recv(65536):
            pass
        assert time.monotonic() - began >= 4  # clock: a lower bound, which is valid on a slow machine, too


def trickle(links, piece, enough):
    """Sends one more byte on each connection, repeatedly."""
    while not enough.wait(0.05):
        for link in links:
            with contextlib.suppress(OSError):
                link.send(piece)


def is_served(client):
    """Returns whether twenty requests of a client are answered; a machine that hangs may make one of them slow, too."""
    try:
        return {client.send("listStages").status for _ in range(20)} == {200}
    except urllib3.exceptions.HTTPError:
        return False


@pytest.mark.parametrize("head, piece", [
    (b"GET /v1/problems HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"a"),
    (PUSH + b"Content-Length: 60000\r\n\r\n", b" "),
    (PUSH + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    (b"G", b"E")], ids=["headers", "body", "chunks", "method"])
def test_slow_clients_are_closed_while_others_are_served(brief, agency, committee, head, piece):
    """Headers may take 3 s here, and so may a request after them."""
    links = [socket.create_connection(("127.0.0.1", brief.port), timeout=WATCHDOG_S) for _ in range(200)]
    enough = threading.Event()
    trickler = threading.Thread(target=trickle, args=(links, piece, enough))
    try:
        for link in links:
            link.sendall(head.replace(b"TOKEN", agency.token.encode()))
        trickler.start()
        wait_until(lambda: is_served(committee.at(brief.url)), "another client is served")
        for link in links:
            with contextlib.suppress(ConnectionError):
                while link.recv(4096):
                    pass
    finally:
        enough.set()
        trickler.join()
        for link in links:
            link.close()


def test_a_body_over_every_limit_is_refused_at_once(agency):
    body = json.dumps(new_referral()).encode() + b" " * (5 << 20)
    reply = agency.send("pushReferral", data=body)
    assert (reply.status, reply.code) == (413, "body_too_large")


@limit("wait for a database connection")
def test_the_wait_for_a_database_connection(other_instance, cluster, in_threads):
    """The only connection waits for a lock for a second; another request waits half a second for the connection."""
    instance, client = other_instance(LR_CONNECTIONS=1)

    def refused():
        """Returns the answer to the request that got no connection; None when the lock wait was over before."""
        referral = client.send("pushReferral", new_referral()).expect(201)
        with cluster.holding("select from register.referral where id = %s for update", [referral["id"]]) as holder:
            first = in_threads(client.send, "withdrawReferral", {"reason": "other"}, id=referral["id"],
                               if_match=referral.etag)
            cluster.wait_for_waiter(holder, unless=[first])
            reply = client.send("listReferrals")
            waits = not first.done()
        first.result()
        return reply if waits else None
    reply = wait_until(refused, "a request is answered while another one holds the connection")
    assert (reply.status, reply.code) == (503, "overloaded")
    assert int(reply.headers["Retry-After"]) >= 1


@limit("lock, statement in the database")
def test_a_lock_and_a_statement(other_instance, cluster):
    """The answer arrives while the lock is held, or while the statement would still run."""
    instance, sender = other_instance()
    committee = Client(instance.url, instance.token("CPC-GLA", "limits", ALL_SCOPES), sender.recorder)
    for pool, size in (("pushes", 2), ("requests", 12)):  # later connections would wait for the lock, too
        wait_until(lambda: instance.figure(f'database_pool_connected{{pool="{pool}"}}') == size, f"{pool} are connected")
    sender.send("getPrincipal").expect(200)  # the contract is loaded by now
    with cluster.holding("lock table register.referral, register.review_case in exclusive mode"):
        pushed = sender.send("pushReferral", new_referral())
        opened = committee.send("openCase", new_case())
    assert (pushed.status, pushed.code) == (409, "idempotency_in_flight")
    assert (opened.status, opened.code) == (503, "overloaded")
    body = "begin perform pg_sleep(600); return null; end"  # clock: longer than the watchdog
    with function_body(cluster, "case_create", body):
        reply = committee.send("openCase", new_case())
    assert (reply.status, reply.code) == (503, "overloaded")


@limit("transaction left open")
def test_a_transaction_left_open(other_instance, cluster, in_threads):
    """The service hangs in the middle of one: PostgreSQL ends it, and its locks with it."""
    instance, client = other_instance()
    referral = client.send("pushReferral", new_referral()).expect(201)

    def are_open(count):
        return cluster.execute("select count(*) = %s from pg_stat_activity where usename = 'register_service' "
                               "and state like 'idle in transaction%%'", [count])[0][0]
    try:
        with cluster.holding("select from register.referral where id = %s for update", [referral["id"]]) as holder:
            answer = in_threads(client.send, "withdrawReferral", {"reason": "other"}, id=referral["id"],
                                if_match=referral.etag, key="left-open")
            assert cluster.wait_for_waiter(holder)
            instance.signal(signal.SIGSTOP)
        wait_until(lambda: are_open(1), "the transaction is left open")
        wait_until(lambda: are_open(0), "PostgreSQL has ended it")
    finally:
        instance.signal(signal.SIGCONT)
    assert answer.result(timeout=WATCHDOG_S).status in (201, 503)


@pytest.fixture
def in_threads():
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        yield pool.submit
