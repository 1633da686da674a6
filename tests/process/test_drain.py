"""Shutdown under load: no request fails, no connection is reset, and the service ends in time."""
import json
import signal
import threading
import time
import urllib.request

from load_generator import LONG, Load, assert_nothing_lost, seconds_until, stored, tally, token_of

GRACE_S, DRAIN_S, CHECK_S, ROUNDS = 1, 4, 0.4, 10 if LONG else 1


class Readiness(threading.Thread):
    """Acts as a load balancer: knows whether /readyz was ok at the last check."""

    def __init__(self, instance):
        super().__init__(daemon=True)
        self.instance, self.ready, self.failed_at = instance, True, None

    def run(self):
        while self.ready:
            self.ready = self.instance.admin("/readyz")[0] == 200
            time.sleep(CHECK_S)
        self.failed_at = time.monotonic()


def wait_in_feed(instance, token, answers):
    """A long poll in progress when the shutdown begins."""
    ask = urllib.request.Request(f"{instance.url}/v1/changes?limit=100",
                                 headers={"Authorization": f"Bearer {token}"})
    after = json.load(urllib.request.urlopen(ask, timeout=5))["next"]
    ask = urllib.request.Request(f"{after}{'&' if '?' in after else '?'}wait=30",
                                 headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(ask, timeout=40) as answer:
        answers.append((answer.status, time.monotonic()))


def drain_once(serving, cluster):
    instance = serving(cluster, LR_DRAIN_GRACE_SECONDS=GRACE_S, LR_DRAIN_SECONDS=DRAIN_S)
    token, polls = token_of(instance), []
    other = token_of(instance, "HB-S08000031")  # its data does not change
    balancer = Readiness(instance)
    balancer.start()
    poll = threading.Thread(target=wait_in_feed, args=(instance, other, polls))
    poll.start()
    with Load(instance, token, 8, may_connect=lambda: balancer.ready) as load:
        time.sleep(1)
        asked = time.monotonic()
        instance.signal(signal.SIGTERM)
        status = instance.process.wait(timeout=GRACE_S + DRAIN_S + 5)
        took = time.monotonic() - asked
    poll.join(timeout=5)
    outcomes = load.outcomes()
    during = [one for one in outcomes if one.began > asked]
    print(f"\nends {took:.2f} s after SIGTERM (limit {GRACE_S + DRAIN_S} s), not ready after "
          f"{balancer.failed_at - asked:.2f} s, long poll answered after {polls[0][1] - asked:.2f} s; "
          f"{tally(outcomes)}, {len(during)} begun while draining")
    assert status == 0 and took < GRACE_S + DRAIN_S + 0.5
    assert balancer.failed_at - asked < CHECK_S + 0.5, "readiness did not fail before the end"
    assert [one for one in outcomes if one.fault or one.status not in (200, 201)] == []
    assert len(during) > 10 and polls[0][0] == 200 and polls[0][1] - asked < 1
    told = assert_nothing_lost(cluster, outcomes)
    return outcomes, told


def test_behind_a_load_balancer_no_request_fails(serving, shared_cluster):
    everything, before = {}, set(stored(shared_cluster))
    for _ in range(ROUNDS):
        _, told = drain_once(serving, shared_cluster)
        everything.update(told)
    unknown = set(stored(shared_cluster)) - before - set(everything)
    assert unknown == set(), "a push was stored without an answer"


def test_without_a_load_balancer_a_failed_request_changed_nothing(serving, shared_cluster):
    """A client that ignores readiness cannot connect at the end; but every request that was read is answered."""
    before = set(stored(shared_cluster))
    instance = serving(shared_cluster, LR_DRAIN_GRACE_SECONDS=0, LR_DRAIN_SECONDS=DRAIN_S)
    with Load(instance, token_of(instance), 8) as load:
        time.sleep(0.7)
        instance.signal(signal.SIGTERM)
        status = instance.process.wait(timeout=DRAIN_S + 5)
        time.sleep(0.1)
    outcomes = load.outcomes()
    told = assert_nothing_lost(shared_cluster, outcomes)
    print(f"\n{tally(outcomes)}")
    assert status == 0
    assert {one.status for one in outcomes if not one.fault} <= {200, 201}
    assert set(stored(shared_cluster)) - before == set(told), "a push was stored without an answer"


def test_readiness_fails_while_requests_are_still_answered(serving, shared_cluster):
    instance = serving(shared_cluster, LR_DRAIN_GRACE_SECONDS=2)
    token = token_of(instance)
    instance.signal(signal.SIGTERM)
    seconds_until(lambda: instance.admin("/readyz")[0] == 503, 1)
    assert '"draining":true' in instance.admin("/readyz")[1]
    assert instance.admin("/livez")[0] == 200
    ask = urllib.request.Request(f"{instance.url}/v1/referrals", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(ask, timeout=5) as answer:
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert instance.process.wait(timeout=10) == 0
