"""Whatever was acknowledged survives: pushes with retries while service and database are killed.

LR_DRILL=long: at least a hundred kills and fifty thousand acknowledged pushes.
"""
import signal
import threading
import time

import pytest

from cluster import Cluster
from drill import LONG, token_of
from service import Instance, Secrets
from storm import Pusher, assert_exact

CLIENTS, KILLS, PUSHES = (8, 55, 26000) if LONG else (8, 12, 100)


def kill_service(cluster, instance):
    del cluster
    instance.signal(signal.SIGKILL)
    instance.process.wait()
    instance.start()


def kill_database(cluster, instance):
    del instance
    cluster.stop()
    cluster.start()


@pytest.fixture
def storm():
    """A register of its own, pushed to by several clients at once."""
    cluster, keys = Cluster(), Secrets()
    instance = Instance(cluster, keys)
    enough = threading.Event()
    try:
        instance.run("migrate")
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


@pytest.mark.parametrize("kill", [kill_service, kill_database])
def test_what_was_acknowledged_is_there_once_after_kills(storm, kill):
    cluster, instance, pushers, enough, token = storm
    for number in range(KILLS):
        share = (number + 1) * PUSHES // KILLS  # enough is pushed between the kills
        while sum(len(each.acknowledged) for each in pushers) < share:
            time.sleep(0.05)
        time.sleep(0.5)
        kill(cluster, instance)
    time.sleep(1)
    enough.set()
    for each in pushers:
        each.join(timeout=30)
    print(f"\n{kill.__name__}: {KILLS} kills, ", end="")
    acknowledged = assert_exact(cluster, instance, token, pushers)
    assert len(acknowledged) >= PUSHES and sum(each.retries for each in pushers) > 0
