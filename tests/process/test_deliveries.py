"""Webhooks while instances are killed: every event arrives, in order, and never in two concurrent attempts."""
import collections
import random
import signal
import threading
import time
import uuid

import pytest

from client import ALL_SCOPES, Client
from cluster import Cluster
from load_generator import seconds_until
from receiver import Receiver, overlapping
from scenarios import make_case, tag_of
from service import Instance, Secrets

WRITERS, CASES, SECONDS, KILLS = 4, 8, 12, 3
# After each kill, the leases of the killed instance's attempts must expire.
PATIENCE_S = 90


@pytest.fixture(scope="module")
def register():
    cluster, keys = Cluster(), Secrets()
    instances = [Instance(cluster, keys) for _ in range(2)]
    try:
        yield cluster, keys, [each.start() for each in instances]
    finally:
        for each in instances:
            each.stop()
        keys.remove()
        cluster.remove()


@pytest.fixture(scope="module")
def receiver(register):
    keys = register[1]
    made = Receiver(keys.receiver_socket, keys.receiver_certificate)
    yield made
    made.close()


def client_at(instance):
    token = instance.run("token", "--organisation", "CPC-GLA", "--client", "hooks", "--scope", ALL_SCOPES)
    return Client(instance.url, token)


class Writer(threading.Thread):
    """Changes cases through an instance that is not killed."""

    def __init__(self, client, cases, enough):
        super().__init__(daemon=True)
        self.client, self.cases, self.enough, self.done = client, cases, enough, 0

    def run(self):
        while not self.enough.is_set():
            case = random.choice(self.cases)
            reply = self.client.send("changeCase", {"summary": uuid.uuid4().hex}, id=case,
                                     if_match=tag_of(self.client, "getCase", id=case))
            assert reply.status in (200, 412)
            self.done += reply.status == 200
            time.sleep(0.02)


def feed_numbers(client):
    """Returns the numbers of all changes of cases in the feed."""
    page, numbers = client.send("listChanges", query="limit=500").expect(200), []
    while True:
        numbers += [int(one["id"]) for one in page["items"] if one["type"] == "case.changed"]
        if not page["more"]:
            return numbers
        page = client.follow(page["next"]).expect(200)


def unsteady(message):
    """A slow receiver, sometimes slower than the time between two kills."""
    time.sleep(0.3 if message.number % 10 == 0 else 0.01)
    return 204


def test_no_event_is_lost_or_sent_twice_at_a_time_when_instances_are_killed(register, receiver):
    _, _, (steady, killed) = register
    client = client_at(steady)
    cases = [make_case(client)["id"] for _ in range(CASES)]
    endpoint = receiver.endpoint(unsteady)
    client.send("createWebhook", {"url": endpoint.url, "types": ["case.changed"]}).expect(201)
    enough = threading.Event()
    writers = [Writer(client_at(steady), cases, enough) for _ in range(WRITERS)]
    for each in writers:
        each.start()
    for _ in range(KILLS):
        time.sleep(SECONDS / (KILLS + 1))
        killed.signal(signal.SIGKILL)
        killed.process.wait()
        killed.start()
    time.sleep(SECONDS / (KILLS + 1))
    enough.set()
    for each in writers:
        each.join()
    done = sum(each.done for each in writers)
    seconds_until(lambda: len(feed_numbers(client)) >= done, 5)  # the feed shows stored changes within a second
    told = set(feed_numbers(client))
    assert len(told) == done > 100
    found = endpoint.wait(lambda found: told <= {one.number for one in found if one.accepted}, PATIENCE_S)
    found = sorted(found, key=lambda one: one.began)
    repeated = [number for number, times in collections.Counter(one.number for one in found).items() if times > 1]
    print(f"\nwebhooks: {len(told)} events, {len(found)} attempts, {len(repeated)} sent again after a kill")
    assert {one.number for one in found} == told
    assert overlapping(found, lambda one: one.id) == []
    assert overlapping(found, lambda one: one.case) == []
    for case in cases:
        sent = [one.number for one in found if one.case == case]
        assert sent == sorted(sent)
    assert len({one.id for one in found}) == len(told), "an event came under two identifiers"


def test_a_drain_ends_current_attempts_and_sends_nothing_twice(register, receiver):
    _, _, (steady, ending) = register
    client = client_at(steady)
    arrived = threading.Event()

    def slow(message):
        arrived.set()
        time.sleep(1.0)
        return 204
    endpoint = receiver.endpoint(slow)
    webhook = client.send("createWebhook", {"url": endpoint.url, "types": ["referral"]}).expect(201)["webhook"]
    # Makes the instance that ends the one that sends.
    steady.signal(signal.SIGSTOP)
    try:
        client_at(ending).send("pingWebhook", id=webhook["id"]).expect(201)
        assert arrived.wait(10)
        assert ending.stop() == 0
    finally:
        steady.signal(signal.SIGCONT)
    time.sleep(1)
    assert [one.status for one in endpoint.messages] == [204]
    assert client.send("listDeliveries", id=webhook["id"])["items"][0]["status"] == "delivered"
    ending.start()


def unanswered_at(instance):
    return instance.figure('webhook_attempts_total{result="unreachable"}')


def test_hanging_receivers_do_not_delay_the_others(register, receiver):
    """More of them than there are slots."""
    hanging, cases, unanswered = 16, 8, 28
    _, _, (alone, other) = register
    client, released = client_at(alone), threading.Event()
    assert other.stop() == 0
    before, made = unanswered_at(alone), []

    def register_hook(endpoint):
        reply = client.send("createWebhook", {"url": endpoint.url, "types": ["case.created"]}).expect(201)
        made.append(reply["webhook"]["id"])
        return made[-1]
    try:
        for _ in range(hanging):
            register_hook(receiver.endpoint(lambda message: released.wait(90) and 204))
        for _ in range(cases):
            make_case(client)
        seconds_until(lambda: unanswered_at(alone) >= before + unanswered, 35)
        endpoint = receiver.endpoint()
        place = {"id": register_hook(endpoint)}
        begun = time.monotonic()
        for count in range(1, 4):
            client.send("pingWebhook", **place).expect(201)
            endpoint.wait_accepted(count, 3)
        print(f"\nwebhooks: three events arrived within {time.monotonic() - begun:.1f} s despite {hanging} hanging receivers")
    finally:
        for one in made:
            client.send("deleteWebhook", id=one)
        released.set()
        other.start()


def test_a_name_that_later_resolves_to_a_private_address_is_not_connected_to(register, receiver):
    """The networks are checked at each connection, not only at registration."""
    cluster, keys, instances = register
    client = client_at(instances[0])
    endpoint = receiver.endpoint()
    webhook = client.send("createWebhook", {"url": endpoint.url, "types": ["referral"]}).expect(201)
    for each in instances:
        assert each.stop() == 0
    strict = Instance(cluster, keys, LR_WEBHOOK_NETWORKS="").start()
    try:
        client = client_at(strict)
        client.send("pingWebhook", id=webhook["webhook"]["id"]).expect(201)
        deadline = time.monotonic() + 10
        while True:
            line = client.send("listDeliveries", id=webhook["webhook"]["id"])["items"][0]
            if line["last_result"] is not None or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        assert (line["last_result"], line["status"]) == ("address_refused", "pending")
        assert endpoint.messages == []
    finally:
        assert strict.stop() == 0
        for each in instances:
            each.start()
