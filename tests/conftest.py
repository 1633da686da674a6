"""Fixtures of all suites: a database, secrets, the most frequent callers, and the counts of the summary.

Each suite starts its own instance and defines how its callers are made (`caller`). A skipped test fails unless
skips.txt allows it. The summary counts test functions, because one function can have thousands of parameters.
"""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "contract"), str(HERE / "integration")]

from client import AGENCY_SCOPES  # noqa: E402
from cluster import Cluster, template_folder  # noqa: E402
from service import Secrets  # noqa: E402


def pytest_configure():
    template_folder()  # before the workers begin, which share it


def allowed_skips():
    """Returns the prefixes of test names in skips.txt, which gives a reason for each."""
    lines = (HERE / "skips.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.split()[0] for line in lines if line and not line.startswith("#"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    name = f"{item.path.relative_to(HERE.parent)}::{item.name}"
    if report.skipped and not hasattr(report, "wasxfail") and not name.startswith(allowed_skips()):
        report.outcome, report.longrepr = "failed", f"skipped, and not listed in tests/skips.txt: {report.longrepr[-1]}"


def pytest_terminal_summary(terminalreporter):
    ended = [one for kind in ("passed", "failed", "error") for one in terminalreporter.stats.get(kind, [])]
    names = {one.nodeid.split("[")[0] for one in ended}
    terminalreporter.write_line(f"{len(names)} test functions")


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
