"""deploy/cluster survives the loss of each single part: nothing acknowledged is lost or doubled, no reader gets wrong
data.

Meanwhile clients push, read their own writes, follow the feed and poll statistics through HAProxy, and get nothing but
503 and broken connections. LR_CLUSTER_ROUNDS is the number of losses of each part (1); with more than one, whole
machines are lost as well.
"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

import psycopg2
import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "process"))

from payloads import new_referral  # noqa: E402
from replicas import kill_postgres  # noqa: E402
from service import program  # noqa: E402
from test_feed import Consumer  # noqa: E402

ROUNDS = int(os.environ.get("LR_CLUSTER_ROUNDS", "1"))
RUN = ROOT / "deploy" / "cluster" / "run"
AGENCY, WITNESS, ANALYST = "LA-S12000049", "HB-S08000031", "SG"
SCOPES = "referrals.write referrals.read changes.read statistics.read statistics.unsuppressed"
PUSHERS, PAUSE_S = 6, 0.03
ANSWERED = (200, 201)
LATER = (409, 503)  # the push is still in progress, or no instance can answer now
PROMISED_S = 1.0    # statistics count everything acknowledged that long ago
HEAL_S = 90
# An outage is the longest time without a success. It depends on Patroni's ttl (20 s) and the silence that the service
# tolerates (8 s), not on the speed of the machine.
LONGEST_OUTAGE_S = 45


class Machines:
    """The three machines of deploy/cluster, with addresses and a folder of their own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lr-cluster-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.network = f"127.{random.randint(30, 250)}.{random.randint(0, 250)}"
        self.numbers = (1, 2, 3)
        self.fronts = [f"http://{self.network}.{n}:8080" for n in self.numbers]

    def run(self, *words):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LR_")}
        environment.update(CLUSTER_STATE=str(self.state), CLUSTER_NETWORK=self.network, LR_BINARY=str(program()))
        done = subprocess.run([RUN, *map(str, words)], env=environment, check=False, timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise RuntimeError(f"run {words}: {done.stdout.decode(errors='replace')[-2000:]}")

    def token(self, organisation):
        environment = {"LR_MODE": "dev", "LR_DEV_SECRET_FILE": str(self.state / "secrets" / "dev-secret"),
                       "PATH": os.environ["PATH"]}
        return subprocess.run([program(), "token", "--organisation", organisation, "--client", "cluster", "--scope",
                               SCOPES], env=environment, check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    def pid(self, number, part):
        return int((self.state / "run" / f"m{number}-{part}").read_text())

    def signal(self, number, part, which):
        os.kill(self.pid(number, part), which)

    def data(self, number):
        return self.state / f"m{number}" / "data"

    def roles(self):
        """Returns each machine's role in Patroni; omits machines that do not answer."""
        found = {}
        for number in self.numbers:
            try:
                says = requests.get(f"http://{self.network}.{number}:8008/patroni", timeout=1).json()
            except (requests.RequestException, ValueError):
                continue
            found[number] = "sync" if says.get("sync_standby") else says.get("role")
        return found

    def who_is(self, role):
        return next((number for number, its in self.roles().items() if its in role), None)

    def primary(self):
        return self.who_is(("master", "primary"))

    def sync_standby(self):
        return self.who_is(("sync",))

    def is_whole(self):
        roles = list(self.roles().values())
        return len(roles) == 3 and roles.count("sync") == 1 and roles.count("replica") == 1

    def heal(self):
        """Starts everything that is not running, and waits until all roles are as before."""
        deadline = time.monotonic() + HEAL_S
        self.run()
        while not self.is_whole():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the cluster does not recover: {self.roles()}")
            time.sleep(0.3)

    def execute(self, statement):
        link = psycopg2.connect(host=f"{self.network}.{self.primary()}", port=5432, user="postgres",
                                dbname="learning_reviews", password=(self.state / "secrets" / "superuser").read_text())
        with link, link.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def remove(self):
        self.run("--reset")
        shutil.rmtree(self.folder, ignore_errors=True)


class Caller:
    """Sends through one HAProxy, and through the next when that one does not answer."""

    def __init__(self, fronts, token, first=0):
        self.fronts, self.at = fronts, first
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.unexpected, self.retries = [], 0

    def once(self, method, target, **more):
        """Returns an answer, or None when the request must be retried."""
        try:
            answer = self.session.request(method, self.fronts[self.at % 3] + target, timeout=45, **more)
        except requests.RequestException:
            self.at += 1
            answer = None
        if answer is None or answer.status_code in LATER:
            self.retries += 1
            time.sleep(0.05)
            return None
        if answer.status_code not in ANSWERED:
            self.unexpected.append((method, target, answer.status_code, answer.text))
        return answer

    def until_answered(self, method, target, **more):
        while (answer := self.once(method, target, **more)) is None:
            pass
        return answer


class Working(threading.Thread):
    """Repeats an operation; an exception in it is a fault of the test."""

    def __init__(self, caller, enough):
        super().__init__(daemon=True)
        self.caller, self.enough, self.faults, self.times = caller, enough, [], []

    def run(self):
        try:
            while not self.enough.is_set():
                self.step()
                self.times.append(time.monotonic())
        except Exception as failure:  # shown by the test
            self.faults.append(repr(failure))


def push(caller):
    document = new_referral(source_reference=uuid.uuid4().hex)
    answer = caller.until_answered("POST", "/v1/referrals", json=document,
                                   headers={"Idempotency-Key": uuid.uuid4().hex})
    return document["source_reference"], answer.json()["id"]


class Pushing(Working):
    def __init__(self, caller, enough):
        super().__init__(caller, enough)
        self.acknowledged = []

    def step(self):
        self.acknowledged.append((*push(self.caller), time.monotonic()))
        time.sleep(PAUSE_S)


class Witnessing(Working):
    """Writes through one HAProxy and reads at once through another: the write must be visible."""

    def __init__(self, writer, reader, enough):
        super().__init__(writer, enough)
        self.reader, self.acknowledged = reader, []

    def step(self):
        reference, mine = push(self.caller)
        self.acknowledged.append((reference, mine))
        if mine not in self.snapshot():
            self.faults.append(f"{mine} was written and is not read")
        time.sleep(0.7)

    def snapshot(self):
        seen, target = set(), "/v1/changes/snapshot?limit=200"
        while target.startswith("/v1/changes/snapshot"):
            page = self.reader.until_answered("GET", target).json()
            seen.update(event["subject_id"] for event in page["items"])
            parts = urllib.parse.urlsplit(page["next"])
            target = f"{parts.path}?{parts.query}"
        return seen


class Counting(Working):
    """Polls statistics: they always include everything acknowledged a second before, unless they report pending
    changes."""

    def __init__(self, caller, enough, writers):
        super().__init__(caller, enough)
        self.writers = writers

    def acknowledged(self, before):
        return sum(sum(1 for one in each.acknowledged if len(one) < 3 or one[2] < before) for each in self.writers)

    def step(self):
        least = self.acknowledged(time.monotonic() - PROMISED_S)
        answer = self.caller.until_answered("GET", "/v1/statistics/referrals_received?view=live&period_type=month")
        counted = sum(row["value"] for row in answer.json()["rows"])
        if counted < least and answer.json()["pending"] == 0:
            self.faults.append(f"{counted} counted, {least} acknowledged")
        time.sleep(0.2)


class Following(Consumer):
    """The feed's consumer of tests/process, through HAProxy."""

    def __init__(self, caller, token, enough):
        super().__init__("feed", caller.fronts, token, enough)
        self.caller = caller

    def read(self):
        self.urls = [self.caller.fronts[self.caller.at % 3]]
        while True:
            try:
                return super().read()
            except requests.RequestException:
                self.caller.at += 1
                self.urls = [self.caller.fronts[self.caller.at % 3]]
            except RuntimeError as refusal:
                if not str(refusal).startswith("503"):
                    raise
            time.sleep(0.05)


# --- losses


def lose_instance(machines):
    machines.signal(1, "instance", signal.SIGKILL)
    time.sleep(2)


def drain_instance(machines):
    machines.run("--stop", 2, "instance")


def reload_haproxy(machines):
    for number in machines.numbers:
        machines.run("--reload", number, "haproxy")
    time.sleep(1)


def lose_haproxy(machines):
    """Kills master and worker, because systemd would end both."""
    machines.run("--start", 3, "haproxy")
    pid = machines.pid(3, "haproxy")
    workers = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, check=True)
    for each in [pid, *map(int, workers.stdout.split())]:
        os.kill(each, signal.SIGKILL)
    time.sleep(2)


def lose_primary(machines):
    old = machines.primary()
    kill_postgres(machines.data(old))
    await_other_primary(machines, old)


def lose_sync_standby(machines):
    old = machines.sync_standby()
    kill_postgres(machines.data(old))
    deadline = time.monotonic() + HEAL_S
    while machines.sync_standby() in (None, old) and time.monotonic() < deadline:
        time.sleep(0.2)


def lose_etcd(machines):
    machines.signal(machines.primary(), "etcd", signal.SIGKILL)
    time.sleep(3)


def lose_patroni(machines):
    """PostgreSQL continues without Patroni: it must be stopped before another one is promoted."""
    old = machines.primary()
    machines.signal(old, "patroni", signal.SIGKILL)
    await_other_primary(machines, old)


def pause_patroni(machines):
    old = machines.primary()
    machines.signal(old, "patroni", signal.SIGSTOP)
    await_other_primary(machines, old)
    machines.signal(old, "patroni", signal.SIGCONT)


def lose_machine(machines):
    old = machines.primary()
    kill_postgres(machines.data(old))
    for part in ("patroni", "etcd", "haproxy", "instance"):
        machines.signal(old, part, signal.SIGKILL)
    await_other_primary(machines, old)


def await_other_primary(machines, old):
    deadline = time.monotonic() + HEAL_S
    while machines.primary() in (None, old) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2)


LOSSES = [lose_instance, drain_instance, reload_haproxy, lose_haproxy, lose_primary, lose_sync_standby, lose_etcd,
          lose_patroni, pause_patroni]


def longest_gap(times, since, until):
    """Returns the longest time without a success of any client."""
    inside = sorted([since, *(one for one in times if since < one < until), until])
    return max(after - before for before, after in zip(inside, inside[1:]))


@pytest.fixture
def machines():
    made = Machines()
    try:
        made.run()
    except RuntimeError as refusal:
        if "could not install the packages" in str(refusal):
            pytest.skip(f"NOT TESTED, packages cannot be had: {refusal}")
        raise
    try:
        made.heal()
        yield made
    finally:
        made.remove()


def test_the_loss_of_any_single_part_loses_nothing(machines):
    enough, read = threading.Event(), threading.Event()
    agency, witness, analyst = (machines.token(one) for one in (AGENCY, WITNESS, ANALYST))
    pushing = [Pushing(Caller(machines.fronts, agency, n), enough) for n in range(PUSHERS)]
    witnessing = Witnessing(Caller(machines.fronts, witness, 0), Caller(machines.fronts, witness, 1), enough)
    counting = Counting(Caller(machines.fronts, analyst, 2), enough, pushing)
    following = Following(Caller(machines.fronts, agency, 1), agency, read)
    workers = [*pushing, witnessing, counting]
    for each in [*workers, following]:
        each.start()
    outages = {}
    try:
        time.sleep(2)
        losses = LOSSES if ROUNDS == 1 else random.sample(LOSSES * ROUNDS, len(LOSSES) * ROUNDS) + [lose_machine] * ROUNDS
        for lose in losses:
            since = time.monotonic()
            lose(machines)
            machines.heal()
            time.sleep(1)
            until = time.monotonic()
            gaps = [longest_gap([one for each in group for one in each.times], since, until)
                    for group in (pushing, [witnessing, counting])]
            outages.setdefault(lose.__name__, []).append(gaps[0])
            print(f"{lose.__name__:<18} whole again after {until - since - 1:5.1f} s; longest time without a push "
                  f"{gaps[0]:5.2f} s, without a read {gaps[1]:5.2f} s", flush=True)
        enough.set()
        for each in workers:
            each.join(timeout=60)
        time.sleep(1)
        read.set()
        following.join(timeout=60)
        stored = machines.execute("select source_reference, id::text, source_organisation from register.referral")
    finally:
        enough.set()
        read.set()
    acknowledged = [one[:2] for each in [*pushing, witnessing] for one in each.acknowledged]
    kept = [one[:2] for one in stored]
    callers = [each.caller for each in workers] + [witnessing.reader]
    print(f"{len(acknowledged)} writes acknowledged, {sum(each.retries for each in callers)} retries, "
          f"{len(set(acknowledged) - set(kept))} lost, {len(kept) - len({one for one, _ in kept})} doubled; "
          f"{len(witnessing.acknowledged)} own writes read, {len(counting.times)} polls of statistics, "
          f"{following.events} events of the feed in {following.requests} requests")
    assert [fault for each in callers for fault in each.unexpected] == []
    assert [fault for each in workers for fault in each.faults] == []
    assert sorted(kept) == sorted(acknowledged)
    assert following.faults == []
    assert {one for _, one in following.copy} == {one for _, one, whose in stored if whose == AGENCY}
    assert len(acknowledged) > 500
    assert max(max(each) for each in outages.values()) < LONGEST_OUTAGE_S
