"""Messages that are not quite HTTP, or that two programs could read in two ways."""
import json

import pytest

from documents import new_number, new_referral
from raw import exchange, request, status_of
from steps import walk


@pytest.fixture
def send(agency, instance):
    """Sends a push with its length and further header fields given by hand."""
    def make(*fields, body=None, method="POST", target="/v1/referrals", shut=False):
        body = json.dumps(new_referral()).encode() if body is None else body
        return status_of(exchange(instance.port, request(
            method, target, f"Authorization: Bearer {agency.token}",
            "Content-Type: application/json", *fields, body=body), shut))
    return make


def length(body):
    return f"Content-Length: {len(body)}"


def chunked(body):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


BODY = json.dumps(new_referral()).encode()


def test_a_message_by_hand_is_taken(send):
    assert send(length(BODY), body=BODY) in (200, 201)


def test_a_body_in_chunks_is_taken(send):
    assert send("Transfer-Encoding: chunked", body=chunked(BODY)) in (200, 201)


@pytest.mark.parametrize("fields", [
    ("Content-Length: 5", "Content-Length: 6"), ("Content-Length: -1",), ("Content-Length: 0x10",),
    ("Content-Length: +5",), ("Content-Length: 5, 5",), ("Content-Length: 99999999999999999999",),
    ("Transfer-Encoding: chunked", "Content-Length: 5"), ("Transfer-Encoding: gzip, chunked",),
    ("Transfer-Encoding: identity",), ("Transfer-Encoding: xchunked",)])
def test_a_length_stated_in_two_ways_is_refused(send, fields):
    assert send(*fields, body=BODY, shut=True) in (0, 400, 413, 501)


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Idempotency-Key", "Host"])
def test_a_header_that_may_come_once_is_refused_twice(send, name):
    assert send(length(BODY), f"{name}: a", f"{name}: b", body=BODY) in (400, 401)


def test_a_truncated_body_stores_nothing(send, agency):
    system = new_number("truncated")
    body = json.dumps(new_referral(source_system=system)).encode()
    assert send(f"Content-Length: {len(body) + 10}", body=body, shut=True) in (0, 400)
    assert walk(agency, "listReferrals", f"source_system={system}") == []


def test_truncated_chunks_store_nothing(send, agency):
    system = new_number("truncated")
    body = json.dumps(new_referral(source_system=system)).encode()
    assert send("Transfer-Encoding: chunked", body=chunked(body)[:-5], shut=True) in (0, 400)
    assert walk(agency, "listReferrals", f"source_system={system}") == []


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                                  b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\nHost\r\n\r\n",
                                  b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 100])
def test_what_is_not_http_is_refused(instance, data):
    assert status_of(exchange(instance.port, data, shut=True)) in (0, 400, 505)


def test_an_address_that_is_too_long_is_refused(send):
    assert send(method="GET", target="/v1/referrals?cursor=" + "A" * 8000, body=b"") in (400, 414)


def test_headers_that_are_too_many_are_refused(send):
    assert send(*(f"X-{number}: a" for number in range(150)), method="GET", body=b"") in (400, 431)


def test_headers_that_are_too_long_are_refused(send):
    assert send("X-Long: " + "a" * 40000, method="GET", body=b"") in (400, 431)


def test_a_get_with_a_body_is_refused(send):
    assert send(length(BODY), method="GET", body=BODY) == 400


def test_a_head_gets_no_body(instance):
    answer = exchange(instance.port, request("HEAD", "/v1/problems"))
    assert answer.partition(b"\r\n\r\n")[2] == b""


@pytest.mark.parametrize("target", ["/v1/../v1/me", "/v1/%2e%2e/v1/me", "/v1//me", "/v1/me/",
                                    "/v1%2fme", "/v1/me%00", "/v1/m%65%20", "http://x/v1/me"])
def test_an_address_in_disguise_reaches_nothing(instance, target):
    assert status_of(exchange(instance.port, request("GET", target))) in (400, 401, 404)


def test_two_requests_on_one_connection_get_their_own_answers(instance):
    first = b"GET /v1/problems/not_found HTTP/1.1\r\nHost: a\r\n\r\n"
    answers = exchange(instance.port, first + request("GET", "/v1/problems/version_stale"))
    assert answers.count(b"HTTP/1.1 200") == 2
    assert answers.index(b'"not_found"') < answers.index(b'"version_stale"')
