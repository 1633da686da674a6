"""Hostile input against the real program: a separate register, and callers of several kinds."""
import socket
import uuid

import pytest

import contract_reader
import day
from client import ALL_SCOPES, Client, Recorder
from matrix import World
from path_params import places_of_case
from scenarios import make_action, make_referral
from service import Instance
from waiting import WATCHDOG_S

day.keep()


@pytest.fixture(scope="session")
def recorder(tmp_path_factory):
    made = Recorder(tmp_path_factory.mktemp("traffic") / contract_reader.TRAFFIC_FILE.name)
    yield made
    made.close()


@pytest.fixture(scope="session")
def instance(cluster, keys):
    """It closes no slow connections, and logs everything."""
    made = Instance(cluster, keys, LR_HEADER_SECONDS=600, LR_REQUEST_SECONDS=600, LR_IDLE_SECONDS=600,
                    LR_LOG_LEVEL="debug")
    yield made.start()
    assert made.stop() == 0, "the service did not end in order"


@pytest.fixture(scope="module")
def brief(cluster, keys, instance):
    """A second instance, with short limits, so that tests can wait for slow clients to be closed."""
    made = Instance(cluster, keys, LR_HEADER_SECONDS=3, LR_REQUEST_SECONDS=3, LR_IDLE_SECONDS=4, LR_LOG_LEVEL="debug")
    yield made.start()
    assert made.complaints() == []
    assert made.stop() == 0, "the service did not end in order"


@pytest.fixture(autouse=True)
def alive(instance):
    """After every test the service answers on another connection, and no error was logged."""
    yield
    assert not instance.has_ended(), f"the service ended: {instance.complaints()}"
    assert instance.admin("/readyz")[0] == 200
    with socket.create_connection(("127.0.0.1", instance.port), timeout=WATCHDOG_S) as link:
        link.sendall(b"GET /v1/problems HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert link.recv(15).startswith(b"HTTP/1.1 200 OK")
    assert instance.complaints() == []


@pytest.fixture(scope="session")
def caller(instance, recorder):
    def make(organisation, client="tests", scope=ALL_SCOPES):
        return Client(instance.url, instance.token(organisation, client, scope), recorder, make)
    return make


@pytest.fixture(scope="session")
def new_log(instance):
    """Returns the log since the last call: new_log()."""
    read = 0

    def more():
        nonlocal read
        fresh = instance.log_bytes(read)
        read += len(fresh)
        return fresh.decode(errors="replace")
    return more


@pytest.fixture(scope="session")
def known(committee, agency):
    """Path parameters of a case with one part of every kind."""
    return places_of_case(committee)


@pytest.fixture(scope="session")
def places(committee, agency, known):
    action = make_action(committee, {"id": known["id"]})
    referral = make_referral(agency)

    def find(name):
        path = contract_reader.operations()[name].path
        own = referral["id"] if "/referrals/" in path else action["id"] if "/actions/" in path else known["id"]
        values = {"code": "not_found", "name": "criteria", "page": "guide", **known, "id": own}
        wanted = {one["name"] for one in contract_reader.operations()[name].parameters if one["in"] == "path"}
        return {key: values.get(key, str(uuid.uuid4())) for key in wanted}
    return find


@pytest.fixture(scope="session")
def worlds(cluster, instance, caller):
    return {"own": World(cluster, caller, "GLA", "S12000049", True),
            "foreign": World(cluster, caller, "EDH", "S12000036", False)}
