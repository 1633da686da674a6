"""Clocks that jump: tokens use the clock; quotas, waits and deadlines use elapsed time; statistics use the day."""
import contextlib
import json
import os
import pathlib
import threading
import time
import urllib.error
import urllib.request

import pytest

from client import ALL_SCOPES, Client
from load_generator import seconds_until, token_of
from payloads import today
from scenarios import make_action, make_case
from service import Instance, program

HOUR, DAY = 3600, 86400
SANITIZED = b"__asan_init" in program().read_bytes()
pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer must be loaded first")


def library():
    """Returns the path of libfaketime, or skips with the package to install."""
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("the Debian package faketime is not installed")
    return found[0]


class Clock:
    """A clock for programs that start with its environment."""

    def __init__(self, file):
        self.file = file
        self.environment = {"LD_PRELOAD": str(library()), "FAKETIME_TIMESTAMP_FILE": str(file),
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self.set(0)

    def set(self, seconds):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.chmod(0o644)
        fresh.replace(self.file)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock")


@pytest.fixture
def start(shared_cluster, keys, clock):
    made = []

    def start(**settings):
        instance = Instance(shared_cluster, keys, **settings)
        instance.environment.update(clock.environment)
        made.append(instance)
        return instance.start()
    yield start
    for each in made:
        each.stop()


def get(instance, token, path="/v1/me", timeout=10):
    """Returns status, headers and document."""
    ask = urllib.request.Request(instance.url + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(ask, timeout=timeout) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, json.load(refusal)


def test_a_cached_token_still_expires_by_the_clock(start, clock):
    instance = start()
    token = token_of(instance, seconds=600)
    found = {}
    for seconds in (0, 600 + 60, 300, -HOUR, 0, 600 + 25, 600 + 35):
        clock.set(seconds)
        found[seconds] = get(instance, token)[0]
    # 30 seconds of difference are allowed at both ends; before its issue time the token is not valid either.
    assert found == {0: 200, 660: 401, 300: 200, -HOUR: 401, 625: 200, 635: 401}


def test_a_quota_is_neither_reset_nor_lost_when_the_clock_jumps(start, clock):
    instance = start(LR_RATE_LIMIT=20, LR_RATE_WINDOW_SECONDS=20)
    tokens = {}
    for seconds in (0, HOUR, -HOUR):
        clock.set(seconds)
        tokens[seconds] = token_of(instance)
    clock.set(0)
    first = [get(instance, tokens[0])[0] for _ in range(20)]
    later = {}
    for seconds in (HOUR, -HOUR):
        clock.set(seconds)
        statuses = [get(instance, tokens[seconds])[0] for _ in range(5)]
        later[seconds] = statuses.count(200)
    wait = int(get(instance, tokens[-HOUR])[1].get("Retry-After", 0))
    assert first == [200] * 20 and sum(later.values()) <= 2 and wait <= 2, (later, wait)
    seconds_until(lambda: get(instance, tokens[-HOUR])[0] == 200, 3)


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_long_poll_ends_in_time_whatever_the_clock_does(start, clock, jump):
    instance = start()
    token = token_of(instance, "HB-S08000031", seconds=2 * HOUR)
    position, more = "/v1/changes?limit=500", True
    while more:
        _, _, page = get(instance, token, position)
        position, more = "/" + page["next"].split("/", 3)[3], page["more"]
    answers = []
    began = time.monotonic()
    poll = threading.Thread(target=lambda: answers.append((get(instance, token, f"{position}&wait=3")[0],
                                                           time.monotonic() - began)))
    poll.start()
    time.sleep(0.7)
    clock.set(jump)
    poll.join(timeout=10)
    status, took = answers[0]
    print(f"\nthe clock jumps by {jump} s: a poll of 3 s is answered after {took:.2f} s")
    assert status == 200 and 2.8 < took < 4


def test_connections_and_deadlines_survive_a_jump(start, clock):
    """An idle connection must not count as idle for an hour."""
    instance = start(LR_IDLE_SECONDS=5)
    client = Client(instance.url, token_of(instance, seconds=2 * HOUR))
    for jump in (0, HOUR, 0):
        clock.set(jump)
        time.sleep(1.2)  # longer than the interval of the check for expired connections
        assert client.send("listReferrals", query="limit=1").status == 200
    assert client.pool.num_connections == 1


@contextlib.contextmanager
def environment(**names):
    before = dict(os.environ)
    os.environ.update(names)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_live_statistics_change_with_the_day(serving, cluster):
    """An item due today is overdue tomorrow, without any change to its data."""
    clock = Clock(cluster.folder / "clock")
    cluster.stop()
    with environment(**clock.environment):
        cluster.start()
    try:
        instance = serving(cluster)
        instance.errors_expected = True
        board = Client(instance.url, token_of(instance, "CPC-GLA", ALL_SCOPES), None, lambda organisation, client: Client(
            instance.url, token_of(instance, organisation, ALL_SCOPES, client)))
        make_action(board, make_case(board, "decision"), due_on=today())
        analyst = Client(instance.url, token_of(instance, "SG", "statistics.read statistics.unsuppressed"))

        def overdue():
            rows = analyst.send("getStatistics", table="actions_open", query="view=live").expect(200)["rows"]
            return sum(row["value"] for row in rows if row["category"] is None and row["figure"] == "overdue")
        time.sleep(1.2)  # counted by now, and served from the cache from here on
        assert (overdue(), overdue()) == (0, 0)
        clock.set(DAY)
        took = seconds_until(lambda: overdue() == 1, 3)
        clock.set(0)
        seconds_until(lambda: overdue() == 0, 3)
        print(f"\nthe day changes: the statistics follow after {took:.2f} s")
    finally:
        cluster.stop()
        cluster.start()
