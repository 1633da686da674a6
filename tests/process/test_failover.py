"""The primary is killed and its synchronous standby promoted under load: nothing acknowledged is lost.

LR_FAILOVERS is the number of failovers (3); each time the killed primary returns as the standby.
"""
import os
import signal
import threading
import time

import pytest
import requests

from cluster import Cluster
from payloads import new_referral
from push_generator import Pusher
from replicas import Node, kill_postgres, of_all
from service import Instance, Secrets
from test_feed import Consumer

ORGANISATION, SCOPE = "LA-S12000049", "referrals.write referrals.read changes.read"
CLIENTS, FAILOVERS = 8, int(os.environ.get("LR_FAILOVERS", "3"))


class TimedPusher(Pusher):
    """Records the time at which each referral was acknowledged."""

    def __init__(self, instances, token, enough, times):
        super().__init__(instances, token, enough)
        self.times = times

    def push(self, session, document, headers):
        before = len(self.acknowledged)
        super().push(session, document, headers)
        if len(self.acknowledged) > before:
            self.times.append(time.monotonic())


class PatientConsumer(Consumer):
    """Continues while the database is unreachable."""

    def read(self):
        while True:
            try:
                return super().read()
            except RuntimeError as refusal:
                if not str(refusal).startswith("503"):
                    raise
                time.sleep(0.05)


class Pair:
    """Two servers, one of them the primary; commits wait for the other one."""

    def __init__(self):
        self.primary = Node()
        self.standby = None
        self.nodes = [self.primary]

    def add_standby(self):
        self.standby = Node(self.primary)
        self.nodes.append(self.standby)
        self.require_standby()

    def require_standby(self):
        self.primary.set("synchronous_standby_names = '*'")
        self.primary.wait_for_standby(sync="sync")

    def connection_string(self, user):
        return of_all(self.nodes, user, "read-write")

    def fail_over(self):
        """Kills the primary and promotes the standby. Returns the times of both."""
        self.primary.kill()
        killed = time.monotonic()
        self.standby.promote()
        promoted = time.monotonic()
        self.primary, self.standby = self.standby, self.primary
        return killed, promoted

    def remake_standby(self):
        self.standby.follow_anew(self.primary)
        self.require_standby()

    def remove(self):
        for each in self.nodes:
            each.remove()


@pytest.fixture
def pair():
    made = Pair()
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def keys():
    made = Secrets()
    yield made
    made.remove()


def first_after(times, moment):
    return min(one for one in times if one > moment)


def test_acknowledged_pushes_survive_failovers(pair, keys):
    pair.add_standby()
    instance = Instance(pair, keys)
    enough, read = threading.Event(), threading.Event()
    times, failures = [], []
    try:
        instance.start()
        token = instance.run("token", "--organisation", ORGANISATION, "--client", "storm", "--scope", SCOPE)
        consumer = PatientConsumer("feed", [instance.url], token, read)
        consumer.start()
        pushers = [TimedPusher([instance], token, enough, times) for _ in range(CLIENTS)]
        for each in pushers:
            each.start()
        for _ in range(FAILOVERS):
            time.sleep(2)
            failures.append(pair.fail_over())
            time.sleep(2)
            pair.remake_standby()
        time.sleep(1)
        enough.set()
        for each in pushers:
            each.join(timeout=30)
        time.sleep(1)
        read.set()
        consumer.join(timeout=30)
    finally:
        enough.set()
        read.set()
        instance.stop()
    acknowledged = [one for each in pushers for one in each.acknowledged]
    stored = pair.primary.execute("select source_reference, id::text from register.referral")
    since_kill = [first_after(times, promoted) - killed for killed, promoted in failures]
    since_promotion = [first_after(times, promoted) - promoted for killed, promoted in failures]
    print(f"\n{FAILOVERS} failovers, {len(acknowledged)} acknowledged, {sum(each.retries for each in pushers)} retries, "
          f"{len(set(acknowledged) - set(stored))} lost, {len(stored) - len({one for one, _ in stored})} doubled; "
          f"first success after promotion {', '.join(f'{one:.2f}' for one in since_promotion)} s "
          f"(after the kill {', '.join(f'{one:.2f}' for one in since_kill)} s); feed: {consumer.events} events")
    assert [fault for each in pushers for fault in each.unexpected] == []
    assert sorted(stored) == sorted(acknowledged)
    assert len(acknowledged) > 100
    assert consumer.faults == []
    assert {one for _, one in consumer.copy} == {one for _, one in stored}
    assert max(since_promotion) < 5


def test_positions_given_to_consumers_survive_a_crash(keys):
    """A transaction that is rolled back draws numbers, which only the feed makes durable."""
    cluster = Cluster()
    instance = Instance(cluster, keys)
    try:
        instance.start()
        token = instance.run("token", "--organisation", ORGANISATION, "--client", "copy", "--scope", SCOPE)
        time.sleep(2.5)  # the first maintenance commits something
        writer = cluster.execute("select pid from pg_stat_activity where backend_type = 'walwriter'")[0][0]
        os.kill(writer, signal.SIGSTOP)  # it would make the numbers durable without a request
        with cluster.open() as link, link.cursor() as cursor:
            cursor.execute("select pg_current_xact_id(), max(nextval('register.feed_number')) "
                           "from generate_series(1, 100)")
            drawn = cursor.fetchone()[1]
            link.rollback()
        time.sleep(1.2)  # the feed checks every half second
        read = threading.Event()
        consumer = PatientConsumer("feed", [instance.url], token, read)
        consumer.read()
        kill_postgres(cluster.data)
        cluster.start()
        assert cluster.execute("select last_value from register.feed_number")[0][0] >= drawn
        enough = threading.Event()
        pusher = Pusher([instance], token, enough)
        session, document = requests.Session(), new_referral()
        pusher.push(session, document, pusher.headers)
        read.set()
        consumer.run()
        assert consumer.faults == []
        assert {one for _, one in consumer.copy} == {one for _, one in pusher.acknowledged}
    finally:
        instance.stop()
        cluster.remove()
