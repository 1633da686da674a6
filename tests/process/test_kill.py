"""Whatever was acknowledged survives: pushes with retries while service and database are killed.

LR_DRILL=long: at least a hundred kills and fifty thousand acknowledged pushes.
"""
import collections
import json
import re
import signal
import threading
import time
import urllib.request
import uuid

import pytest
import requests

from cluster import Cluster
from documents import new_referral
from drill import LONG
from service import Instance, Secrets

ORGANISATION, SCOPE = "LA-S12000049", "referrals.write referrals.read changes.read"
CLIENTS, KILLS, PUSHES = (8, 55, 26000) if LONG else (8, 12, 100)


class Pusher(threading.Thread):
    """Sends referrals one after the other, each with its key until it is acknowledged."""

    def __init__(self, url, token, enough):
        super().__init__(daemon=True)
        self.url, self.enough = f"{url}/v1/referrals", enough
        self.headers = {"Authorization": f"Bearer {token}"}
        self.acknowledged, self.unexpected, self.retries = [], [], 0

    def run(self):
        session = requests.Session()
        while not self.enough.is_set():
            self.push(session, new_referral(), {**self.headers, "Idempotency-Key": uuid.uuid4().hex})

    def push(self, session, document, headers):
        while True:
            try:
                answer = session.post(self.url, json=document, headers=headers, timeout=10)
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code in (200, 201):
                self.acknowledged.append((document["source_reference"], answer.json()["id"]))
                return
            if answer is not None and answer.status_code not in (409, 503):
                self.unexpected.append((answer.status_code, answer.text))
                return
            self.retries += 1
            time.sleep(0.05)


def feed_of(instance, token):
    """How often the feed tells of each referral that it was made, read from the beginning."""
    created, target, more = collections.Counter(), f"{instance.url}/v1/changes?limit=500", True
    while more:
        ask = urllib.request.Request(target, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(ask, timeout=10) as answer:
            page = json.load(answer)
        created.update(one["subject_id"] for one in page["items"] if one["type"] == "referral.created")
        target, more = page["next"], page["more"]
    return created


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
        token = instance.run("token", "--organisation", ORGANISATION, "--client", "storm", "--scope", SCOPE)
        pushers = [Pusher(instance.url, token, enough) for _ in range(CLIENTS)]
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
    acknowledged = [one for each in pushers for one in each.acknowledged]
    stored = cluster.execute("select source_reference, id::text from register.referral")
    told = feed_of(instance, token)
    retries = sum(each.retries for each in pushers)
    print(f"\n{kill.__name__}: {KILLS} kills, {len(acknowledged)} acknowledged, {retries} retries, "
          f"{len(set(acknowledged) - set(stored))} lost, {len(stored) - len(set(stored))} doubled, "
          f"the feed tells {sum(told.values())} times of {len(told)}")
    assert [fault for each in pushers for fault in each.unexpected] == []
    assert sorted(stored) == sorted(acknowledged)
    assert told == collections.Counter(identifier for _, identifier in stored), "the feed is not exact"
    # Each is in the audit trail as a change once, and the chain is whole whatever was killed when.
    assert sorted(cluster.execute("select ids[1]::text from register.audit_entry where kind = 'change'")) == sorted(
        (number,) for _, number in stored)
    deadline = time.monotonic() + 10
    while ", 0 not sealed yet" not in (said := instance.run("check", "audit")) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert re.search(r"in order, \d+ entries sealed, 0 of them removed since, 0 not sealed yet", said)
    assert len(acknowledged) >= PUSHES and retries > 0
