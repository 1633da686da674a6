"""Everything that can fail fails in random order, under pushes to two instances: nothing is lost, and between the
faults every request succeeds.

LR_DRILL=long: an hour (or LR_CHAOS_SECONDS). LR_CHAOS_SEED repeats an order.
"""
import collections
import os
import random
import signal
import threading
import time

import pytest

from cluster import Cluster
from load_generator import LONG, token_of
from push_generator import Pusher, assert_exact
from service import Instance, Secrets
from test_database_away import backends, standing_still

CLIENTS, SECONDS = 8, int(os.environ.get("LR_CHAOS_SECONDS", 3600 if LONG else 40))
SEED = int(os.environ.get("LR_CHAOS_SEED", time.time_ns() % 1_000_000))
RECOVERY_S = 2  # deploy/README.md: success within two seconds of the database's return
CORRECT_LEAST = 0.9995


class Scene:
    """Two instances on one database, and the faults that they may suffer."""

    def __init__(self, cluster, keys):
        self.cluster, self.random = cluster, random.Random(SEED)
        self.instances = [Instance(cluster, keys) for _ in range(2)]
        self.faults = [self.kill_instance, self.drain_instance, self.reload_keys, self.crash_database,
                       self.freeze_database, self.break_connections, self.lock_referrals, self.crash_both]

    def kill_instance(self):
        one = self.random.choice(self.instances)
        one.signal(signal.SIGKILL)
        one.process.wait()
        time.sleep(self.random.random())
        one.start()

    def drain_instance(self):
        one = self.random.choice(self.instances)
        assert one.stop() == 0
        one.start()

    def reload_keys(self):
        for one in self.instances:
            one.signal(signal.SIGHUP)

    def crash_database(self):
        self.cluster.stop()
        time.sleep(2 * self.random.random())
        self.cluster.start()

    def freeze_database(self):
        with standing_still(backends(self.cluster)):
            time.sleep(3 * self.random.random())

    def break_connections(self):
        self.cluster.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s",
                             ["register_service"])

    def lock_referrals(self):
        with self.cluster.holding("lock table register.referral in access exclusive mode"):
            time.sleep(2 * self.random.random())

    def crash_both(self):
        one = self.random.choice(self.instances)
        self.cluster.stop()
        one.signal(signal.SIGKILL)
        one.process.wait()
        self.cluster.start()
        one.start()


@pytest.fixture
def scene():
    cluster, keys = Cluster(), Secrets()
    made = Scene(cluster, keys)
    try:
        for each in made.instances:
            each.errors_expected = True
            each.start()
        yield made
    finally:
        for each in made.instances:
            each.stop()
        cluster.remove()
        keys.remove()


def wreak(scene):
    """Causes one fault after the other; returns the start and end of each, and how often each kind occurred."""
    windows, count, end = [], collections.Counter(), time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(1 + 2 * scene.random.random())
        fault, began = scene.random.choice(scene.faults), time.monotonic()
        fault()
        windows.append((began, time.monotonic() + RECOVERY_S))
        count[fault.__name__] += 1
        time.sleep(RECOVERY_S)
    return windows, count


def test_nothing_is_lost_in_chaos(scene):
    enough = threading.Event()
    token = token_of(scene.instances[0])
    pushers = [Pusher(scene.instances[n % 2:] + scene.instances[:n % 2], token, enough) for n in range(CLIENTS)]
    for each in pushers:
        each.start()
    try:
        windows, count = wreak(scene)
    finally:
        enough.set()
        for each in pushers:
            each.join(timeout=30)
    calm = [status for each in pushers for began, ended, status in each.tries
            if not any(start <= ended and began <= end for start, end in windows)]
    correct = sum(status in (200, 201) for status in calm) / len(calm)
    print(f"\nchaos of {SECONDS} s, seed {SEED}: {dict(count)}; {len(calm)} pushes outside of faults, "
          f"{collections.Counter(calm)}; ", end="")
    assert_exact(scene.cluster, scene.instances[0], token, pushers)
    assert correct >= CORRECT_LEAST
