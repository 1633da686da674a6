"""Reads on a standby: never older than their request, whatever happens to the standby."""
import contextlib
import time
import uuid

import pytest
import requests

from payloads import new_referral
from replicas import Node
from service import Instance, Secrets

AGENCY = "LA-S12000049"
SCOPES = "referrals.read referrals.write changes.read"
EXACT = "statistics.read statistics.unsuppressed"
WRITES = 60


class Register:
    """Two instances on a primary, which read on its standby."""

    def __init__(self):
        self.nodes = [Node()]
        self.primary = self.nodes[0]
        self.primary.set("wal_writer_delay = '10ms'")
        self.keys = Secrets()
        self.instances = []
        self.standby = Node(self.primary)
        self.nodes.append(self.standby)
        self.primary.wait_for_standby()

    def start(self, **settings):
        for _ in range(2):
            made = Instance(self.primary, self.keys, **{
                "LR_READ_DATABASE": self.standby.connection_string("register_service"), **settings})
            self.instances.append(made.start())
        token = self.instances[0].run("token", "--organisation", AGENCY, "--client", "reads", "--scope", SCOPES)
        self.analyst = self.instances[0].run("token", "--organisation", "SG", "--client", "reads", "--scope", EXACT)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.await_reads("connected")
        return self

    def await_reads(self, what):
        """Waits until the second instance has connections to the standby, or has none."""
        deadline = time.monotonic() + 10
        while (self.figure('database_pool_connected{pool="reads"}') > 0) != (what == "connected"):
            assert time.monotonic() < deadline, what
            time.sleep(0.02)
        time.sleep(1.1)  # after a failure reads use the primary for a second

    def push(self):
        """Writes through the first instance; returns the referral's id."""
        answer = self.session.post(f"{self.instances[0].url}/v1/referrals", timeout=20,
                                   json=new_referral(source_reference=uuid.uuid4().hex))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def ask(self, target, token=None):
        """Returns the answer of the second instance."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = target if "://" in target else self.instances[1].url + target
        return self.session.get(url, headers=headers, timeout=30)

    def get(self, target, token=None):
        answer = self.ask(target, token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def snapshot(self):
        return {event["subject_id"] for event in self.get("/v1/changes/snapshot?limit=200")["items"]}

    def counted(self):
        rows = self.get("/v1/statistics/referrals_received?view=live&period_type=month", self.analyst)["rows"]
        return sum(row["value"] for row in rows if row["figure"] == "count")

    def figure(self, name):
        return self.instances[1].figure(name)

    def answered_by(self, who):
        return self.figure(f'standby_reads_total{{answered_by="{who}"}}')

    @contextlib.contextmanager
    def counting(self, who):
        """Yields a list that contains, after the block, how many reads were answered there meanwhile."""
        before, found = self.answered_by(who), []
        yield found
        found.append(self.answered_by(who) - before)

    def remove(self):
        for each in self.instances:
            each.stop()
        for each in self.nodes:
            each.remove()
        self.keys.remove()


@pytest.fixture(scope="module")
def register():
    made = Register()
    try:
        yield made.start()
    finally:
        made.remove()


def check_own_writes(register, writes):
    """Each write is visible in the next read through the other instance, at once."""
    follow = register.get("/v1/changes?limit=200&wait=1")["next"]
    mine = []
    for _ in range(writes):
        mine.append(register.push())
        assert mine[-1] in register.snapshot()
    told, deadline = [], time.monotonic() + 5
    while not set(mine) <= set(told) and time.monotonic() < deadline:
        page = register.get(follow)
        told += [event["subject_id"] for event in page["items"]]
        follow = page["next"]
    assert set(mine) <= set(told) and len(told) == len(set(told))
    counted = register.counted()
    deadline = time.monotonic() + 1
    while counted != len(register.snapshot()) and time.monotonic() < deadline:
        counted = register.counted()
    assert counted == len(register.snapshot())


def test_the_standby_answers_with_every_acknowledged_write(register):
    with register.counting("standby") as by_standby, register.counting("primary") as by_primary:
        check_own_writes(register, WRITES)
    print(f"\n{WRITES} writes through one instance, each read at once through the other: "
          f"{by_standby[0]:.0f} reads by the standby, {by_primary[0]:.0f} left to the primary")
    assert by_standby[0] > WRITES * 0.8


def test_answers_of_a_standby_that_stopped_replaying_are_not_used(register):
    register.push()
    register.standby.execute("select pg_wal_replay_pause()")
    with register.counting("standby") as by_standby:
        register.push()  # from here on it lags behind
        check_own_writes(register, 10)
    assert by_standby[0] == 0
    register.standby.execute("select pg_wal_replay_resume()")
    time.sleep(1.2)
    with register.counting("standby") as by_standby:
        register.snapshot()
    assert by_standby[0] == 1


def test_a_lost_standby_fails_no_read_and_is_used_again_later(register):
    register.standby.kill()
    with register.counting("standby") as by_standby:
        check_own_writes(register, 5)
    assert by_standby[0] == 0
    register.standby.start()
    register.await_reads("connected")
    with register.counting("standby") as by_standby:
        check_own_writes(register, 5)
    assert by_standby[0] >= 5


def test_a_refusal_by_the_standby_is_final(register):
    with register.counting("standby") as by_standby:
        answer = register.ask("/v1/statistics/nothing?view=live", register.analyst)
    assert answer.status_code == 404
    assert by_standby[0] == 1


def test_a_role_that_bypasses_row_level_security_is_not_used_for_reads(register):
    wrong = Instance(register.primary, register.keys, LR_READ_DATABASE=register.standby.connection_string("postgres"))
    try:
        wrong.start()
        deadline = time.monotonic() + 5
        while "row-level security" not in wrong.log_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "LR_READ_DATABASE is not used" in wrong.log_text()
        assert 'database_pool_connected{pool="reads"} 0\n' in wrong.admin("/metrics")[1]
        assert register.session.get(f"{wrong.url}/v1/changes", timeout=20).status_code == 200
    finally:
        wrong.stop()


def test_a_primary_that_becomes_read_only_is_abandoned_and_used_again_later(register):
    first = register.instances[0]
    register.primary.set("default_transaction_read_only = on")
    deadline = time.monotonic() + 5
    while first.admin("/readyz")[0] == 200 and time.monotonic() < deadline:
        answer = register.session.post(f"{first.url}/v1/referrals", json=new_referral(), timeout=20)
        assert answer.status_code in (201, 503), answer.text
    assert first.admin("/readyz")[0] == 503
    assert answer.headers["Retry-After"]
    register.primary.execute("alter system reset default_transaction_read_only")
    register.primary.execute("select pg_reload_conf()")
    deadline = time.monotonic() + 5
    while first.admin("/readyz")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.02)
    register.push()


def test_a_promoted_standby_is_not_read_from(register):
    register.push()
    register.standby.promote()
    with register.counting("standby") as by_standby:
        check_own_writes(register, 10)
    assert by_standby[0] == 0
