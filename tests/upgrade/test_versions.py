"""Two versions of the program on one database: the older one changes nothing, and serves while its code is there."""
import pathlib
import subprocess

import pytest

import catalogue
from cluster import DATABASE, Cluster
from service import Instance
from service import program as built
from waiting import wait_until

# The statements of programs without versions when they apply a file; the last one records it.
OLD_PROGRAM = """
    begin;
    set local role register_owner;
    create or replace function register.today() returns date language sql stable as 'select date ''2000-01-01''';
    insert into register.schema_file (path, checksum) values ('functions/010_common.sql', 'older')
        on conflict (path) do update set checksum = excluded.checksum, applied_at = now();
    commit;
"""
FORMER = "register_000000000000"
MAKE_FORMER = f"""
    create schema {FORMER} authorization register_owner;
    insert into register.code_version (number, name, program) overriding system value values (0, '{FORMER}', '0.0.1');
"""


@pytest.fixture(scope="module")
def cluster(keys, next_program):
    """Today's program migrated the database, then the newer one."""
    made = Cluster()
    Instance(made, keys, next_program).run("migrate")
    made.execute(f"alter database {DATABASE} rename to made", database="postgres")
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def _whole_database(cluster):
    """Gives each test the database in the state in which the newer program left it."""
    cluster.execute(f"drop database if exists {DATABASE} with (force)", database="postgres")
    cluster.execute(f"create database {DATABASE} template made", database="postgres")


@pytest.fixture
def program(cluster, keys):
    """Today's program: the older one in these tests."""
    made = Instance(cluster, keys)
    yield made
    made.stop()


@pytest.fixture
def newer(cluster, keys, next_program):
    made = Instance(cluster, keys, next_program)
    yield made
    made.stop()


@pytest.fixture
def contracting(cluster, keys):
    """The version after that: its migration removes objects that the older code needs."""
    made = Instance(cluster, keys, pathlib.Path(f"{built()}-contracting"))
    yield made
    made.stop()


def version_of(instance):
    return instance.run("version").rpartition("schema ")[2]


def code_of(instance):
    return instance.run("version").partition("code ")[2].partition(",")[0]


def codes(cluster):
    kept = [row[0] for row in cluster.execute("select name from register.code_version order by number")]
    assert {row[0] for row in cluster.execute("select nspname from pg_namespace where nspname ~ '^register_'")} == set(kept)
    return kept


def end(instance, cluster):
    """Stops it, and waits until PostgreSQL has ended its connections, with their locks."""
    assert instance.stop() == 0
    wait_until(lambda: cluster.execute("select count(*) from pg_stat_activity where usename = 'register_service'") == [(0,)],
               "the connections end")


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


def test_the_older_program_does_not_migrate_a_newer_database(program, cluster):
    assert_leaves_it_alone(program, cluster)


def test_the_older_program_serves_a_newer_database_with_its_own_code(newer, program, cluster):
    assert codes(cluster) == [code_of(program), code_of(newer)]
    program.start()
    assert [line["message"] for line in program.log_lines() if "keeps this program's version" in line.get("message", "")]
    checked = run(program, "check")
    assert "schema: in order, The database has schema " + version_of(newer) in checked.stdout
    assert "FAULT: The database has" not in checked.stdout and "`learning-reviews migrate`" not in checked.stdout


def test_each_version_calls_its_own_functions(newer, program, cluster):
    """One more parameter in the newer version makes no call of the older one ambiguous."""
    found = {code: cluster.execute("select pronargs from pg_proc where proname = 'case_open' and pronamespace = %s::regnamespace",
                                   [code]) for code in (code_of(program), code_of(newer))}
    assert found[code_of(newer)][0][0] == found[code_of(program)][0][0] + 1


def test_without_its_code_the_older_program_does_not_start_and_check_does_not_suggest_migrate(newer, program, cluster):
    cluster.execute(f"delete from register.code_version where name = '{code_of(program)}';"
                    f"drop schema {code_of(program)} cascade")
    served, checked = run(program, "serve"), run(program, "check")
    assert (served.returncode, checked.returncode) == (78, 78)
    for said in (served.stderr, checked.stdout):
        assert f"The database has schema {version_of(newer)}, migrated by learning-reviews" in said
        assert "run `learning-reviews migrate`" not in said
    assert "Start the newer program" in served.stderr and "use the newer program" in checked.stdout


def test_migrate_removes_unused_versions_except_the_previous_one(newer, program, cluster):
    cluster.execute(MAKE_FORMER)
    with cluster.holding("select pg_advisory_lock_shared(726253402, hashtext(%s))", [FORMER]):  # as a program does
        newer.run("migrate")
        assert codes(cluster) == [FORMER, code_of(program), code_of(newer)]
    newer.run("migrate")
    assert codes(cluster) == [code_of(program), code_of(newer)]


def test_a_running_program_keeps_its_version(newer, program, cluster):
    program.start()
    cluster.execute("insert into register.code_version (name, program) values ('register_ffffffffffff', '99.0.0');"
                    "create schema register_ffffffffffff authorization register_owner")
    newer.run("migrate")
    assert codes(cluster) == [code_of(program), code_of(newer), "register_ffffffffffff"]
    end(program, cluster)
    newer.run("migrate")
    assert codes(cluster) == [code_of(newer), "register_ffffffffffff"]


def test_only_the_newest_version_in_use_counts_and_maintains(newer, program, cluster):
    def is_newest(code):
        return cluster.execute(f"set search_path = {code}, register; select is_newest_version()") == [(True,)]
    old, new = code_of(program), code_of(newer)
    assert is_newest(new) and is_newest(old)  # no program uses the newer one
    newer.start()
    assert is_newest(new) and not is_newest(old)
    end(newer, cluster)
    program.start()
    assert is_newest(new) and is_newest(old)


def test_a_contracting_migration_waits_until_no_older_program_runs(contracting, program, cluster):
    program.start()
    done = run(contracting, "migrate")
    assert done.returncode == 69 and f"takes away what {code_of(program)} (learning-reviews " in done.stderr
    assert cluster.execute("select count(next_note) from register.referral") == [(0,)]
    end(program, cluster)
    contracting.run("migrate")
    assert codes(cluster) == [code_of(contracting)]


def test_programs_without_versions_change_nothing(cluster):
    with pytest.raises(Exception, match="an older program must not change it"):
        cluster.execute(OLD_PROGRAM)
    assert cluster.execute("set search_path = register; select today() > '2020-01-01'") == [(True,)]


def test_a_schema_that_only_replaced_triggers_is_newer(program, cluster):
    """No migration distinguishes the two: the database had the program's version before."""
    cluster.execute("delete from register.schema_file where path like '%9999%'")
    assert_leaves_it_alone(program, cluster)


def test_a_schema_of_a_later_release_is_newer(program, cluster):
    cluster.execute("delete from register.schema_file where path like '%9999%'")
    cluster.execute("""truncate register.schema_version;
                       insert into register.schema_version (version, program) values ('0160-000000000000', '99.0.0')""")
    assert_leaves_it_alone(program, cluster)


def test_an_earlier_release_is_migrated(program, cluster):
    """The same texts in a later release are newer: a revert is released under a new number."""
    cluster.execute("delete from register.schema_file where path like '%9999%'")
    cluster.execute("update register.schema_version set program = '0.0.9'")
    cluster.execute("""alter table register.referral drop column next_note;
                       alter table register.review_case drop column next_note; drop table register.next_thing""")
    assert program.run("migrate").endswith("the schema is complete")
    assert run(program, "check").stdout.count("schema: in order, current") == 1


def test_only_the_newer_program_finishes_an_interrupted_migration(newer, program, cluster):
    cluster.execute("delete from register.schema_file where path = (select max(path) from register.schema_file)")
    assert_leaves_it_alone(program, cluster)
    started = run(newer, "serve")
    assert (started.returncode, "run `learning-reviews migrate`" in started.stderr) == (78, True)
    assert newer.run("migrate").endswith("the schema is complete")


def test_a_missing_version_of_the_code_is_created_again(newer, cluster):
    code = code_of(newer)
    cluster.execute(f"delete from register.code_version where name = '{code}'; drop schema {code} cascade")
    started = run(newer, "serve")
    assert (started.returncode, f"The schema lacks {code}" in started.stderr) == (78, True)
    newer.run("migrate")
    assert code in codes(cluster) and run(newer, "check").stdout.count("schema: in order, current") == 1
