"""Registers for the drills: one that they share, and one for each that breaks its database."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "contract"), str(HERE.parent / "integration")]

from cluster import Cluster  # noqa: E402
from service import Instance, Secrets  # noqa: E402


@pytest.fixture(scope="session")
def keys():
    made = Secrets()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def shared_cluster(keys):
    """A migrated database for drills that leave it alone."""
    made = Cluster()
    Instance(made, keys).run("migrate")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def cluster(keys):
    """A migrated database of the file's own, which it may stop, lock and fill."""
    made = Cluster()
    Instance(made, keys).run("migrate")
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
