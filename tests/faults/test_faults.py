"""One call inside fails, each in turn: no crash, no half-done change, no success that is none.

Calls for memory are hundreds a request: each LR_MEMORY_STEP-th fails (4), from a first one that follows from the
request's name.
"""
import gzip
import http.client
import os
import zlib

import psycopg2
import pytest

from plan import CUT, MEMORY, REFUSED
from waiting import WATCHDOG_S, wait_until

FAULTS_MOST = 1500
MEMORY_STEP = int(os.environ.get("LR_MEMORY_STEP", "4"))
GROWTH_KIB = 256  # in one round: what memory of the C library may come and go
CONNECTIONS = 3 + 1 + 3  # of requests, of pushes, and of what goes on by itself
ALL_CONNECTED = {'database_pool_connected{pool="requests"} 3', 'database_pool_connected{pool="pushes"} 1'}
UPKEEP = ("code_entry", "feed_mark", "feed_floor", "audit_seal", "audit_head")
# What may come instead of the proper answer: nothing at all, or one that says "not now".
EXCUSES = (0, 500, 503)
IN_MEMORY = ("getIndex getContract getCase listCases noSuchPath badQuery badBody freeText openCaseOnce changeCase "
             "pushReferralOnce").split()
WITH_DATABASE = ("getPrincipal listStages getCase listCases listTimeline notFound badRule stale openCase openCaseOnce "
                 "changeCase putDecision moveCase createAction changeAction pushReferral pushReferralOnce "
                 "pushReferrals pushReferralsAtomic").split()


class Register:
    """How many rows and versions each table has: what a request changed shows as a difference."""

    def __init__(self, cluster):
        self.link = psycopg2.connect(host=str(cluster.folder), user="postgres",
                                     dbname="learning_reviews")
        self.link.autocommit = True
        rows = self.ask("select c.relname, exists (select from pg_attribute a where a.attrelid = c.oid "
                        "and a.attname = 'version' and a.atttypid = 'bigint'::regtype) from pg_class c where c.relkind = 'r' "
                        "and c.relnamespace = 'register'::regnamespace order by 1")
        # The upkeep of feed, sums and trail goes on by itself; events carry versions that grow from change to change;
        # an answer that is shown again is a read in the trail.
        changing = [(name, versioned and name != "feed_event") for name, versioned in rows
                    if name not in UPKEEP and not name.startswith("statistic_")]
        self.names = [name for name, _ in changing]
        self.query = "select " + ", ".join(
            f"(select count(*) {'+ coalesce(sum(version), 0)' if versioned else ''} from register.{name}"
            f"{' where kind = $$change$$' if name == 'audit_entry' else ''})" for name, versioned in changing)

    def ask(self, query):
        with self.link.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def named(self, change):
        """What changed by how much."""
        return {name: by for name, by in zip(self.names, change) if by != 0}

    def connections(self):
        return self.ask("select count(*) from pg_stat_activity where usename = 'register_service'")[0][0]

    def state(self):
        return [int(each) for each in self.ask(self.query)[0]]


@pytest.fixture(scope="session")
def register(cluster, instance):
    made = Register(cluster)
    yield made
    made.link.close()


def send(instance, request):
    """Status and body; status 0 when the connection was closed instead."""
    method, target, headers, body = request
    link = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=WATCHDOG_S)
    try:
        link.request(method, target, body, headers)
        answer = link.getresponse()
        read = answer.read()
        # Not by the header: when the HTTP library has no memory for one, it leaves it out.
        return answer.status, gzip.decompress(read) if read[:2] == b"\x1f\x8b" else read
    except (ConnectionError, http.client.HTTPException):
        return 0, b""
    finally:
        link.close()


def send_until_served(instance, request):
    """The same, waiting while a connection to the database is made again."""
    def served():
        reply = send(instance, request)
        return reply if reply[0] != 503 else None
    return wait_until(served, "an answer other than 503")


def change_of(register, before):
    return [now - then for now, then in zip(register.state(), before)]


@pytest.fixture
def proper(instance, corpus, register):
    """The answer and the effect of a request when nothing fails."""
    known = {}

    def find(name):
        if name not in known:
            send(instance, corpus.make(name))
            request = corpus.make(name)
            before = register.state()
            status, body = send(instance, request)
            known[name] = status, body, change_of(register, before)
        return known[name]
    return find


class Torture:
    def __init__(self, plan, instance, corpus, register, proper):
        self.plan, self.instance, self.corpus, self.register = plan, instance, corpus, register
        self.proper = proper
        self.faults, self.statuses = 0, {}

    def fail(self, name, kind, number):
        """Lets one call fail. Returns whether there was such a call."""
        self.settle(name)
        request = self.corpus.make(name)
        before = self.register.state() if self.corpus.is_write(name) else None
        with self.plan.failing(kind, number) as figures:
            status, body = send(self.instance, request)
            failed = figures()[1] > 0
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.faults += failed
        place = f"{name}, call {number}: {status} {body[:300]!r}"
        assert not self.instance.has_ended(), f"the service ended at {place}"
        if before is None:
            self.check_read(name, status, body, place)
        else:
            self.check_write(name, request, before, status, place)
        return failed

    def settle(self, name):
        """Waits until the connections that earlier faults broke are there again, and PostgreSQL has ended those: what
        it had received it still does, after the answer."""
        if self.plan.kind != MEMORY:
            # What was cut at its last call is noticed at the next use: by a read, which may be repeated.
            send(self.instance, self.corpus.make("getPrincipal"))
        wait_until(lambda: ALL_CONNECTED <= set(self.instance.admin("/metrics")[1].splitlines()),
                   "every connection is there again")
        wait_until(lambda: self.register.connections() <= CONNECTIONS, "broken connections have ended")
        if self.plan.kind != MEMORY and name in self.corpus.pushes:
            send_until_served(self.instance, self.corpus.make("pushReferral"))

    def check_read(self, name, status, body, place):
        expected, text, _ = self.proper(name)
        assert status in (expected, *EXCUSES), place
        assert status != expected or expected != 200 or body == text, f"another answer at {place}"

    def check_write(self, name, request, before, status, place):
        expected, _, effect = self.proper(name)
        nothing = [0] * len(effect)
        change = change_of(self.register, before)
        assert status in (expected, *EXCUSES), place
        assert change in (effect, nothing), f"half a change at {place}: {self.register.named(change)}"
        assert status != expected or change == effect, f"a success that is none at {place}"
        if "Idempotency-Key" in request[2]:
            again, text = send_until_served(self.instance, request)
            assert again in (200, expected), f"{again} {text!r} when repeated after {place}"
            assert change_of(self.register, before) == effect, f"twice or never after {place}"

    def run(self, name, kind):
        self.plan.kind = kind
        self.settle(name)
        self.proper(name)
        step = MEMORY_STEP if kind == MEMORY else 1
        number = 1 + zlib.crc32(name.encode()) % step
        while self.fail(name, kind, number) and number < FAULTS_MOST:
            number += step
            if self.faults % 10 == 0:
                status, _ = send_until_served(self.instance, self.corpus.make("getPrincipal"))
                assert status == 200, f"not healthy after {name}, call {number}"
        status, _ = send_until_served(self.instance, self.corpus.make("getPrincipal"))
        assert status == 200
        print(f"\n{name}: {self.faults} faults, answers {dict(sorted(self.statuses.items()))}")
        return self.faults


@pytest.fixture
def torture(plan, instance, corpus, register, proper):
    return Torture(plan, instance, corpus, register, proper)


@pytest.mark.parametrize("name", IN_MEMORY)
def test_when_memory_is_out_once_nothing_is_wrong(torture, name):
    """A message of PostgreSQL that libpq has no memory for is lost: its request waits 8 s, then is asked again."""
    assert torture.run(name, MEMORY) > 10 / MEMORY_STEP


@pytest.mark.parametrize("kind", [REFUSED, CUT], ids=["refused", "cut"])
@pytest.mark.parametrize("name", WITH_DATABASE)
def test_when_a_call_to_the_database_fails_nothing_is_wrong(torture, name, kind):
    assert torture.run(name, kind) > 3


def resident_kib(instance):
    with open(f"/proc/{instance.process.pid}/status", encoding="ascii") as facts:
        return next(int(line.split()[1]) for line in facts if line.startswith("VmRSS"))


def test_what_failed_leaves_no_memory_behind(torture, instance):
    """The same failures again and again: what each leaves behind would show in every one of the rounds."""
    def grows():
        before = resident_kib(instance)
        torture.run("badBody", MEMORY)
        return resident_kib(instance) - before >= GROWTH_KIB
    torture.run("badBody", MEMORY)
    assert not all(grows() for _ in range(12))
    assert len(os.listdir(f"/proc/{instance.process.pid}/fd")) < 60
