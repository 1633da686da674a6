"""Requests are decided at their headers, their memory is limited, and silent connections are evicted."""
import contextlib
import json
import socket

import pytest

from client import AGENCY_SCOPES
from payloads import new_referral
from waiting import WATCHDOG_S, wait_until

ATTEMPTS = 100
LARGE = 4 << 20
JSON = "Content-Type: application/json"


def connect(port, address="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), timeout=WATCHDOG_S, source_address=(address, 0))


def head(method, target, *fields):
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def push_head(token, *fields, target="/v1/referrals"):
    return head("POST", target, f"Authorization: Bearer {token}", JSON, *fields)


def status_of(answer):
    """Returns the status of the first answer, or 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def all_of(link):
    """Returns everything that arrives until the other side closes."""
    received = b""
    while more := link.recv(65536):
        received += more
    return received


def one_of(link):
    """Reads one answer on a connection that stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += link.recv(65536) or pytest.fail(f"the connection ended after {received!r}")
    fields, _, body = received.partition(b"\r\n\r\n")
    if fields.startswith(b"HTTP/1.1 100"):
        return received
    length = next(int(line[15:]) for line in fields.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += link.recv(65536)
    return fields + b"\r\n\r\n" + body


LENGTH = f"Content-Length: {LARGE}"
REFUSALS = {
    "no token": (head("POST", "/v1/referrals/batch", JSON, LENGTH), 401),
    "a wrong token": (push_head("a.b.c", LENGTH), 401),
    "no route": (head("POST", "/nowhere", JSON, LENGTH), 404),
    "another method": (head("DELETE", "/v1/referrals", JSON, LENGTH), 405),
    "a method that only asks": (head("OPTIONS", "/v1/referrals", LENGTH), 204),
    "too long": (push_head("TOKEN", LENGTH), 413),
    "another media type": (
        head("POST", "/v1/referrals/batch", "Authorization: Bearer TOKEN", "Content-Type: text/plain", LENGTH), 415),
    "no scope": (push_head("TOKEN", LENGTH, target="/v1/cases"), 403),
    "no body taken": (head("GET", "/v1/problems", "Content-Length: 5"), 400),
    "a length in two ways": (push_head("TOKEN", LENGTH, "Transfer-Encoding: chunked"), 400),
    "chunks without a token": (head("POST", "/v1/referrals/batch", JSON, "Transfer-Encoding: chunked"), 401),
    "a HEAD with a body": (head("HEAD", "/v1/problems", "Content-Length: 5"), 400),
}


@pytest.fixture
def few(caller):
    """A token with the scopes of an agency."""
    return caller("LA-S12000049", "admission", AGENCY_SCOPES).token


@pytest.mark.parametrize("name", REFUSALS)
def test_a_request_is_refused_before_the_first_byte_of_its_body(instance, few, name):
    data, status = REFUSALS[name]
    with connect(instance.port) as link:
        link.sendall(data.replace(b"TOKEN", few.encode()))
        answer = all_of(link)
    assert status_of(answer) == status and b"\r\nConnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def still_sending(port, data):
    """Returns the answer to a client that sends everything before it reads."""
    with connect(port) as link:
        link.sendall(data)
        return status_of(all_of(link))


@pytest.mark.parametrize("name", ["no token", "no route", "too long", "no scope"])
def test_a_client_that_is_still_sending_receives_the_refusal(instance, few, name):
    data, status = REFUSALS[name]
    data = data.replace(b"TOKEN", few.encode()) + b" " * LARGE
    assert [still_sending(instance.port, data) for _ in range(ATTEMPTS)] == [status] * ATTEMPTS


def test_a_client_over_its_rate_receives_429_while_it_is_still_sending(extra_instance, caller):
    narrow = extra_instance(LR_RATE_LIMIT=1, LR_RATE_WINDOW_SECONDS=3600)
    sender = caller("LA-S12000049", "hasty", AGENCY_SCOPES, narrow)
    sender.send("listReferrals").expect(200)
    data = push_head(sender.token, LENGTH, target="/v1/referrals/batch") + b" " * LARGE
    assert [still_sending(narrow.port, data) for _ in range(ATTEMPTS)] == [429] * ATTEMPTS
    narrow.stop()  # other tests need its database connections


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_client_gets_no_100_continue(instance, few, name):
    data, status = REFUSALS[name]
    data = data.replace(b"TOKEN", few.encode())[:-2] + b"Expect: 100-continue\r\n\r\n"
    with connect(instance.port) as link:
        link.sendall(data)
        assert status_of(all_of(link)) == status


def test_an_admitted_client_gets_100_continue(instance, few):
    body = json.dumps(new_referral()).encode()
    with connect(instance.port) as link:
        link.sendall(push_head(few, f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert one_of(link) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(body)
        assert status_of(one_of(link)) == 201


def test_bytes_after_a_refused_body_are_not_read_as_a_request(instance, few):
    smuggled = push_head(few, "Content-Length: 2") + b"{}"
    with connect(instance.port) as link:
        link.sendall(head("POST", "/v1/referrals", JSON, f"Content-Length: {len(smuggled)}") + smuggled)
        assert all_of(link).count(b"HTTP/1.1 ") == 1


def test_a_refusal_without_a_body_keeps_the_connection(instance):
    with connect(instance.port) as link:
        for target, status in (("/nowhere", 404), ("/v1/me", 401), ("/v1/problems", 200)):
            link.sendall(head("GET", target))
            assert status_of(one_of(link)) == status


def chunks(size, count):
    return (b"%x\r\n" % size + b" " * size + b"\r\n") * count


def test_chunks_over_the_limit_are_refused_and_the_connection_stays(instance, few):
    with connect(instance.port) as link:
        link.sendall(push_head(few, "Transfer-Encoding: chunked") + chunks(1, 65537) + b"0\r\n\r\n")
        assert status_of(one_of(link)) == 413
        link.sendall(head("GET", "/v1/problems"))
        assert status_of(one_of(link)) == 200


def test_chunks_of_one_byte_make_a_body(instance, few):
    body = b"".join(chunks(1, 1).replace(b" ", bytes([each])) for each in json.dumps(new_referral()).encode())
    with connect(instance.port) as link:
        link.sendall(push_head(few, "Transfer-Encoding: chunked") + body + b"0\r\n\r\n")
        assert status_of(one_of(link)) == 201


def test_chunks_without_end_are_cut_off(instance, few):
    with connect(instance.port) as link, contextlib.suppress(ConnectionError):
        link.sendall(push_head(few, "Transfer-Encoding: chunked"))
        while True:
            link.sendall(chunks(65536, 16))


def test_chunks_for_an_operation_without_a_body_are_refused(instance, few):
    for body, status in ((b"0\r\n\r\n", 200), (b"1\r\n \r\n0\r\n\r\n", 400)):
        with connect(instance.port) as link:
            link.sendall(head("GET", "/v1/problems", "Transfer-Encoding: chunked") + body)
            assert status_of(one_of(link)) == status


# libmicrohttpd does not notice an end that arrives together with data: such a body counts until LR_REQUEST_SECONDS,
# which must be less than the watchdog's time.
NO_BODY = "no body is in memory"
SMALL = {"LR_BODY_MEMORY_MIB": 16, "LR_REQUEST_SECONDS": 20}


def held(instance):
    return instance.figure("http_body_memory_bytes")


def test_bodies_over_the_memory_budget_are_refused_until_some_is_free(extra_instance, caller):
    """Three quarters of 16 MiB are enough for two bodies of 4 MiB from one client; the service still serves another
    client."""
    small = extra_instance(**SMALL)
    sender = caller("LA-S12000049", "large", AGENCY_SCOPES, small)
    data = push_head(sender.token, LENGTH, target="/v1/referrals/batch")
    with connect(small.port) as first, connect(small.port) as second, connect(small.port) as third:
        for link in (first, second):
            link.sendall(data + b" ")
        wait_until(lambda: held(small) > 2 * LARGE, "both bodies are in memory")
        third.sendall(data)
        refusal = all_of(third)
        assert status_of(refusal) == 503 and b"\r\nRetry-After: 1\r\n" in refusal and b'"overloaded"' in refusal
        assert small.figure("http_body_memory_refused_total") == 1
        assert caller("HB-S08000031", "other", AGENCY_SCOPES, small).send("pushReferral", new_referral()).status == 201
    wait_until(lambda: held(small) == 0, NO_BODY)
    assert sender.send("pushReferrals", [new_referral()]).status == 207
    small.stop()  # other tests need its database connections


def test_chunks_take_memory_as_they_grow(extra_instance, caller):
    small = extra_instance(**SMALL)
    sender = caller("LA-S12000049", "growing", AGENCY_SCOPES, small)
    data = push_head(sender.token, "Transfer-Encoding: chunked", target="/v1/referrals/batch") + chunks(65536, 60)
    with contextlib.ExitStack() as links:
        for _ in range(4):
            links.enter_context(connect(small.port)).sendall(data)
        wait_until(lambda: small.figure("http_body_memory_refused_total") > 0, "a body is refused")
        assert held(small) <= 12 << 20
    wait_until(lambda: held(small) == 0, NO_BODY)
    small.stop()  # other tests need its database connections


@pytest.mark.parametrize("media_type, piece", [("application/json", b"[" + b'{"a":{}},' * 50000 + b"{}]"),
                                               ("application/x-ndjson", b"{}\n" * 90000)])
def test_a_document_over_a_clients_share_is_always_refused(extra_instance, caller, media_type, piece):
    small = extra_instance(LR_BODY_MEMORY_MIB=16)
    sender = caller("LA-S12000049", "costly", AGENCY_SCOPES, small)
    reply = sender.send("pushReferrals", data=piece, media_type=media_type)
    assert (reply.status, reply.code) == (413, "body_too_large") and "12 MiB" in reply["detail"]
    assert held(small) == 0
    small.stop()  # other tests need its database connections


def test_half_open_requests_do_not_block_the_admin_port(instance):
    with contextlib.ExitStack() as links:
        for _ in range(100):
            link = links.enter_context(connect(instance.admin_port))
            with contextlib.suppress(ConnectionError):
                link.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: ")
        assert [instance.admin(path)[0] for path in ("/livez", "/readyz", "/metrics")] == [200, 200, 200]


def test_a_body_does_not_block_the_admin_port(instance):
    with connect(instance.admin_port) as link:
        link.sendall(head("POST", "/livez", "Content-Length: 9"))
        assert status_of(all_of(link)) == 200


def test_silent_connections_are_evicted(extra_instance):
    """More connections than allowed, from addresses that are not proxies: each new one evicts a silent one."""
    crowded = extra_instance(LR_CONNECTION_LIMIT=32)
    with contextlib.ExitStack() as links:
        for number in range(200):
            links.enter_context(connect(crowded.port, f"127.0.0.{2 + number % 5}"))
        for address in ("127.0.0.1", "127.0.0.100"):
            with connect(crowded.port, address) as link:
                link.sendall(head("GET", "/v1/problems"))
                assert status_of(one_of(link)) == 200
    evicted, refused = (crowded.figure(f"http_connections_{name}_total") for name in ("evicted", "refused"))
    assert evicted > 0 and evicted + refused >= 200 - 32
    crowded.stop()  # other tests need its database connections


def test_connections_are_reserved_for_trusted_proxies(extra_instance, caller):
    """Connections with a request in progress are not evicted; an eighth of 32 is free when others have reached their
    limit."""
    crowded = extra_instance(LR_CONNECTION_LIMIT=32, LR_WORKERS=2)
    sender = caller("LA-S12000049", "many", AGENCY_SCOPES, crowded)
    with contextlib.ExitStack() as links:
        for _ in range(28):
            link = links.enter_context(connect(crowded.port, "127.0.0.2"))
            link.sendall(push_head(sender.token, "Content-Length: 60000", "Expect: 100-continue"))
            assert one_of(link).startswith(b"HTTP/1.1 100")
        with connect(crowded.port, "127.0.0.3") as link, contextlib.suppress(ConnectionError):
            assert all_of(link) == b""
        for _ in range(4):
            link = links.enter_context(connect(crowded.port))
            link.sendall(head("GET", "/v1/problems"))
            assert status_of(one_of(link)) == 200
    crowded.stop()  # other tests need its database connections


@pytest.mark.parametrize("data", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_connection_without_complete_headers_is_closed_long_before_an_idle_one(extra_instance, data):
    strict = extra_instance(LR_HEADER_SECONDS=1, LR_IDLE_SECONDS=600, LR_REQUEST_SECONDS=600)
    with connect(strict.port) as link, contextlib.suppress(ConnectionError):
        link.sendall(data)
        assert all_of(link) == b""
    strict.stop()  # other tests need its database connections
