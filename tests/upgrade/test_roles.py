"""The role that migrates: it owns the database and makes roles, or finds everything made."""
import subprocess

import pytest

from cluster import DATABASE, blank
from service import Instance

# All that the operators' handbook names, but for the privilege to create schemas in the database.
MADE_BEFORE = """
    create role register_owner nologin; create role register_service login;
    create role migrator login; grant register_owner to migrator;
    create schema register authorization register_owner;
"""


@pytest.fixture
def cluster():
    made = blank()
    yield made
    made.remove()


def migrate(cluster, keys):
    instance = Instance(cluster, keys, LR_MIGRATION_DATABASE=cluster.connection_string("migrator"))
    return subprocess.run([instance.binary, "migrate"], env=instance.environment, capture_output=True, text=True,
                          timeout=60, check=False)


def test_the_owner_of_the_database_makes_roles_and_schemas(cluster, keys):
    cluster.execute(f"create role migrator login createrole; alter database {DATABASE} owner to migrator")
    done = migrate(cluster, keys)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_role_with_fewer_rights_migrates_what_was_made_before(cluster, keys):
    cluster.execute(MADE_BEFORE)
    refused = migrate(cluster, keys)
    assert (refused.returncode, f"grant create on database {DATABASE} to register_owner" in refused.stderr) == (69, True)
    cluster.execute(f"grant create on database {DATABASE} to register_owner")
    done = migrate(cluster, keys)
    assert (done.returncode, done.stderr) == (0, "")


def test_options_of_the_connection_string_apply(cluster, keys):
    options = " options='-c default_transaction_read_only=on'"
    instance = Instance(cluster, keys, LR_MIGRATION_DATABASE=cluster.connection_string("postgres") + options)
    done = subprocess.run([instance.binary, "migrate"], env=instance.environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert (done.returncode, "read-only transaction" in done.stderr) == (69, True)
