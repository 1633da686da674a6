"""Continuous pushes despite faults, and the checks afterwards: everything acknowledged exists, exactly once."""
import collections
import json
import re
import threading
import time
import uuid

import requests

from payloads import new_referral
from waiting import WATCHDOG_S


class Pusher(threading.Thread):
    """Sends referrals one after the other, each with its key until it is acknowledged; if an instance fails, to the
    next one."""

    def __init__(self, instances, token, enough):
        super().__init__(daemon=True)
        self.urls, self.enough = collections.deque(f"{one.url}/v1/referrals" for one in instances), enough
        self.headers = {"Authorization": f"Bearer {token}"}
        self.acknowledged, self.unexpected = [], []
        self.tries = []  # start, end and status of each attempt; 0: no answer

    @property
    def retries(self):
        return len(self.tries) - len(self.acknowledged)

    def run(self):
        session = requests.Session()
        while not self.enough.is_set():
            self.push_one(session)

    def push_one(self, session):
        self.push(session, new_referral(), {**self.headers, "Idempotency-Key": uuid.uuid4().hex})

    def push(self, session, document, headers):
        while True:
            began = time.monotonic()
            try:
                answer = session.post(self.urls[0], json=document, headers=headers, timeout=WATCHDOG_S)
            except requests.RequestException:
                answer = None
                self.urls.rotate()
            self.tries.append((began, time.monotonic(), 0 if answer is None else answer.status_code))
            if answer is not None and answer.status_code in (200, 201):
                self.acknowledged.append((document["source_reference"], answer.json()["id"]))
                return
            if answer is not None and answer.status_code not in (409, 503):
                self.unexpected.append((answer.status_code, answer.text))
                return
            time.sleep(0.05)


def feed_of(instance, token, last):
    """Returns how often the feed reports each new referral, read from its beginning to the referral `last`. The feed
    shows an event when everything before it is committed, which may take a moment."""
    created, target = collections.Counter(), f"{instance.url}/v1/changes?limit=500"
    deadline = time.monotonic() + WATCHDOG_S
    while last not in created:
        assert time.monotonic() < deadline, "the feed does not reach the last referral"
        answer = requests.get(target, headers={"Authorization": f"Bearer {token}"}, timeout=WATCHDOG_S)
        if answer.status_code == 503:  # a pooled connection to the killed database
            continue
        assert answer.status_code == 200, answer.text
        page = answer.json()
        created.update(one["subject_id"] for one in page["items"] if one["type"] == "referral.created")
        target = page["next"]
    return created


def assert_exact(cluster, instance, token, pushers):
    """Each acknowledged referral is stored, in the feed and in the audit trail, exactly once."""
    last = Pusher([instance], token, None)
    last.push_one(requests.Session())
    pushers = [*pushers, last]
    acknowledged = [one for each in pushers for one in each.acknowledged]
    stored = cluster.execute("select source_reference, id::text from register.referral")
    told = feed_of(instance, token, last.acknowledged[-1][1])
    print(f"{len(acknowledged)} acknowledged, {sum(each.retries for each in pushers)} retries, "
          f"{len(set(acknowledged) - set(stored))} lost, {len(stored) - len(set(stored))} doubled, "
          f"the feed has {sum(told.values())} events of {len(told)} referrals")
    assert [fault for each in pushers for fault in each.unexpected] == []
    assert sorted(stored) == sorted(acknowledged)
    assert told == collections.Counter(identifier for _, identifier in stored), "the feed does not have every referral once"
    # Each is in the audit trail as a change once, and the chain is whole after any kills.
    assert sorted(cluster.execute("select ids[1]::text from register.audit_entry where kind = 'change'")) == sorted(
        (number,) for _, number in stored)
    deadline = time.monotonic() + WATCHDOG_S
    while ", 0 not sealed yet" not in (said := instance.run("check", "audit")) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert re.search(r"in order, \d+ entries sealed, 0 of them removed since, 0 not sealed yet", said)
    return acknowledged
