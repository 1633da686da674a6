"""Registers in production mode, in front of real authorization servers whose certificates a local authority signed."""
import subprocess

import pytest

from client import Client
from glewlwyd import Glewlwyd
from keycloak import Keycloak
from receiver import make_certificates
from service import Instance
from waiting import WATCHDOG_S

SERVERS = {"keycloak": Keycloak, "glewlwyd": Glewlwyd}


class Register(Instance):
    """A register that accepts the tokens of a server."""

    def __init__(self, server, cluster, keys):
        super().__init__(cluster, keys, LR_MODE="production", LR_DEV_SECRET_FILE=None, LR_ISSUER=server.issuer,
                         LR_JWKS_URL=server.jwks_url, LR_JWKS_CA_FILE=server.authority, LR_AUDIENCE=server.audience,
                         LR_TOKEN_PROFILE=server.profile)

    def caller(self, token):
        return Client(self.url, token)

    def explain(self, token):
        """Returns the faults that `explain-token` names."""
        done = subprocess.run([self.binary, "explain-token"], env=self.environment, input=token, check=False, text=True,
                              timeout=WATCHDOG_S, stdout=subprocess.PIPE)
        assert done.returncode in (0, 1), done.stdout
        faults = [line.split(": FAULT: ") for line in done.stdout.splitlines() if ": FAULT: " in line]
        assert bool(faults) == (done.returncode == 1), done.stdout
        return dict(faults)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Authority, certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    authority, server = make_certificates(folder)
    subprocess.run(["openssl", "pkey", "-in", server, "-out", folder / "key.pem"], check=True)
    return authority, server, folder / "key.pem"


@pytest.fixture(scope="module", params=SERVERS)
def server(request, certificates):
    made = SERVERS[request.param](certificates)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture(scope="session")
def durable(cluster):
    """Makes the database durable, as production requires."""
    cluster.execute("alter system set fsync = on")
    cluster.execute("select pg_reload_conf()")


@pytest.fixture
def serving(durable, cluster, keys):
    """Starts a register for a server; it ends with the test, and so do its blocks and mappings."""
    made = []

    def start(server):
        made.append(Register(server, cluster, keys))
        return made[-1].start()
    yield start
    assert [each.stop() for each in made] == [0] * len(made)
    cluster.execute("delete from register.exclusion")
    cluster.execute("delete from register.client_organisation")


@pytest.fixture
def register(serving, server):
    """A register that maps the server's client to a council."""
    made = serving(server)
    made.run("client", "map", "--client", server.client, "--organisation", "LA-S12000049")
    return made
