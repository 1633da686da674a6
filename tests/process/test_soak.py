"""Memory and descriptors stay constant over a long mixed load, valid and hostile.

LR_SOAK_BINARY names a second program to soak, built with AddressSanitizer: it reports faults, and leaks at its end.
LR_DRILL=long sends a million requests (or LR_SOAK_REQUESTS) to each; otherwise each takes half a minute, longer on a
machine so slow that the program would still be warming up.
"""
import json
import os
import pathlib
import random
import re
import socket
import struct
import threading
import time

import pytest

from client import AGENCY_SCOPES, ALL_SCOPES, Client, SetupFailed
from load_generator import LONG, open_descriptors, percentile, seconds_until, token_of
from payloads import new_referral
from scenarios import WAY, make_accepted_referral, make_case, make_verified_action
from service import Instance, program

# With so few workers, each has soon seen its largest request.
CALLERS, WORKERS, SECONDS = 6, 8, 30
REQUESTS = int(os.environ.get("LR_SOAK_REQUESTS", 1_000_000)) if LONG else 8_000
LATE_S = 10
# Log lines that a machine which hangs for seconds may cause: test_database_away.py tests them.
STOOD_STILL = re.compile(r'"status":503|SQLSTATE (25P03|55P03|57014)')
GROWTH_MOST_KIB, FACTOR_WITH_SANITIZER = 3 * 1024, 4
TABLES = ("decisions", "days_to_decision", "actions_open", "children")
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class Mixed(threading.Thread):
    """Sends all kinds of requests by hand; half of them are hostile."""

    def __init__(self, instance, token, enough, seed):
        super().__init__(daemon=True)
        self.port, self.token, self.enough, self.random = instance.port, token, enough, random.Random(seed)
        self.sent, self.statuses, self.link = 0, {}, None
        self.honest = [self.list, self.push, self.read_nothing, self.contract]
        self.hostile = [self.bad_token, self.broken_json, self.deep, self.unknown_path, self.long_query, self.huge_head,
                        self.invalid_batch, self.both_lengths, self.half, self.reset, self.garbage]

    def run(self):
        while not self.enough.is_set():
            self.random.choice(self.honest if self.random.random() < 0.5 else self.hostile)()

    def close(self):
        self.drop()

    def connection(self):
        if self.link is None:
            self.link = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        return self.link

    def drop(self, hard=False):
        if self.link is not None:
            if hard:
                self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.link.close()
            self.link = None

    def request(self, method, target, body=b"", *fields, token=None):
        lines = [f"{method} {target} HTTP/1.1", "Host: a", f"Authorization: Bearer {token or self.token}",
                 f"Content-Length: {len(body)}", "Content-Type: application/json", *fields]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def ask(self, data):
        """Sends a request and reads its answer; reconnects when the other side closed the connection."""
        self.sent += 1
        try:
            link = self.connection()
            link.sendall(data)
            answer = b""
            while b"\r\n\r\n" not in answer:
                more = link.recv(65536)
                if not more:
                    self.drop()
                    return
                answer += more
            head, _, body = answer.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            while length and len(body) < int(length[1]):
                body += link.recv(65536)
            status = int(head.split()[1])
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if b"connection: close" in head.lower():
                self.drop()
        except OSError:
            self.drop()

    def list(self):
        self.ask(self.request("GET", "/v1/referrals?limit=3"))

    def push(self):
        self.ask(self.request("POST", "/v1/referrals", json.dumps(new_referral()).encode()))

    def read_nothing(self):
        self.ask(self.request("GET", "/v1/referrals/01a20acc-40c1-7d2c-882d-7f2773784b8d"))

    def contract(self):
        self.ask(b"GET /v1/problems HTTP/1.1\r\nHost: a\r\n\r\n")

    def bad_token(self):
        self.ask(self.request("GET", "/v1/me", token=self.random.choice(["a.b.c", "x" * 5000, self.token[:-3] + "abc"])))

    def broken_json(self):
        self.ask(self.request("POST", "/v1/referrals", json.dumps(new_referral()).encode()[:self.random.randint(0, 400)]))

    def deep(self):
        self.ask(self.request("POST", "/v1/referrals", b"[" * 5000))

    def unknown_path(self):
        self.ask(self.request(self.random.choice(["GET", "PUT", "DELETE"]), f"/v1/{self.random.random()}/%2e%2e/a"))

    def long_query(self):
        self.ask(self.request("GET", "/v1/referrals?" + "&".join(f"a{n}=%zz" for n in range(self.random.randint(1, 300)))))

    def huge_head(self):
        self.ask(self.request("GET", "/v1/me", b"", "X-Long: " + "a" * self.random.choice([3000, 40000])))

    def invalid_batch(self):
        self.ask(self.request("POST", "/v1/referrals/batch", json.dumps([{"a": n} for n in range(200)]).encode()))

    def both_lengths(self):
        self.ask(self.request("POST", "/v1/referrals", b"{}", "Transfer-Encoding: chunked"))
        self.drop()

    def half(self):
        """Announces a body and does not send it."""
        self.sent += 1
        try:
            self.connection().sendall(self.request("POST", "/v1/referrals", b"{}").replace(b"Length: 2", b"Length: 90"))
        except OSError:
            pass
        self.drop()

    def reset(self):
        """Sends a request and disconnects before the answer."""
        self.sent += 1
        try:
            self.connection().sendall(self.request("GET", "/v1/referrals?limit=200"))
        except OSError:
            pass
        self.drop(hard=True)

    def garbage(self):
        self.sent += 1
        try:
            self.connection().sendall(self.random.randbytes(200) + b"\r\n\r\n")
        except OSError:
            pass
        self.drop()


class Reviews(threading.Thread):
    """Moves cases through the stages and reads the results, as well-behaved clients do."""

    def __init__(self, instance, enough, seed):
        super().__init__(daemon=True)
        self.instance, self.enough, self.random = instance, enough, random.Random(seed)
        self.sent, self.statuses, self.last, self.fault, self.callers = 0, {}, None, None, {}
        self.committee, self.council = self.caller("CPC-GLA", "committee"), self.caller("LA-S12000049", "council")

    def caller(self, organisation, client):
        if organisation not in self.callers:
            scope = ALL_SCOPES if organisation.startswith("CPC-") else AGENCY_SCOPES + " ratification.write notices.read"
            token = token_of(self.instance, organisation, scope, client, seconds=80000)
            self.callers[organisation] = Client(self.instance.url, token, self, self.caller)
            # A connection that waits for the next review is idle for so long that the service may close it at that
            # moment.
            self.callers[organisation].headers["Connection"] = "close"
        return self.callers[organisation]

    def add(self, _request, reply):
        """Takes the place of the clients' recorder."""
        self.sent += 1
        self.last = reply.status
        self.statuses[self.last] = self.statuses.get(self.last, 0) + 1

    def run(self):
        try:
            while not self.enough.is_set():
                try:
                    self.review()
                except SetupFailed:
                    if self.last != 503:
                        raise
        except Exception as fault:  # raised by close, in the test's own thread
            self.fault = fault

    def close(self):
        if self.fault is not None:
            raise self.fault

    def review(self):
        make_accepted_referral(self.council, self.committee)
        case = make_case(self.committee, self.random.choice(WAY))
        make_verified_action(self.committee, self.council)
        for operation, query in (("listCases", "limit=200"), ("listActions", "limit=200"), ("listChanges", "limit=500"),
                                 ("listAudit", "limit=50"), ("listTimescales", None)):
            self.committee.send(operation, query=query).expect(200)
        self.committee.send("getStatistics", table=self.random.choice(TABLES), query="view=live&committee=GLA").expect(200)
        tag = self.committee.send("getCase", query="expand=stages,actions", id=case["id"]).expect(200).etag
        self.committee.send("getCase", none_match=tag, query="expand=stages,actions", id=case["id"]).expect(304)


def soak(instance):
    """Samples of resident memory (KiB) and descriptors during the load, and the number of sent requests."""
    enough, samples = threading.Event(), []
    threads = [Mixed(instance, token_of(instance, seconds=80000), enough, seed) for seed in range(CALLERS)]
    threads.append(Reviews(instance, enough, CALLERS))
    for each in threads:
        each.start()
    began = time.monotonic()
    while time.monotonic() - began < SECONDS or sum(each.sent for each in threads) < REQUESTS:
        time.sleep(0.5)
        samples.append((instance.figure("process_resident_memory_bytes") / 1024, instance.figure("process_open_fds")))
        assert not instance.has_ended(), instance.log_text()[-3000:]
    enough.set()
    for each in threads:
        each.join(timeout=20)
        each.close()
    statuses = {}
    for each in threads:
        for status, count in each.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return samples, sum(each.sent for each in threads), statuses, time.monotonic() - began


def binaries():
    second = os.environ.get("LR_SOAK_BINARY")
    return [program()] + ([pathlib.Path(second)] if second else [])


@pytest.mark.parametrize("binary", binaries(), ids=lambda binary: binary.parent.name)
def test_memory_and_descriptors_stay_constant(shared_cluster, keys, binary):
    sanitized = b"__asan_init" in binary.read_bytes()
    # Generous timeouts: well-behaved clients share a worker with hostile ones on an overloaded machine.
    instance = Instance(shared_cluster, keys, binary, LR_IDLE_SECONDS=LATE_S, LR_REQUEST_SECONDS=LATE_S,
                        LR_LOG_LEVEL="error", LR_WORKERS=WORKERS)
    if sanitized:
        # It stores each stack that ever allocated, up to this depth; deeper ones end in data that it mistakes for
        # frames.
        instance.environment["ASAN_OPTIONS"] = "quarantine_size_mb=4:detect_leaks=1:malloc_context_size=2"
    instance.start()
    try:
        seconds_until(lambda: instance.figure('database_pool_connected{pool="requests"}') == 12, 20)
        before = open_descriptors(instance)
        samples, sent, statuses, took = soak(instance)
        memory = [kib for kib, _ in samples]
        fifth = len(memory) // 5
        middle, late = percentile(memory[2 * fifth:3 * fifth], 0.5), percentile(memory[-fifth:], 0.5)
        deadline = time.monotonic() + 2 * LATE_S
        while open_descriptors(instance) > before + 2 and time.monotonic() < deadline:
            time.sleep(0.2)
        after = open_descriptors(instance)
        print(f"\n{binary.parent.name}: {sent} requests in {took:.0f} s, {dict(sorted(statuses.items()))}; memory {middle / 1024:.1f} MiB, "
              f"later {late / 1024:.1f} MiB; {before} descriptors before, {after} after, {max(fds for _, fds in samples):.0f} at most")
        most = GROWTH_MOST_KIB * (FACTOR_WITH_SANITIZER if sanitized else 1)
        assert late - middle < most, "memory grows"
        assert after <= before + 2, "the number of descriptors grows"
        assert statuses.get(500, 0) == 0 and {200, 201, 400, 401, 404} <= set(statuses)
        complaints = [line for line in instance.complaints() if not STOOD_STILL.search(line)]
        assert complaints == [], complaints[:20]
    finally:
        status = instance.stop()
    text = instance.log_text()
    assert status == 0 and "Sanitizer" not in text, text[-4000:]
