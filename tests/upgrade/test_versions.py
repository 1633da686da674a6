"""An older program and a newer schema: it changes nothing, and serves only what lists its version."""
import subprocess

import pytest

import catalogue
from cluster import DATABASE, Cluster
from service import Instance

# What programs from before the versions do when they apply a file; the last statement records it.
OLD_PROGRAM = """
    begin;
    set local role register_owner;
    create or replace function register.today() returns date language sql stable as 'select date ''2000-01-01''';
    insert into register.schema_file (path, checksum) values ('functions/010_common.sql', 'older')
        on conflict (path) do update set checksum = excluded.checksum, applied_at = now();
    commit;
"""


@pytest.fixture(scope="module")
def cluster(keys, next_program):
    """Today's program migrated the database, then the newer one, which lists today's as supported."""
    made = Cluster()
    Instance(made, keys, next_program).run("migrate")
    made.execute(f"alter database {DATABASE} rename to made", database="postgres")
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def _whole_database(cluster):
    """Each test has the database as the newer program left it."""
    cluster.execute(f"drop database if exists {DATABASE} with (force)", database="postgres")
    cluster.execute(f"create database {DATABASE} template made", database="postgres")


@pytest.fixture
def program(cluster, keys):
    """Today's program: the older one in what follows."""
    made = Instance(cluster, keys)
    yield made
    made.stop()


@pytest.fixture
def newer(cluster, keys, next_program):
    made = Instance(cluster, keys, next_program)
    yield made
    made.stop()


def version_of(instance):
    return instance.run("version").rpartition("schema ")[2]


def run(instance, command):
    return subprocess.run([instance.binary, command], env=instance.environment, capture_output=True, text=True,
                          timeout=60, check=False)


def assert_leaves_it_alone(program, cluster):
    before = catalogue.read(cluster)
    rows = cluster.execute("select path, checksum, applied_at from register.schema_file order by path")
    done = run(program, "migrate")
    assert (done.returncode, "Nothing was changed. Use the newer program." in done.stderr) == (78, True), done
    assert catalogue.differences(before, catalogue.read(cluster)) == []
    assert cluster.execute("select path, checksum, applied_at from register.schema_file order by path") == rows


def test_the_older_program_does_not_migrate_it(program, cluster):
    assert_leaves_it_alone(program, cluster)


def test_a_supported_program_serves_it(newer, program, cluster):
    assert cluster.execute("select version from register.schema_supported") == [(version_of(program),)]
    program.start()
    assert [line["message"] for line in program.log_lines() if "lists it as supported" in line.get("message", "")]
    checked = run(program, "check")
    assert "schema: in order, The database has schema " + version_of(newer) in checked.stdout
    assert "FAULT: The database has" not in checked.stdout and "`learning-reviews migrate`" not in checked.stdout


def test_an_unsupported_program_does_not_start_and_check_does_not_advise_to_migrate(newer, program, cluster):
    cluster.execute("delete from register.schema_supported")
    served, checked = run(program, "serve"), run(program, "check")
    assert (served.returncode, checked.returncode) == (78, 78)
    for said in (served.stderr, checked.stdout):
        assert f"The database has schema {version_of(newer)}, migrated by learning-reviews" in said
        assert "run `learning-reviews migrate`" not in said
    assert "Start the newer program" in served.stderr and "use the newer program" in checked.stdout


def test_the_newer_program_lists_what_it_supports_each_time(newer, program, cluster):
    """The list is the newest program's: what it does not name is gone."""
    cluster.execute("insert into register.schema_supported values ('0001-000000000000')")
    newer.run("migrate")
    assert cluster.execute("select version from register.schema_supported") == [(version_of(program),)]


def test_programs_from_before_the_versions_change_nothing_either(cluster):
    with pytest.raises(Exception, match="an older program must not change it"):
        cluster.execute(OLD_PROGRAM)
    assert cluster.execute("set search_path = register; select today() > '2020-01-01'") == [(True,)]


def test_a_schema_that_only_replaced_the_functions_is_newer(program, cluster):
    """No migration tells the two apart: the database had the program's version before."""
    cluster.execute("delete from register.schema_file where path like '%9999%'")
    assert_leaves_it_alone(program, cluster)


def test_a_schema_of_a_later_release_is_newer(program, cluster):
    cluster.execute("delete from register.schema_file where path like '%9999%'")
    cluster.execute("""truncate register.schema_version;
                       insert into register.schema_version (version, program) values ('0160-000000000000', '99.0.0')""")
    assert_leaves_it_alone(program, cluster)


def test_an_earlier_release_is_migrated(program, cluster):
    """The same texts under a later release are the newer ones: a revert is released under a number of its own."""
    cluster.execute("delete from register.schema_file where path like '%9999%'")
    cluster.execute("update register.schema_version set program = '0.0.9'")
    cluster.execute("""alter table register.referral drop column next_note;
                       alter table register.review_case drop column next_note; drop table register.next_thing""")
    assert program.run("migrate").endswith("the schema is complete")
    assert run(program, "check").stdout.count("schema: in order, current") == 1


def test_an_interrupted_migration_is_finished_by_the_newer_program_only(newer, program, cluster):
    cluster.execute("delete from register.schema_file where path = (select max(path) from register.schema_file)")
    assert_leaves_it_alone(program, cluster)
    started = run(newer, "serve")
    assert (started.returncode, "run `learning-reviews migrate`" in started.stderr) == (78, True)
    assert newer.run("migrate").endswith("the schema is complete")
