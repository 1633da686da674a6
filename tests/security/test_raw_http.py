"""Malformed messages on the wire: each case with the exact answer.

CLOSED means that the connection is closed without an answer, SILENT that it waits for more until it is closed for being
idle, which the service of these cases does not do. libmicrohttpd 0.9.75 decides cases marked "library" before our
handler is called: they are listed so that a version of the library that differs fails here.
"""
import json
import random
import socket
import struct

import pytest

from payloads import new_number, new_referral
from scenarios import walk
from waiting import WATCHDOG_S

CLOSED, SILENT = "closed", "silent"
HOST = b"Host: a\r\n"
END = b"Connection: close\r\n\r\n"


def get(target=b"/v1/problems", fields=b"", version=b"HTTP/1.1", host=HOST):
    return b"GET " + target + b" " + version + b"\r\n" + host + fields + END


def post(fields, body=b"{}", target=b"/v1/referrals"):
    return (b"POST " + target + b" HTTP/1.1\r\n" + HOST + b"Authorization: Bearer TOKEN\r\n"
            b"Content-Type: application/json\r\n" + fields + END + body)


LENGTH = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
# name: (bytes, the answers: the statuses of all answers on the connection, or CLOSED or SILENT)
CASES = {
    # --- the baseline: these two are well-formed, so that the others prove something
    "a proper read": (get(), [200]),
    "a proper write that breaks the contract": (post(LENGTH), [400]),
    # --- request line
    "no version": (b"GET /v1/problems\r\n" + HOST + END, [400]),
    # the library skips spaces
    "two blanks before the target": (b"GET  /v1/problems HTTP/1.1\r\n" + HOST + END, [200]),
    "a tab for a blank": (b"GET\t/v1/problems\tHTTP/1.1\r\n" + HOST + END, CLOSED),
    "a blank in the target": (get(b"/v1/prob lems"), CLOSED),
    "a blank after the version": (b"GET /v1/problems HTTP/1.1 \r\n" + HOST + END, [400]),
    "HTTP/0.9": (b"GET /v1/problems\r\n\r\n", [400]),
    "HTTP/1.0": (get(version=b"HTTP/1.0"), [200]),
    # the library reads it as 1.1
    "HTTP/1.2": (get(version=b"HTTP/1.2"), [200]),
    "HTTP/2.0": (get(version=b"HTTP/2.0"), [505]),
    "HTTP/11.1": (get(version=b"HTTP/11.1"), [400]),
    "lower-case version": (get(version=b"http/1.1"), [400]),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    "a TLS greeting": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(160), SILENT),
    "lower-case method": (b"get /v1/problems HTTP/1.1\r\n" + HOST + END, [405]),
    "an unknown method": (b"BREW /v1/problems HTTP/1.1\r\n" + HOST + END, [405]),
    "a very long method": (b"A" * 9000 + b" / HTTP/1.1\r\n" + HOST + END, [405]),
    "a method of bytes": (b"G\xffT /v1/problems HTTP/1.1\r\n" + HOST + END, [405]),
    "TRACE": (b"TRACE /v1/problems HTTP/1.1\r\n" + HOST + END, [405]),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\n" + HOST + END, [404]),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + END, [404]),
    "only line ends": (b"\r\n\r\n\r\n", SILENT),
    "line ends before a request": (b"\r\n\r\n" + get(), [200]),
    "nothing but NUL": (bytes(64), SILENT),
    # ours: the method ends at the NUL and is unknown
    "a NUL in the method": (b"G\0ET /v1/problems HTTP/1.1\r\n" + HOST + END, [405]),
    # --- target
    "absolute form": (get(b"http://a/v1/problems"), [404]),
    "absolute form of another host": (get(b"http://b.example/v1/me"), [404]),
    "authority form": (get(b"a:80"), [404]),
    "no slash": (get(b"v1/problems"), [404]),
    "two slashes": (get(b"//v1/problems"), [404]),
    "a slash at the end": (get(b"/v1/problems/"), [404]),
    "a dot segment": (get(b"/v1/./problems"), [404]),
    "two dots": (get(b"/v1/x/../problems"), [404]),
    "escaped dots": (get(b"/v1/%2e%2e/v1/problems"), [404]),
    "an escaped slash": (get(b"/v1%2fproblems"), [404]),
    "a backslash": (get(b"/v1\\problems"), [404]),
    "a needless escape": (get(b"/v1/%70roblems"), [404]),
    "an escaped NUL": (get(b"/v1/problems%00"), [404]),
    # library: the target ends at the NUL
    "a raw NUL in the target": (get(b"/v1/problems\0x"), [200]),
    "a bad escape": (get(b"/v1/problems/%zz"), [404]),
    "half an escape": (get(b"/v1/problems/%4"), [404]),
    "raw bytes in the target": (get(b"/v1/problems/\xff\xfe"), [404]),
    "escaped bytes that are no UTF-8": (get(b"/v1/problems/%ff%fe"), [404]),
    "an overlong escape": (get(b"/v1/problems/%c0%af"), [404]),
    "an escaped line end": (get(b"/v1/problems/%0d%0aSet-Cookie:%20a=b"), [404]),
    "a fragment": (get(b"/v1/problems#x"), [404]),
    "a semicolon": (get(b"/v1/problems;a=b"), [404]),
    "conversion marks in the path": (get(b"/%25n%25n%25s%25s%25s"), [404]),
    "raw conversion marks": (get(b"/%n%s%x%d"), [404]),
    "a target of 4096 bytes": (get(b"/" + b"a" * 4095), [404]),
    "a target of 4097 bytes": (get(b"/" + b"a" * 4096), [400]),
    "a target of 40,000 bytes": (get(b"/" + b"a" * 40000), [414]),
    "a query of two question marks": (get(b"/v1/problems??a=b"), [400]),
    "51 parameters": (get(b"/v1/problems?" + b"&".join(b"a%d=1" % n for n in range(51))), [400]),
    # the library would have no memory for 250: it never gets a query
    "251 parameters": (get(b"/v1/problems?" + b"&".join(b"a" for _ in range(251))), [400]),
    "1900 parameters": (get(b"/v1/problems?" + b"&".join(b"a" for _ in range(1900))), [400]),
    "1900 parameters at an unknown address": (get(b"/v1/x?" + b"&".join(b"a=1" for _ in range(1000))), [404]),
    "6,000 parameters": (get(b"/v1/problems?" + b"&".join(b"a" for _ in range(6000))), [400]),
    # --- header fields
    # library: it sends the head of its own answer twice
    "no Host": (get(host=b""), [400, 400]),
    "an empty Host": (get(host=b"Host:\r\n"), [200]),
    "a Host with a port": (get(host=b"Host: a.example:8080\r\n"), [200]),
    "a Host of IPv6": (get(host=b"Host: [::1]:8080\r\n"), [200]),
    "a Host with a blank": (get(host=b"Host: a b\r\n"), [400]),
    "a Host with a path": (get(host=b"Host: a/b\r\n"), [400]),
    "a Host with a user": (get(host=b"Host: u@a\r\n"), [400]),
    "a Host that is an address": (get(host=b"Host: http://a/\r\n"), [400]),
    "a Host with half a bracket": (get(host=b"Host: [::1\r\n"), [400]),
    "a Host with letters for a port": (get(host=b"Host: a:b\r\n"), [400]),
    "a Host of bytes": (get(host=b"Host: \xff\r\n"), [400]),
    "a Host with quotes": (get(host=b'Host: "><x\r\n'), [400]),
    "two Hosts": (get(fields=b"Host: b\r\n"), [400]),
    "two Hosts in other cases": (get(fields=b"hOST: b\r\n"), [400]),
    "a blank before the colon": (get(fields=b"X-A : b\r\n"), [400]),
    "Content-Length with a blank before the colon": (post(b"Content-Length : 2\r\n"), [400]),
    "a field without a colon": (get(fields=b"nothing\r\n"), [400]),
    # library: the headers end there and the rest is read as the next request; a proxy in front must refuse it
    "a field without a name": (get(fields=b": b\r\n"), [200, 400]),
    "a field name with a slash": (get(fields=b"X/A: b\r\n"), [400]),
    "a field name of bytes": (get(fields=b"X-\xff: b\r\n"), [400]),
    # library: the continuation is dropped
    "a folded field": (get(fields=b"X-A: b\r\n c\r\n"), [200]),
    "a folded token": (get(b"/v1/me", fields=b"Authorization: Bearer\r\n x.y.z\r\n"), [401]),
    "a first field that is folded": (get(host=b" X: y\r\n" + HOST), [400]),
    # library: accepted like CR LF
    "line feeds only": (b"GET /v1/problems HTTP/1.1\nHost: a\nConnection: close\n\n", [200]),
    "a carriage return inside": (get(fields=b"X-A: b\rc\r\n"), [400]),
    "a control byte in a value": (get(fields=b"X-A: b\x01c\r\n"), [400]),
    "a control byte behind a token": (get(b"/v1/me", fields=b"Authorization: Bearer a.b.c\x1f\r\n"), [400]),
    "a DEL in a value": (get(fields=b"X-A: b\x7fc\r\n"), [400]),
    "a tab in a value": (get(fields=b"X-A: b\tc\r\n"), [200]),
    # library: the value ends at the NUL
    "a NUL in a value": (get(fields=b"X-A: b\0c\r\n"), [200]),
    "a NUL in a name": (get(fields=b"X-\0A: b\r\n"), [400]),
    "bytes in a value": (get(fields=b"X-A: \xff\xfe\x80\r\n"), [200]),
    "bytes in the token": (get(b"/v1/me", fields=b"Authorization: Bearer \xff\xfe\r\n"), [401]),
    "two tokens": (get(b"/v1/me", fields=b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), [400]),
    "two media types": (post(LENGTH + b"Content-Type: application/json\r\n"), [400]),
    "two keys": (post(LENGTH + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), [400]),
    "two tokens in other cases": (
        get(b"/v1/me", fields=b"Authorization: Bearer a\r\nAUTHORIZATION: Bearer b\r\n"), [400]),
    "100 fields": (get(fields=b"".join(b"X-%d: a\r\n" % n for n in range(98))), [200]),
    "101 fields": (get(fields=b"".join(b"X-%d: a\r\n" % n for n in range(99))), [400]),
    "2000 fields": (get(fields=b"".join(b"X-%d: a\r\n" % n for n in range(2000))), [431]),
    "a field of 40,000 bytes": (get(fields=b"X-A: " + b"b" * 40000 + b"\r\n"), [431]),
    "a field name of 40,000 bytes": (get(fields=b"X" * 40000 + b": b\r\n"), [431]),
    "100 cookies": (get(fields=b"Cookie: " + b"; ".join(b"a=1" for _ in range(100)) + b"\r\n"), [200]),
    # library: it parses cookies, which the service does not read, and has no memory for so many; a proxy removes them
    "300 cookies": (get(fields=b"Cookie: " + b"; ".join(b"a=1" for _ in range(300)) + b"\r\n"), CLOSED),
    "conversion marks in a field": (get(fields=b"X-Request-Id: %n%n%s\r\n"), [200]),
    "an upgrade": (get(fields=b"Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\n"), [200]),
    # --- framing
    "two lengths that agree": (post(LENGTH + LENGTH), [400]),
    "two lengths that differ": (post(LENGTH + b"Content-Length: 3\r\n"), [400]),
    # library, as above
    "two lengths in one field": (post(b"Content-Length: 2, 2\r\n"), [400, 400]),
    # library, as above
    "a negative length": (post(b"Content-Length: -2\r\n"), [400, 400]),
    "a length with a plus": (post(b"Content-Length: +2\r\n"), [400, 400]),
    "a length in hex": (post(b"Content-Length: 0x2\r\n"), [400, 400]),
    "a length of nothing": (post(b"Content-Length:\r\n"), [400, 400]),
    "a length beyond 64 bits": (post(b"Content-Length: 99999999999999999999\r\n"), [413, 413]),
    "a length of 64 bits": (post(b"Content-Length: 18446744073709551615\r\n"), [413]),
    "a length in two spellings": (post(LENGTH + b"content-length: 2\r\n"), [400]),
    "chunks": (post(CHUNKED, CHUNKS), [400]),
    "chunks and a length": (post(CHUNKED + LENGTH, CHUNKS), [400]),
    "a length and chunks": (post(LENGTH + CHUNKED, CHUNKS), [400]),
    "chunks twice": (post(CHUNKED + CHUNKED, CHUNKS), [400]),
    "chunks in a list": (post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS), [400]),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), [400]),
    "identity": (post(b"Transfer-Encoding: identity\r\n" + LENGTH), [400]),
    "xchunked": (post(b"Transfer-Encoding: xchunked\r\n", CHUNKS), [400]),
    "chunked with a tab before it": (post(b"Transfer-Encoding:\tchunked\r\n", CHUNKS), [400]),
    "chunked in capitals": (post(b"Transfer-Encoding: CHUNKED\r\n", CHUNKS), [400]),
    "chunked in quotes": (post(b'Transfer-Encoding: "chunked"\r\n', CHUNKS), [400]),
    "chunks in HTTP/1.0": (post(CHUNKED, CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0", 1), [400]),
    "a chunk with an extension": (post(CHUNKED, b"2;a=b\r\n{}\r\n0\r\n\r\n"), [400]),
    "a chunk with a sign": (post(CHUNKED, b"+2\r\n{}\r\n0\r\n\r\n"), [400]),
    "a chunk with 0x": (post(CHUNKED, b"0x2\r\n{}\r\n0\r\n\r\n"), [400]),
    "a chunk of bad size": (post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"), [400]),
    "a chunk beyond 64 bits": (post(CHUNKED, b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), [413]),
    "a chunk longer than its size": (post(CHUNKED, b"1\r\n{}\r\n0\r\n\r\n"), [400]),
    "chunks with line feeds only": (post(CHUNKED, b"2\n{}\n0\n\n"), [400]),
    "chunks with a trailer": (post(CHUNKED, b"2\r\n{}\r\n0\r\nX-Late: 1\r\n\r\n"), [400]),
    "a body on a GET": (get(fields=LENGTH) + b"{}", [400]),
    "chunks on a GET": (get(fields=CHUNKED) + CHUNKS, [400]),
    "a body that is cut off": (post(b"Content-Length: 20\r\n"), SILENT),
    "chunks that are cut off": (post(CHUNKED, b"2\r\n{}\r\n"), SILENT),
    "headers that are cut off": (b"GET /v1/problems HTTP/1.1\r\nHost: a\r\nX-A: b", SILENT),
    "100-continue": (post(LENGTH + b"Expect: 100-continue\r\n"), [400]),
    "another expectation": (post(LENGTH + b"Expect: magic\r\n"), [400]),
    # --- several requests on one connection
    "two in one go": (get().replace(END, b"\r\n") + get(), [200, 200]),
    "a second after a body": (post(LENGTH).replace(END, b"\r\n") + get(), [400, 200]),
    "bytes after the last": (get() + b"GARBAGE", [200]),
    "a smuggled request behind two lengths": (
        post(LENGTH + b"Content-Length: 0\r\n").replace(END, b"\r\n") + get(), [400]),
    "a smuggled request behind a blank": (
        post(b"Content-Length : 40\r\n", b"").replace(END, b"\r\n") + get(), [400]),
    "a smuggled request in chunks": (
        post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n").replace(END, b"\r\n") + get(), [400]),
}


def connect(instance):
    return socket.create_connection(("127.0.0.1", instance.port), timeout=WATCHDOG_S)


def receive(link):
    """Returns everything that arrives until the connection is closed."""
    received = b""
    try:
        while more := link.recv(65536):
            received += more
    except ConnectionError:
        pass
    return received


def send(link, data):
    """Sends as much as the other side reads."""
    try:
        link.sendall(data)
    except ConnectionError:
        pass


def is_answered(instance):
    """Sends a request on another connection; returns with its answer."""
    with connect(instance) as link:
        link.sendall(get())
        return receive(link).startswith(b"HTTP/1.1 200")


def is_open(link):
    """Returns whether no answer has arrived and the connection is open."""
    link.setblocking(False)
    try:
        link.recv(1)
        return False
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def statuses_of(answer):
    """Returns the statuses of the final answers in the bytes."""
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    return [each for each in statuses if each >= 200]


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_message_gets_its_exact_answer(instance, agency, name):
    data, expected = CASES[name]
    with connect(instance) as link:
        send(link, data.replace(b"TOKEN", agency.token.encode()))
        if expected == SILENT:
            assert is_answered(instance) and is_open(link)
        else:
            answer = receive(link)
            assert (statuses_of(answer) or CLOSED) == expected, answer


def test_an_incomplete_message_is_closed_in_time(brief, agency):
    """The service allows a request 3 s here, and 4 s of silence before it."""
    links = {}
    for name in (name for name, case in CASES.items() if case[1] == SILENT):
        links[name] = connect(brief)
        send(links[name], CASES[name][0].replace(b"TOKEN", agency.token.encode()))
    for name, link in links.items():
        with link:
            assert receive(link) == b"", name


LENGTH_IS = "Content-Length: {}\r\n"


def pushed(document, fields, framed):
    """Builds a push by hand; `framed` makes its body of the document."""
    body = json.dumps(document).encode()
    return post(fields.format(len(body)).encode(), framed(body))


def chunked(body):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("fields, framed", [(LENGTH_IS, bytes), (CHUNKED.decode(), chunked)], ids=["length", "chunks"])
def test_a_body_sent_by_hand_is_stored(instance, agency, fields, framed):
    with connect(instance) as link:
        link.sendall(pushed(new_referral(), fields, framed).replace(b"TOKEN", agency.token.encode()))
        assert statuses_of(receive(link)) == [201]


@pytest.mark.parametrize("fields, framed", [(LENGTH_IS, lambda body: body[:-1]),
                                            (CHUNKED.decode(), lambda body: chunked(body)[:-5])],
                         ids=["length", "chunks"])
def test_a_truncated_body_stores_nothing(brief, agency, fields, framed):
    """The sender ends the connection for writing before the body is complete."""
    system = new_number("truncated")
    data = pushed(new_referral(source_system=system), fields, framed).replace(b"TOKEN", agency.token.encode())
    with connect(brief) as link:
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        assert statuses_of(receive(link)) in ([], [400])
    assert walk(agency, "listReferrals", f"source_system={system}") == []


def test_a_head_request_gets_no_body(instance):
    with connect(instance) as link:
        link.sendall(get().replace(b"GET", b"HEAD", 1))
        answer = receive(link)
    assert answer.startswith(b"HTTP/1.1 200") and answer.partition(b"\r\n\r\n")[2] == b""


@pytest.mark.parametrize("target", [b"/%25n%25n%25s%25s%25s%25p", b"/%n%n%s%s%s%p", b"/v1/cases/%25s%25n?%25n=%25s",
                                    b"/" + b"%25n" * 900])
def test_a_reset_by_the_client_adds_no_client_data_to_the_log(instance, target):
    """The library logs the path when it cannot send: 250 connections are reset before their answer."""
    for _ in range(250):
        link = connect(instance)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.sendall(get(target, b"X-Request-Id: %n%n%n%s\r\n").replace(END, b"\r\n") * 3)
        link.close()
    assert not instance.has_ended()


def test_a_hundred_pipelined_requests_get_a_hundred_answers_in_order(instance):
    codes = ["not_found", "version_stale", "token_missing", "rule_violation"] * 25
    data = b"".join(get(b"/v1/problems/" + code.encode()).replace(END, b"\r\n") for code in codes[:-1])
    with connect(instance) as link:
        link.sendall(data + get(b"/v1/problems/" + codes[-1].encode()))
        answer = receive(link)
    bodies = [json.loads(part.partition(b"\r\n\r\n")[2]) for part in answer.split(b"HTTP/1.1 200 OK")[1:]]
    assert [each["code"] for each in bodies] == codes


def test_random_bytes_never_get_a_success(brief):
    """Well-formed requests with changed bytes, seeded: no answer is a 5xx, and the service never crashes."""
    chance = random.Random(20261125)
    seeds = [get(), get(b"/v1/me", b"Authorization: Bearer a.b.c\r\n"), CASES["chunks"][0]]
    links = []
    for _ in range(400):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        links.append((connect(brief), bytes(data)))
        send(*links[-1])
    for link, data in links:
        with link:
            statuses = statuses_of(receive(link))
        assert all(each < 500 or each == 505 for each in statuses), (data, statuses)
