"""A service in which a test can make single calls fail."""
import time
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import contract_reader
import day
from client import AGENCY_SCOPES, ALL_SCOPES, Client, Recorder
from corpus import Corpus
from plan import Plan
from service import Instance
from test_production import ISSUER, Issuer, set_database

day.keep()


@pytest.fixture(scope="session")
def plan():
    made = Plan()
    yield made
    made.close()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory):
    made = Issuer(tmp_path_factory.mktemp("issuer"))
    made.publish(key=ec.generate_private_key(ec.SECP256R1()))
    return made


@pytest.fixture(scope="session")
def instance(cluster, keys, plan, issuer):
    made = Instance(cluster, keys, LR_MODE="production", LR_ISSUER=ISSUER, LR_WORKERS=2,
                    LR_JWKS_FILE=issuer.file, LR_CONNECTIONS=3, LR_PUSH_CONNECTIONS=1)
    del made.environment["LR_DEV_SECRET_FILE"]
    set_database(cluster, "fsync", "on")  # as production requires
    made.environment.update(plan.environment)
    made.errors_expected = True
    yield made.start()
    made.stop()


@pytest.fixture(scope="session")
def corpus(instance, issuer, tmp_path_factory):
    recorder = Recorder(tmp_path_factory.mktemp("traffic") / contract_reader.TRAFFIC_FILE.name)

    now = int(time.time())

    def caller(organisation, scope):
        def new_token():
            return issuer.token("key", organisation=organisation, scope=scope, iat=now, exp=now + 3600,
                                jti=uuid.uuid4().hex)
        made = Client(instance.url, new_token(), recorder)
        made.new_token = new_token
        return made
    yield Corpus(caller("CPC-GLA", ALL_SCOPES), caller("LA-S12000049", AGENCY_SCOPES))
    recorder.close()
