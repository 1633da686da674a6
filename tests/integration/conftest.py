"""Fixtures of the integration tests: one database, two instances, and callers of every kind."""
import concurrent.futures
import contextlib
import sys
import types

import psycopg2
import pytest

import contract_reader
import day
from client import AGENCY_SCOPES, ALL_SCOPES, Client, Recorder
from invariants import Watcher
from receiver import Receiver
from service import Instance, program
from trail import judge_the_trail
from waiting import WATCHDOG_S

day.keep()
# The service closes a connection whose request takes too long; these limits prevent that on a machine that hangs.
Instance.usual |= {"LR_HEADER_SECONDS": WATCHDOG_S, "LR_REQUEST_SECONDS": WATCHDOG_S}
# Each database connection plans its statements itself: with the default number of connections that is half of the
# tests' time.
Instance.usual |= {"LR_CONNECTIONS": 4, "LR_PUSH_CONNECTIONS": 2}


@pytest.fixture(scope="session")
def recorder():
    made = Recorder(contract_reader.TRAFFIC_FILE)
    yield made
    made.close()


@pytest.fixture(scope="session")
def receiver(keys):
    """The address to which webhooks may be sent."""
    made = Receiver(keys.receiver_socket, keys.receiver_certificate)
    yield made
    made.close()


@pytest.fixture(scope="session")
def instances(cluster, keys):
    """Starts two instances on one database."""
    made = [Instance(cluster, keys) for _ in range(2)]
    yield [each.start() for each in made]
    statuses = [each.stop() for each in made]
    assert statuses == [0, 0], "an instance did not end in order"


@pytest.fixture(scope="session", autouse=True)
def every_answer_has_its_audit_entry(recorder, cluster, instances):
    """When the tests of this worker are done, the trail must have the entries of their answers and no others."""
    yield
    judge_the_trail(recorder, cluster, instances)


@pytest.fixture(scope="session")
def instance(instances):
    return instances[0]


@pytest.fixture(autouse=True)
def no_complaints(instances):
    """No test may leave an error in the service's log; all instances must be running at its end."""
    yield
    complaints = [line for each in instances for line in each.complaints()]
    if any(each.has_ended() for each in instances):
        print(f"the service ended: {complaints}", file=sys.__stderr__)  # xdist drops the reason of an exit
        pytest.exit("the service ended", returncode=1)
    assert complaints == []


@pytest.fixture(scope="session")
def caller(instance, recorder):
    """Makes a caller: caller("LA-S12000049", "casework", "referrals.write")."""
    made = {}

    def make(organisation, client="tests", scope=ALL_SCOPES, at=instance):
        key = (organisation, client, scope, at.url)
        if key not in made:
            made[key] = Client(at.url, at.token(organisation, client, scope), recorder, make)
        return made[key]
    return make


@pytest.fixture(scope="session")
def chief_officers(caller):
    return caller("COG-GLA", "chief-officers-system")


@pytest.fixture(scope="session")
def health(caller):
    return caller("HB-S08000031", "health-board-system", AGENCY_SCOPES)


@pytest.fixture(scope="session")
def police(caller):
    return caller("POL-G", "police-system", AGENCY_SCOPES)


@pytest.fixture(scope="session")
def inspectorate(caller):
    return caller("CI", "inspectorate-system", "decisions.read notices.read observations.write")


@pytest.fixture(scope="session")
def dashboard(caller):
    return caller("SG", "national-dashboard", "statistics.read")


@pytest.fixture(scope="session")
def anonymous(instance, recorder):
    """A caller without a token."""
    return Client(instance.url, None, recorder)


@pytest.fixture(scope="session")
def watch(cluster, instances):
    """Checks the invariants of cases in the database itself; returns their rows by table."""
    with contextlib.closing(psycopg2.connect(cluster.connection_string("postgres"))) as link:
        link.autocommit = True
        watcher = Watcher(link)
        yield lambda *ids: watcher.look([types.SimpleNamespace(id=one) for one in ids])


@pytest.fixture
def in_background():
    """Runs a function in parallel with the test: in_background(f).result(timeout=…)."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        yield pool.submit


@contextlib.contextmanager
def further_instances(cluster, keys):
    """Makes more instances on the same database; they end with the block."""
    made = []

    def make(binary=None, **settings):
        made.append(Instance(cluster, keys, binary, **settings).start())
        return made[-1]
    try:
        yield make
    finally:
        for each in made:
            each.stop()


@pytest.fixture
def extra_instance(cluster, keys, instances):
    """Makes another instance on the same database, for one test: extra_instance(LR_RATE_LIMIT=20)."""
    with further_instances(cluster, keys) as make:
        yield make


@pytest.fixture(scope="module")
def module_instance(cluster, keys, instances):
    """Makes another instance on the same database, for all tests of a file."""
    with further_instances(cluster, keys) as make:
        yield make


@pytest.fixture(scope="session")
def database_only(cluster, keys, instances):
    """The build without scope checks in the service: the database checks all scopes."""
    with further_instances(cluster, keys) as make:
        yield make(program("LR_BINARY_DATABASE_ONLY", "learning-reviews-database-only"))
