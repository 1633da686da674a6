"""The database is stopped, hangs, and returns: answers arrive in time, nothing hangs, no restart is needed."""
import contextlib
import os
import signal
import time

import pytest

from load_generator import LONG, Load, assert_nothing_lost, percentile, seconds_until, tally, token_of

ROUNDS = 20 if LONG else 2
SILENCE_S = 8  # deploy/README.md, limits
STILL_S = 12
OPEN_S = 5  # deploy/README.md, limits
EXTRA_S = 1.5  # allowance for a machine with other work


def ready(instance):
    return instance.admin("/readyz")[0] == 200


def figure(instance, name):
    lines = instance.admin("/metrics")[1].splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name) and not line.startswith("#"))


def until_all_succeed(load, since):
    """Returns the seconds from `since` until the first success that began after it."""
    def first():
        return [one for one in load.outcomes(since) if one.status in (200, 201)]
    seconds_until(first, 10)
    return min(one.began + one.took for one in first()) - since


def assert_refused_properly(outcomes):
    """Without a database every request gets the same answer, with Retry-After; no other answer, no broken connection.
    """
    refused = [one for one in outcomes if one.status not in (200, 201)]
    assert {(one.status, one.fault) for one in refused} <= {(503, None)}, tally(outcomes)
    assert {one.code for one in refused} <= {"database_unavailable", "overloaded"}
    assert all(int(one.retry_after) >= 1 for one in refused)
    return refused


def test_it_answers_within_a_second_and_recovers_within_two(serving, cluster):
    instance = serving(cluster)
    instance.errors_expected = True
    recoveries, waits, everything = [], [], []
    with Load(instance, token_of(instance), 8, pause=0.01) as load:
        for _ in range(ROUNDS):
            time.sleep(0.5)
            gone = time.monotonic()
            cluster.stop()
            stopped = time.monotonic()
            time.sleep(1.5)
            assert instance.admin("/livez")[0] == 200 and not ready(instance)
            away = load.outcomes(stopped)
            assert_refused_properly(away)
            waits += [one.took for one in load.outcomes(gone)]
            cluster.start()
            recoveries.append(until_all_succeed(load, time.monotonic()))
            seconds_until(lambda: ready(instance), 2)
    everything = load.outcomes()
    assert_refused_properly(everything)
    told = assert_nothing_lost(cluster, everything)
    print(f"\n{ROUNDS} times away: refusals after {percentile(waits, 0.5) * 1e3:.1f} ms (most {max(waits):.2f} s), first "
          f"success {max(recoveries):.2f} s after its return at most; {tally(everything)}, {len(told)} pushes there")
    assert max(waits) < 1 + EXTRA_S / 3 and max(recoveries) <= 2
    assert not instance.has_ended()


def backends(cluster):
    """Returns PostgreSQL's processes for the service's connections."""
    return [row[0] for row in cluster.execute(
        "select pid from pg_stat_activity where usename = 'register_service'")]


def postmaster(cluster):
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


@contextlib.contextmanager
def standing_still(processes):
    try:
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):  # the process may have ended meanwhile
                os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("whole", [False, True], ids=["its processes", "all of it"])
def test_a_hanging_database_blocks_requests_for_a_limited_time(serving, cluster, whole):
    """Like a machine that hangs: connections stay open without an answer. New connections may or may not be possible.
    """
    instance = serving(cluster)  # a worker for each connection of the load: no caller waits for another
    instance.errors_expected = True
    with Load(instance, token_of(instance), 24, pause=0.01, timeout=30.0) as load:
        time.sleep(0.5)
        still = backends(cluster) + ([postmaster(cluster)] if whole else [])
        with standing_still(still):
            began = time.monotonic()
            worst_live = 0.0
            while time.monotonic() - began < STILL_S:
                asked = time.monotonic()
                assert instance.admin("/livez")[0] == 200
                worst_live = max(worst_live, time.monotonic() - asked)
                time.sleep(0.2)
            was_ready = ready(instance)
        back = time.monotonic()
        recovered = until_all_succeed(load, back)
        seconds_until(lambda: ready(instance), 3)
        time.sleep(0.5)
        seconds_until(lambda: figure(instance, "database_pool_connected") == 14, 5)
    during = [one for one in load.outcomes(began - SILENCE_S) if one.began < back]
    slow = max(one.took for one in during)
    told = assert_nothing_lost(cluster, load.outcomes())
    print(f"\nstood still {STILL_S} s: slowest answer {slow:.2f} s, half within {percentile([one.took for one in during], 0.5):.3f} s, "
          f"liveness {worst_live * 1e3:.0f} ms at most, success again after {recovered:.2f} s; {tally(load.outcomes())}, "
          f"{len(told)} pushes there")
    assert_refused_properly(load.outcomes())
    assert slow < SILENCE_S + EXTRA_S, max(during, key=lambda one: one.took)
    assert worst_live < 1
    assert whole != was_ready, "ready although no connection can be made"
    assert recovered <= 2
    assert figure(instance, "http_requests_in_flight") == 0, "a worker hangs"


def test_a_hanging_database_does_not_delay_signals(serving, cluster):
    instance = serving(cluster, LR_DRAIN_GRACE_SECONDS=3)
    instance.errors_expected = True
    time.sleep(1.5)
    with standing_still(backends(cluster) + [postmaster(cluster)]):
        time.sleep(2.5)  # a maintenance statement is waiting for it now
        instance.signal(signal.SIGTERM)
        noticed = seconds_until(lambda: figure(instance, "service_draining") == 1, 2)
        instance.process.wait(timeout=SILENCE_S + 10)
    print(f"\nSIGTERM while the database hangs: noticed after {noticed:.2f} s")
    assert instance.process.returncode == 0


def test_a_hanging_service_leaves_no_transaction_open(serving, cluster):
    """Also between a statement and the entry in the audit trail: locks and the change feed wait for it."""
    instance = serving(cluster)
    instance.errors_expected = True
    with Load(instance, token_of(instance), 24, timeout=30.0) as load:
        for _ in range(ROUNDS):
            time.sleep(0.5)
            with standing_still([instance.process.pid]):
                time.sleep(OPEN_S + EXTRA_S)
                left = cluster.execute("select state, now() - xact_start from pg_stat_activity "
                                       "where usename = 'register_service' and xact_start is not null")
            assert left == []
        until_all_succeed(load, time.monotonic())
    assert_refused_properly(load.outcomes())
    assert_nothing_lost(cluster, load.outcomes())
