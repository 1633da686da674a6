"""Helpers of the drills: callers under load that record the result of each request.

LR_DRILL=long makes each drill long; otherwise all of them together take some minutes.
"""
import collections
import dataclasses
import http.client
import json
import os
import pathlib
import re
import threading
import time
import uuid

from payloads import new_referral

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONG = os.environ.get("LR_DRILL") == "long"
ORGANISATION = "LA-S12000049"
SCOPES = "referrals.write referrals.read actions.read changes.read"
PUSH, LIST = "push", "list"


def token_of(instance, organisation=ORGANISATION, scope=SCOPES, client="drill", **more):
    words = [word for name, value in more.items() for word in (f"--{name}", str(value))]
    return instance.run("token", "--organisation", organisation, "--client", client, "--scope", scope, *words)


@dataclasses.dataclass
class Outcome:
    kind: str
    reference: str
    began: float
    took: float = 0
    status: int = 0  # 0: no answer
    identifier: str = None
    code: str = None
    retry_after: str = None
    fault: str = None  # the connection's error


class Caller(threading.Thread):
    """Pushes and lists in turn on one connection as long as it is kept open; never retries."""

    def __init__(self, instance, token, enough, *, may_connect=lambda: True, pause=0.0, timeout=15.0):
        super().__init__(daemon=True)
        self.port, self.token, self.enough = instance.port, token, enough
        self.may_connect, self.pause, self.timeout = may_connect, pause, timeout
        self.link, self.outcomes = None, []

    def run(self):
        while not self.enough.is_set():
            if self.link is None and not self.may_connect():
                time.sleep(0.02)
                continue
            for kind in (PUSH, LIST):
                if self.link is not None or self.may_connect():
                    self.outcomes.append(self.ask(kind))
            time.sleep(self.pause)
        self.hang_up()

    def hang_up(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def ask(self, kind):
        outcome = Outcome(kind, uuid.uuid4().hex, time.monotonic())
        headers = {"Authorization": f"Bearer {self.token() if callable(self.token) else self.token}"}
        try:
            if self.link is None:
                self.link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            if kind == PUSH:
                headers.update({"Content-Type": "application/json", "Idempotency-Key": outcome.reference})
                body = json.dumps(new_referral(source_reference=outcome.reference))
                self.link.request("POST", "/v1/referrals", body, headers)
            else:
                self.link.request("GET", "/v1/referrals?limit=2", headers=headers)
            self.read(outcome)
        except (OSError, http.client.HTTPException) as fault:
            outcome.fault = type(fault).__name__
            self.hang_up()
        outcome.took = time.monotonic() - outcome.began
        return outcome

    def read(self, outcome):
        answer = self.link.getresponse()
        document = json.loads(answer.read())
        outcome.status, outcome.retry_after = answer.status, answer.headers.get("Retry-After")
        outcome.identifier, outcome.code = document.get("id"), document.get("code")
        if answer.headers.get("Connection") == "close":
            self.hang_up()


class Load:
    """Several concurrent callers: `with Load(...) as load: …; load.outcomes()`."""

    def __init__(self, instance, token, count=8, **more):
        self.enough = threading.Event()
        self.callers = [Caller(instance, token, self.enough, **more) for _ in range(count)]

    def __enter__(self):
        for each in self.callers:
            each.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.enough.set()
        for each in self.callers:
            each.join(timeout=40)
        assert not [each for each in self.callers if each.is_alive()], "a caller still waits for its answer"

    def outcomes(self, since=0.0, kind=None):
        return [one for each in self.callers for one in list(each.outcomes)
                if one.began >= since and kind in (None, one.kind)]


def tally(outcomes):
    """Returns how many requests had each result, as text."""
    return dict(collections.Counter(f"{one.kind} {one.fault or one.status}" for one in outcomes))


def acknowledged(outcomes):
    return {one.reference: one.identifier for one in outcomes if one.kind == PUSH and one.status in (200, 201)}


def stored(cluster):
    return dict(cluster.execute("select source_reference, id::text from register.referral"))


def assert_nothing_lost(cluster, outcomes):
    """Every acknowledged referral is stored, with the identifier in its answer."""
    there, told = stored(cluster), acknowledged(outcomes)
    lost = [reference for reference, identifier in told.items() if there.get(reference) != identifier]
    assert lost == [], f"{len(lost)} of {len(told)} acknowledged pushes are lost"
    return told


def seconds_until(true, at_most):
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < at_most, f"not within {at_most} s"
        time.sleep(0.02)
    return time.monotonic() - began


def open_descriptors(instance):
    """Does not count the connections of the pools, which connect on demand. The metrics have the number; /proc shows it
    only to root, because the program protects its memory."""
    figures = re.findall(r"^(process_open_fds|database_pool_connected)\S* (\d+)", instance.admin("/metrics")[1], re.M)
    return sum(int(value) if name == "process_open_fds" else -int(value) for name, value in figures)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
