"""A register with the invented data of the demonstration, for tests of statistics."""
import pathlib
import subprocess

import pytest

import day
from client import Client
from cluster import DATABASE, Cluster, copied
from scenario import RELEASES, extend, forget_releases, make_release
from service import Instance

day.keep()

ROOT = pathlib.Path(__file__).resolve().parents[2]

READ = "statistics.read"
EXACT = "statistics.read statistics.unsuppressed"


def make_demonstration():
    """The demonstration with data that it lacks, all counted."""
    made = Cluster()
    script = "".join(path.read_text() for path in sorted((ROOT / "sql" / "demo").glob("*.sql")))
    subprocess.run(["psql", "-qX", "-h", str(made.folder), "-U", "postgres", "-d", DATABASE,
                    "-v", "ON_ERROR_STOP=1", "-f", "-"],
                   input=script.encode(), check=True, stdout=subprocess.DEVNULL)
    extend(made)
    made.execute("analyze")
    made.execute("select statistic_fold(100000)")
    return made


@pytest.fixture(scope="session")
def cluster():
    made = Cluster(copied("demonstration", make_demonstration))
    yield made
    made.remove()


@pytest.fixture(scope="session")
def instance(cluster, keys):
    made = Instance(cluster, keys)
    yield made.start()
    assert made.stop() == 0


@pytest.fixture(scope="session")
def released(instance, cluster):
    """Makes three releases, one after the other."""
    forget_releases(cluster)
    for release in RELEASES:
        make_release(cluster, *release)
    return cluster


@pytest.fixture(scope="session")
def caller(instance):
    def make(organisation, client="tests", scope=EXACT):
        return Client(instance.url, instance.token(organisation, client, scope), None, make)
    return make


@pytest.fixture(scope="session")
def analyst(caller):
    """A caller that sees all exact figures."""
    return caller("SG", "analyst")


@pytest.fixture(scope="session")
def dashboard(caller):
    """A caller that sees released figures."""
    return caller("SG", "dashboard", READ)
