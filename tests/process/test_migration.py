"""A migration while the register is in use: no request fails, and the previous version keeps serving."""
import pathlib
import subprocess
import threading
import time

import pytest

from load_generator import LONG, Load, assert_nothing_lost, percentile, seconds_until, tally, token_of
from service import Instance, program

READER_S = 20 if LONG else 4
WAIT_MOST_S = 1.2  # limit: no request waits longer for a migration


@pytest.fixture
def next_version(cluster, keys):
    """The program of the next version, with one more migration."""
    binary = pathlib.Path(str(program()) + "-next")
    assert binary.exists(), f"build the target tests: {binary} is missing"
    made = Instance(cluster, keys, binary)
    yield made
    made.stop()


def migrate(instance):
    """Runs it; returns its output and duration."""
    began = time.monotonic()
    said = instance.run("migrate")
    return said, time.monotonic() - began


def assert_unharmed(outcomes, what):
    slowest = max(one.took for one in outcomes)
    print(f"\n{what}: {tally(outcomes)}, slowest {slowest:.2f} s, p99 {percentile([one.took for one in outcomes], 0.99):.3f} s")
    assert [one for one in outcomes if one.fault or one.status not in (200, 201)] == []
    assert slowest <= WAIT_MOST_S and len(outcomes) > 50


def test_a_migration_succeeds_while_a_reader_holds_a_lock_for_long(serving, cluster, next_version):
    old = serving(cluster)
    token = token_of(old)
    with Load(old, token, 8) as load:
        time.sleep(0.5)
        with cluster.holding("select count(*) from register.referral"):
            # A reader's lock blocks the change of the table for as long as its transaction is open.
            found = []
            work = threading.Thread(target=lambda: found.append(migrate(next_version)))
            work.start()
            time.sleep(READER_S)
            assert found == [], "the migration did not need the lock that a reader holds"
        work.join(timeout=30)
        said, took = found[0]
        assert "waiting for locks of migrations/9999_next_version.sql" in said
        assert cluster.execute("select count(*) from register.next_thing") == [(0,)]
        time.sleep(0.5)
    assert_unharmed(load.outcomes(), f"reader open {READER_S} s, migration {took:.1f} s")
    assert_nothing_lost(cluster, load.outcomes())


def test_both_versions_serve_the_next_ones_schema(serving, cluster, next_version):
    """The previous version is started again on it, as after a rollback or a restart of a node."""
    migrate(next_version)
    old, new = serving(cluster), next_version.start()
    token = token_of(old)
    with Load(old, token, 2) as first, Load(new, token, 2) as second:
        time.sleep(1)
    told = assert_nothing_lost(cluster, first.outcomes() + second.outcomes())
    assert {one.status for one in first.outcomes() + second.outcomes()} == {200, 201} and len(told) > 10
    assert new.stop() == 0


def test_an_upgrade_and_its_rollback_fail_no_request(serving, cluster, next_version):
    """As in a deployment: the new version starts next to the old one, takes over, and hands back."""
    old = serving(cluster)
    token = token_of(old)
    with Load(old, token, 4) as before:
        time.sleep(0.5)
        migrate(next_version)
        new = next_version.start()
        with Load(new, token, 4) as after:
            time.sleep(1)
            before.stop()
            assert old.stop() == 0
            time.sleep(1)
            old.start()
            with Load(old, token, 4) as again:
                time.sleep(0.5)
                after.stop()
                assert new.stop() == 0
                time.sleep(1)
    outcomes = before.outcomes() + after.outcomes() + again.outcomes()
    assert_unharmed(outcomes, "upgrade and rollback")
    assert_nothing_lost(cluster, outcomes)


def test_the_next_version_does_not_serve_the_previous_schema(cluster, keys, next_version):
    """Migrate first, then start: the error says so."""
    cluster.execute("""delete from register.schema_file where path like '%9999%';
                       delete from register.schema_version where number > 1""")
    ended = subprocess.run([next_version.binary, "serve"], env=next_version.environment, capture_output=True,
                           timeout=10, check=False)
    assert (ended.returncode, b"lacks migrations/9999_next_version.sql" in ended.stderr) == (78, True)
    cluster.execute("""alter table register.referral drop column next_note;
                       alter table register.review_case drop column next_note; drop table register.next_thing""")


def test_all_functions_and_policies_are_replaced_under_load(serving, cluster):
    """An upgrade does this to every table: it drops and creates policies, which locks the tables."""
    instance = serving(cluster)
    with Load(instance, token_of(instance), 8) as load:
        time.sleep(0.5)
        cluster.execute("delete from register.schema_file where path !~ '^migrations'")
        _, took = migrate(instance)
        time.sleep(0.5)
    assert_unharmed(load.outcomes(), f"all functions and reference data in {took:.1f} s")
    assert_nothing_lost(cluster, load.outcomes())
    seconds_until(lambda: instance.admin("/readyz")[0] == 200, 1)
