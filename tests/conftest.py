"""What the suites have in common: a database, secrets, and the callers that most tests are about.

Each suite starts its own instance and says how a caller of it is made (`caller`).
"""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "contract"), str(HERE / "integration")]

from client import AGENCY_SCOPES  # noqa: E402
from cluster import Cluster  # noqa: E402
from service import Secrets  # noqa: E402


@pytest.fixture(scope="session")
def cluster():
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def keys():
    made = Secrets()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def committee(caller):
    return caller("CPC-GLA", "committee-system")


@pytest.fixture(scope="session")
def other_committee(caller):
    return caller("CPC-EDH", "other-committee-system")


@pytest.fixture(scope="session")
def agency(caller):
    return caller("LA-S12000049", "council-casework", AGENCY_SCOPES)
