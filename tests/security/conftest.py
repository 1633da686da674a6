"""Hostile input against the real program: a register of its own, and callers of several kinds."""
import pathlib
import socket
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / part) for part in ("contract", "integration", "security")]

import contract_reader  # noqa: E402
from client import AGENCY_SCOPES, ALL_SCOPES, Client, Recorder  # noqa: E402
from cluster import Cluster  # noqa: E402
from service import Instance, Secrets  # noqa: E402


@pytest.fixture(scope="session")
def recorder(tmp_path_factory):
    made = Recorder(tmp_path_factory.mktemp("traffic") / contract_reader.TRAFFIC_FILE.name)
    yield made
    made.close()


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
def instance(cluster, keys):
    """Short times, so that slow clients can be waited for; the log says everything it ever says."""
    made = Instance(cluster, keys, LR_REQUEST_SECONDS=3, LR_IDLE_SECONDS=4, LR_LOG_LEVEL="debug")
    made.run("migrate")
    yield made.start()
    assert made.stop() == 0, "the service did not end in order"


@pytest.fixture(autouse=True)
def alive(instance):
    """After every test the service answers on another connection, and no error was logged."""
    yield
    assert not instance.has_ended(), f"the service ended: {instance.complaints()}"
    assert instance.admin("/readyz")[0] == 200
    with socket.create_connection(("127.0.0.1", instance.port), timeout=5) as link:
        link.sendall(b"GET /v1/problems HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert link.recv(15).startswith(b"HTTP/1.1 200 OK")
    assert instance.complaints() == []


@pytest.fixture(scope="session")
def caller(instance, recorder):
    def make(organisation, client="tests", scope=ALL_SCOPES):
        return Client(instance.url, instance.run("token", "--organisation", organisation, "--client",
                                                 client, "--scope", scope), recorder, make)
    return make


@pytest.fixture(scope="session")
def committee(caller):
    return caller("CPC-GLA", "committee-system")


@pytest.fixture(scope="session")
def other_committee(caller):
    return caller("CPC-EDH", "other-committee-system")


@pytest.fixture(scope="session")
def agency(caller):
    return caller("LA-S12000049", "council-casework", AGENCY_SCOPES)
