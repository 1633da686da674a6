"""Fixtures of the tests of deploy/kit: a register, and a council's machine with the kit."""
import pytest

from client import ALL_SCOPES, Client
from council import Council, Line, Reporting
from service import Instance


@pytest.fixture(scope="session")
def instance(cluster, keys):
    made = Instance(cluster, keys).start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def caller(instance):
    def make(organisation, client="tests", scope=ALL_SCOPES):
        return Client(instance.url, instance.token(organisation, client, scope), None, make)
    return make


@pytest.fixture
def line(instance):
    """The network between the kit and the register: it counts, delays and breaks."""
    made = Line(instance.url)
    yield made
    made.close()


@pytest.fixture
def council(tmp_path, agency, line):
    return Council(tmp_path, agency, line)


@pytest.fixture
def reporting(cluster, council):
    """A reporting database with the staging table, which the kit reaches as its own role."""
    made = Reporting(cluster, council)
    yield made
    made.remove()
