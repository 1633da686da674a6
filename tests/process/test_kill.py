"""Acknowledged pushes survive kills of service and database, each exactly once.

The clients push and retry without a pause. Each kill waits until enough pushes were acknowledged, and the killed
process is restarted when its absence was noticed: no verdict depends on the clock.
LR_DRILL=long: at least a hundred kills and fifty thousand acknowledged pushes.
"""
import signal
import threading
import time

import pytest

from cluster import Cluster
from load_generator import LONG, token_of
from push_generator import WATCHDOG_S, Pusher, assert_exact
from service import Instance, Secrets

CLIENTS, KILLS, PUSHES = (8, 55, 26000) if LONG else (8, 12, 100)


def kill_service(cluster, instance):
    del cluster
    instance.signal(signal.SIGKILL)
    instance.process.wait()


def revive_service(cluster, instance):
    del cluster
    instance.start()


def kill_database(cluster, instance):
    del instance
    cluster.stop()


def revive_database(cluster, instance):
    del instance
    cluster.start()


@pytest.fixture
def storm():
    """A separate register with several concurrent pushing clients."""
    cluster, keys = Cluster(), Secrets()
    instance = Instance(cluster, keys)
    enough = threading.Event()
    try:
        instance.start()
        token = token_of(instance)
        pushers = [Pusher([instance], token, enough) for _ in range(CLIENTS)]
        for each in pushers:
            each.start()
        yield cluster, instance, pushers, enough, token
    finally:
        enough.set()
        instance.stop()
        cluster.remove()
        keys.remove()


def wait_until(true):
    deadline = time.monotonic() + WATCHDOG_S
    while not true():
        assert time.monotonic() < deadline, "no push succeeds any more"
        time.sleep(0.02)


@pytest.mark.parametrize("kill, revive", [(kill_service, revive_service), (kill_database, revive_database)])
def test_acknowledged_pushes_are_stored_once_after_kills(storm, kill, revive):
    cluster, instance, pushers, enough, token = storm

    def acknowledged():
        return sum(len(each.acknowledged) for each in pushers)

    def retries():
        return sum(each.retries for each in pushers)
    for number in range(KILLS):
        wait_until(lambda: acknowledged() >= (number + 1) * PUSHES // KILLS)
        before = retries()
        kill(cluster, instance)
        wait_until(lambda: retries() >= before + CLIENTS)  # each client has noticed
        revive(cluster, instance)
    last = acknowledged()
    wait_until(lambda: acknowledged() >= last + CLIENTS)
    enough.set()
    for each in pushers:
        each.join(timeout=WATCHDOG_S)
    print(f"\n{kill.__name__}: {KILLS} kills, ", end="")
    assert len(assert_exact(cluster, instance, token, pushers)) >= PUSHES
