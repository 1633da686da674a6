"""Slow requests run apart: a batch that waits for the database keeps no other client waiting."""
import pytest

from client import AGENCY_SCOPES, Client
from payloads import new_referral
from waiting import wait_until


@pytest.fixture
def one_worker(extra_instance):
    """A service whose connections all belong to one worker, and three connections to the database."""
    return extra_instance(LR_WORKERS=1, LR_CONNECTIONS=3)


def sender_at(instance, client):
    token = instance.run("token", "--organisation", "LA-S12000049", "--client", client, "--scope", AGENCY_SCOPES)
    return Client(instance.url, token)


def test_a_batch_does_not_delay_other_clients_of_its_worker(one_worker, cluster, in_background):
    """A batch waits for a lock for a second: a machine that hangs longer needs another attempt."""
    sender, reader = sender_at(one_worker, "batches"), sender_at(one_worker, "reads")

    def read_meanwhile():
        with cluster.holding("lock table register.referral in access exclusive mode") as holder:
            batch = in_background(sender.send, "pushReferrals", [new_referral()])
            if not cluster.wait_for_waiter(holder, 1, unless=[batch]):
                return False
            reader.send("getPrincipal").expect(200)
            return cluster.wait_for_waiter(holder, 1, unless=[batch])
    assert wait_until(read_meanwhile, "a read is answered while a batch waits")
