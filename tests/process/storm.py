"""Pushes that go on whatever breaks, and what has to be there afterwards: everything acknowledged, once."""
import collections
import json
import re
import threading
import time
import urllib.request
import uuid

import requests

from documents import new_referral

class Pusher(threading.Thread):
    """Sends referrals one after the other, each with its key until it is acknowledged; where an instance fails, to the
    next one."""

    def __init__(self, instances, token, enough):
        super().__init__(daemon=True)
        self.urls, self.enough = collections.deque(f"{one.url}/v1/referrals" for one in instances), enough
        self.headers = {"Authorization": f"Bearer {token}"}
        self.acknowledged, self.unexpected = [], []
        self.tries = []  # when each began and ended, and its status; 0: no answer

    @property
    def retries(self):
        return len(self.tries) - len(self.acknowledged)

    def run(self):
        session = requests.Session()
        while not self.enough.is_set():
            self.push(session, new_referral(), {**self.headers, "Idempotency-Key": uuid.uuid4().hex})

    def push(self, session, document, headers):
        while True:
            began = time.monotonic()
            try:
                answer = session.post(self.urls[0], json=document, headers=headers, timeout=10)
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


def assert_exact(cluster, instance, token, pushers):
    """What was acknowledged is stored, told by the feed and in the audit trail, each exactly once."""
    acknowledged = [one for each in pushers for one in each.acknowledged]
    stored = cluster.execute("select source_reference, id::text from register.referral")
    told = feed_of(instance, token)
    print(f"{len(acknowledged)} acknowledged, {sum(each.retries for each in pushers)} retries, "
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
    return acknowledged
