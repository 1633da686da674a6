"""Registers for the drills: a shared one, and one for each drill that breaks its database."""
import pytest

from cluster import Cluster
from service import Instance


@pytest.fixture(scope="session")
def shared_cluster():
    """A migrated database for drills that do not break it."""
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def cluster():
    """A migrated database of one file, which it may stop, lock and fill."""
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture
def serving(keys):
    """Starts instances: serving(cluster, LR_WORKERS=4); they end with the test."""
    made = []

    def start(cluster, **settings):
        made.append(Instance(cluster, keys, **settings))
        return made[-1].start()
    yield start
    for each in made:
        each.stop()
