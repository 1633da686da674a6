"""Consumers of the change feed rebuild an exact copy of everything they may see, whatever writers do meanwhile.

Sixteen writers: some through two instances, most with long transactions of several changes directly through the
register's functions, some of which are rolled back. LR_FEED_SECONDS is the duration (10).
"""
import collections
import hashlib
import json
import os
import pathlib
import random
import re
import sys
import threading
import time
import urllib.parse
import uuid

import psycopg2
import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "service" / "db"))

from client import ALL_SCOPES, Client  # noqa: E402
from cluster import Cluster  # noqa: E402
from embed import read_statements  # noqa: E402
from payloads import days_ago, days_ahead, new_referral, new_update, today  # noqa: E402
from scenarios import make_action, make_case  # noqa: E402
from service import Instance, Secrets  # noqa: E402

SECONDS = float(os.environ.get("LR_FEED_SECONDS", "10"))
LONG_WRITERS, API_WRITERS = 12, 4
LONGEST_PAUSE_S = 0.6
STATEMENTS = {name: text for name, _, text in read_statements(ROOT / "sql")}
AGENCIES = ["LA-S12000049", "HB-S08000031"]
AREAS = {"GLA": "S12000049", "EDH": "S12000036"}
REVIEWER = "reviewer-1"


def new_child():
    return {"child_ref": hashlib.sha256(uuid.uuid4().bytes).hexdigest()[:32], "outcome": "significant_harm",
            "age_band": "5_10", "sex": "female", "ethnic_group": "unknown", "disability": "unknown",
            "legal_status": "none", "register_status": "never", "known_to": [], "harm_types": [], "carm": False}


def take_claims(cursor, organisation, scopes, client):
    """Sets the principal's claims for the transaction, as the service does."""
    cursor.execute(re.sub(r"\$([1-4])", r"%(p\1)s", STATEMENTS["claims"]),
                   {"p1": organisation, "p2": f" {scopes} ", "p3": client, "p4": ""})


class Long(threading.Thread):
    """Runs transactions of several changes with pauses, as different organisations."""

    def __init__(self, cluster, enough, seed):
        super().__init__(daemon=True)
        self.cluster, self.enough, self.random = cluster, enough, random.Random(seed)
        self.committed, self.refused, self.longest = 0, collections.Counter(), 0
        self.link = psycopg2.connect(host=str(cluster.folder), user="postgres", dbname="learning_reviews",
                                     options="-c lock_timeout=1s")
        self.changes = [self.change_case, self.change_case, self.change_child, self.change_owner,
                        self.report, self.report, self.push, self.open, self.grant, self.end_access,
                        self.hand_over, self.hand_referral_over, self.accept, self.delete]

    def ask(self, statement, *values):
        with self.link.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def become(self, organisation, client="long"):
        self.ask("reset role")
        self.ask("set local role register_service")
        with self.link.cursor() as cursor:
            take_claims(cursor, organisation, ALL_SCOPES, client)

    def any(self, table, where="true", *values):
        rows = self.ask(f"select to_jsonb(t) from {table} t where {where} order by random() limit 1", *values)
        return rows[0][0] if rows else None

    def run(self):
        while not self.enough.is_set():
            begun = time.monotonic()
            try:
                for _ in range(self.random.randint(1, 4)):
                    self.random.choice(self.changes)()
                    time.sleep(self.random.random() ** 3 * LONGEST_PAUSE_S)
                if self.random.random() < 0.15:
                    self.link.rollback()
                    continue
                self.link.commit()
                self.committed += 1
            except psycopg2.Error as refusal:
                self.link.rollback()
                self.refused[refusal.pgcode] += 1
            self.longest = max(self.longest, time.monotonic() - begun)
        self.link.close()

    def as_committee(self):
        code = self.random.choice(list(AREAS))
        self.become(f"CPC-{code}")
        return code

    def change_case(self):
        code = self.as_committee()
        case = self.any("review_case", "committee = %s and stage <> 'closed'", code)
        if case:
            self.ask("select case_change(%s, null, %s)", case["id"], json.dumps({"summary": uuid.uuid4().hex}))

    def change_child(self):
        code = self.as_committee()
        child = self.any("child", "committee = %s", code)
        if child:
            self.ask("select child_change(%s, %s, null, %s)", child["case_id"], child["id"],
                     json.dumps({"sex": self.random.choice(["female", "male", "unknown"])}))

    def change_owner(self):
        code = self.as_committee()
        action = self.any("action", "committee = %s", code)
        if action:
            self.ask("select action_change(%s, null, %s)", action["id"],
                     json.dumps({"owner_organisation": self.random.choice(AGENCIES + ["CPC-EDH", "CPC-GLA"])}))

    def report(self):
        owner = self.random.choice(AGENCIES)
        self.become(owner)
        action = self.any("action", "owner_organisation = %s", owner)
        if action:
            self.ask("select action_report(%s, %s)", action["id"],
                     json.dumps(new_update(progress=self.random.randint(0, 99))))

    def push(self):
        self.become(self.random.choice(AGENCIES))
        items = []
        for n in range(self.random.randint(1, 5)):
            document = new_referral(source_reference=uuid.uuid4().hex, children=[new_child()])
            items.append({"n": n, "key": None, "hash": "h", "doc": {
                "source_role": "agency", "agencies_involved": [], "parallel_processes": [], "other_committees": [],
                "discussed_with_partners": False, "guidance_edition": "child_2024", **document}})
        self.ask(STATEMENTS["push_referrals"].replace("%", "%%").replace("$1", "%s"), json.dumps(items))

    def open(self):
        code = self.as_committee()
        self.ask("select case_create(%s)", json.dumps({
            "local_authority": AREAS[code], "opened_on": days_ago(3), "review_type": "single",
            "guidance_edition": "child_2024", "criteria": ["abuse_or_neglect"], "summary": None,
            "children": [new_child() for _ in range(self.random.randint(1, 3))]}))

    def grant(self):
        code = self.as_committee()
        case = self.any("review_case", "committee = %s", code)
        person = self.random.random() < 0.7
        other = f"CPC-{'EDH' if code == 'GLA' else 'GLA'}"
        if case:
            self.ask("select access_grant(%s, %s)", case["id"], json.dumps({
                "organisation": "INDEPENDENT" if person else other, "client_id": REVIEWER if person else None,
                "role": "reviewer" if person else "joint_committee", "starts_on": today(),
                "ends_on": days_ahead(30) if person else None}))

    def end_access(self):
        code = self.as_committee()
        access = self.any("case_access", "committee = %s and ended_on is null", code)
        if access:
            self.ask("select access_change(%s, %s, null, %s)", access["case_id"], access["id"],
                     json.dumps({"ended_on": today()}))

    def hand_over(self):
        code = self.as_committee()
        other = "EDH" if code == "GLA" else "GLA"
        case = self.any("review_case", "committee = %s", code)
        if case:
            self.ask("select transfer_propose(%s, %s)", case["id"], json.dumps(
                {"to_committee": other, "reason": "child_moved", "proposed_on": today()}))
            transfer = self.any("case_transfer", "case_id = %s and status = 'proposed'", case["id"])
            time.sleep(self.random.random() * 0.2)
            self.become(f"CPC-{other}")
            self.ask("select transfer_accept(%s, null, %s)", transfer["id"], json.dumps(
                {"decided_on": today(), "local_authority": AREAS[other]}))

    def hand_referral_over(self):
        code = self.as_committee()
        other = "EDH" if code == "GLA" else "GLA"
        referral = self.any("referral", "committee = %s and status = 'submitted'", code)
        if referral:
            self.ask("select referral_transfer(%s, null, %s)", referral["id"], json.dumps(
                {"to_committee": other, "local_authority": AREAS[other], "transferred_on": today()}))

    def accept(self):
        code = self.as_committee()
        referral = self.any("referral", "committee = %s and status = 'submitted' and received_at < now() - "
                            "interval '2 s'", code)
        if referral and self.random.random() < 0.3:
            self.ask("select referral_accept(%s, null, %s)", referral["id"], json.dumps(
                {"accepted_on": today(), "case_id": None, "review_type": "single"}))

    def delete(self):
        self.ask("reset role")
        if self.random.random() < 0.2:
            self.ask("delete from review_case c where c.id = (select id from review_case x where not exists "
                     "(select from referral r where r.case_id = x.id) order by random() limit 1)")


class Short(threading.Thread):
    """Sends requests to both instances in turn."""

    def __init__(self, clients, enough, seed):
        super().__init__(daemon=True)
        self.clients, self.enough, self.random = clients, enough, random.Random(seed)
        self.done = 0

    def run(self):
        while not self.enough.is_set():
            agency, committee = self.random.choice(self.clients)
            referral = agency.send("pushReferral", new_referral(source_reference=uuid.uuid4().hex))
            if referral.status == 201 and self.random.random() < 0.3:
                committee.send("acknowledgeReferral", {"acknowledged_on": today()}, id=referral["id"])
            for action in agency.send("listActions", query="limit=2")["items"]:
                agency.send("addActionUpdate", new_update(progress=self.random.randint(0, 99)), id=action["id"])
            self.done += 1
            time.sleep(self.random.random() * 0.1)


class Consumer(threading.Thread):
    """Keeps a copy: (subject, id) -> version."""

    def __init__(self, name, urls, token, enough, begin="/v1/changes", whole=True):
        super().__init__(daemon=True)
        self.label, self.urls, self.enough, self.whole = name, urls, enough, whole
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.target, self.copy, self.seen = begin, {}, set()
        self.ahead = set()
        self.faults, self.events, self.requests = [], 0, 0

    def run(self):
        quiet = 0
        try:
            while quiet < 2:
                page = self.read()
                quiet = quiet + 1 if self.enough.is_set() and not page["items"] and not page["more"] else 0
        except Exception as failure:  # shown by the test
            self.faults.append(repr(failure))

    def read(self):
        feed = self.target.startswith("/v1/changes?") or self.target == "/v1/changes"
        mark = "&" if "?" in self.target else "?"
        url = random.choice(self.urls) + self.target + (f"{mark}wait=1&limit=50" if feed else f"{mark}limit=20")
        answer = self.session.get(url, timeout=20)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text}")
        page = answer.json()
        self.requests += 1
        parts = urllib.parse.urlsplit(page["next"])
        after = urllib.parse.parse_qs(parts.query)["after"][0]
        self.target = f"{parts.path}?after={after}"
        for event in page["items"]:
            self.take(event, feed)
        return page

    def take(self, event, feed):
        key = (event["subject"], event["subject_id"])
        kind = event["type"].split(".")[1]
        self.events += 1
        if feed and event["id"] in self.seen:
            self.faults.append(f"repeated: {event}")
        self.seen.add(event["id"])
        if kind == "removed":
            self.copy.pop(key, None)
            return
        known = self.copy.get(key)
        # A consumer that has read from the beginning and always had access misses no version.
        if feed and self.whole:
            self.check(kind, key, known, event)
        # A snapshot that began earlier may have given a later version; so may an event `present`.
        self.copy[key] = max(known or 0, event["version"])

    def check(self, kind, key, known, event):
        if kind == "present":
            self.ahead.add(key)
        elif kind == "created":
            if known is not None:
                self.faults.append(f"there already: {event}")
        elif known is None or event["version"] > known + 1 or event["version"] <= known and key not in self.ahead:
            self.faults.append(f"known {known}: {event}")
        elif event["version"] == known + 1:
            self.ahead.discard(key)


def truth(cluster, organisation, client, scopes):
    """Returns everything that the principal may see according to the database: row-level security decides."""
    link = psycopg2.connect(host=str(cluster.folder), user="register_service", dbname="learning_reviews")
    with link, link.cursor() as cursor:
        take_claims(cursor, organisation, scopes, client)
        cursor.execute("select subject, table_name, feed_key_member(s) from feed_subject s "
                       "where lane = any (feed_lanes())")
        found = {}
        for subject, table, key in cursor.fetchall():
            # The retention rule of all Scotland belongs to no committee: it is reference data, not in the feed.
            cursor.execute(f"select {key}::text, version from {table} t "
                           "where to_jsonb(t) -> 'committee' is distinct from 'null'")
            found.update({(subject, one): version for one, version in cursor.fetchall()})
    link.close()
    return found


@pytest.fixture
def register():
    cluster, keys = Cluster(), Secrets()
    instances = [Instance(cluster, keys) for _ in range(2)]
    try:
        for each in instances:
            each.start()
        yield cluster, instances
    finally:
        for each in instances:
            each.stop()
        cluster.remove()
        keys.remove()


def token_of(instance, organisation, client, scopes=ALL_SCOPES):
    return instance.run("token", "--organisation", organisation, "--client", client, "--scope", scopes)


AGENCY_SCOPES = "referrals.read actions.read actions.write referrals.write changes.read"
PRINCIPALS = {
    "committee": ("CPC-GLA", "copy", ALL_SCOPES),
    "other committee": ("CPC-EDH", "copy", ALL_SCOPES),
    "agency": (AGENCIES[0], "copy", AGENCY_SCOPES),
    "reviewer": ("INDEPENDENT", REVIEWER, ALL_SCOPES),
    "chief officers": ("COG-GLA", "copy", "cases.read actions.read changes.read"),
    "actions only": ("CPC-GLA", "narrow", "actions.read changes.read"),
}


def test_consumers_rebuild_everything_they_may_see(register):
    cluster, instances = register
    urls = [each.url for each in instances]
    writing, reading = threading.Event(), threading.Event()
    clients = [(Client(url, token_of(instances[0], AGENCIES[0], "short")),
                Client(url, token_of(instances[0], "CPC-GLA", "short"))) for url in urls]
    consumers = []

    def start(name, begin="/v1/changes"):
        # Events `present` and `removed` show changes of access, and hide its old events: a copy from the beginning is
        # exact in the end, but not version by version.
        whole = begin == "/v1/changes" and name in ("committee", "agency", "chief officers", "actions only")
        organisation, client, scopes = PRINCIPALS[name]
        made = Consumer(f"{name}, {begin}", urls, token_of(instances[0], organisation, client, scopes), reading,
                        begin, whole)
        consumers.append((made, PRINCIPALS[name]))
        made.start()

    for name in PRINCIPALS:
        start(name)
    for _ in range(12):
        make_action(clients[0][1], make_case(clients[0][1], "decision"))
    writers = [Long(cluster, writing, seed) for seed in range(LONG_WRITERS)]
    writers += [Short(clients, writing, seed) for seed in range(API_WRITERS)]
    for each in writers:
        each.start()
    time.sleep(SECONDS / 2)
    for name in PRINCIPALS:
        start(name, "/v1/changes/snapshot")
    time.sleep(SECONDS / 2)
    writing.set()
    for each in writers:
        each.join(timeout=30)
    time.sleep(0.6)  # commits that bypass all instances are found within half a second
    reading.set()
    for each, _ in consumers:
        each.join(timeout=60)
    long = writers[:LONG_WRITERS]
    print(f"\n{SECONDS:.0f} s: {sum(each.committed for each in long)} long transactions (longest "
          f"{max(each.longest for each in long):.1f} s), {sum((each.refused for each in long), collections.Counter())} "
          f"refused, {sum(each.done for each in writers[LONG_WRITERS:])} rounds of requests")
    for each, principal in consumers:
        expected = truth(cluster, *principal)
        print(f"{each.label:<40} {each.events:>6} events in {each.requests} requests, {len(each.copy)} things")
        assert each.faults[:3] == [], each.label
        difference = {key: (each.copy.get(key), expected.get(key)) for key in set(each.copy) | set(expected)
                      if each.copy.get(key) != expected.get(key)}
        assert difference == {}, each.label
    assert sum(each.committed for each in long) > 20
    assert max(each.longest for each in long) > 1
