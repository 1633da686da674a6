"""Today's program migrates an older register: then it equals a new one, and is served."""
import pathlib
import subprocess

import pytest

import catalogue
from client import AGENCY_SCOPES, ALL_SCOPES, Client
from cluster import blank
from older import restore
from scenarios import make_accepted_referral, move
from service import Instance

# Objects that older programs and administrators left in the schema. case_open: as if an older program had had one more
# parameter; unless the extra function is dropped, each acceptance fails with SQLSTATE 42725 (function is not unique).
LEFT_OVERS = """
    set role register_owner;
    set search_path = register;
    create function case_open(review_case, text default null) returns review_case
        language sql as 'select null::review_case';
    create function old_door(secret text) returns text language sql security definer as 'select secret';
    create function old_sum(integer, integer) returns integer language sql immutable as 'select $1 + $2';
    create aggregate old_total(integer) (sfunc = old_sum, stype = integer, initcond = '0');
    create function old_trigger() returns trigger language plpgsql as 'begin return null; end';
    create trigger old_trigger after insert on referral for each row execute function old_trigger();
    create policy old_window on review_case using (true);
    grant execute on function today() to public;
"""
# Today's programs return a date: `create or replace` cannot change that.
OTHER_RETURN_TYPE = """
    do $$ begin
        drop function register.today();
        set local role register_owner;
        create function register.today() returns text language sql as 'select now()::text';
    end $$;
"""
SQL = pathlib.Path(__file__).resolve().parents[2] / "sql"
FORGET_CODE = "delete from register.schema_file where path ~ '(triggers|access).sql$'"


@pytest.fixture(scope="module")
def upgraded(older, keys):
    """Today's program on the older register's database."""
    older.execute(LEFT_OVERS)
    older.execute("create table public.recorded as select id, changes from register.change")
    instance = Instance(older, keys)
    instance.run("migrate")
    yield instance
    instance.stop()


def migrate(instance):
    return subprocess.run([instance.binary, "migrate"], env=instance.environment, capture_output=True, text=True,
                          timeout=60, check=False)


def migrations_of(cluster):
    return cluster.execute("select path, checksum from register.schema_file where path like 'migrations/%' order by path")


def test_its_migrations_equal_those_of_a_new_register(fresh, upgraded, older):
    later = sorted(f"migrations/{path.name}" for path in (SQL / "migrations").glob("*.sql"))
    assert [path for path, _ in migrations_of(fresh)] == ["migrations/0200_baseline", *later]
    assert migrations_of(older) == migrations_of(fresh)


def test_its_catalogues_equal_those_of_a_new_register(fresh, upgraded, older):
    assert catalogue.differences(catalogue.read(fresh), catalogue.read(older)) == []


def test_its_reference_data_includes_all_of_a_new_register(fresh, upgraded, older):
    new, old = catalogue.read_data(fresh), catalogue.read_data(older)
    assert {name: sorted(set(rows) - set(old[name])) for name, rows in new.items()} == {name: [] for name in new}


def test_complete_timelines_do_not_change(upgraded, older):
    assert older.execute("""select count(*) from public.recorded r full join register.change c using (id)
        where r.changes is distinct from c.changes""") == [(0,)]


def test_a_second_migration_changes_nothing(upgraded, older):
    before = older.execute("select path, checksum, applied_at from register.schema_file order by path")
    assert upgraded.run("migrate") == "the schema is complete"
    assert older.execute("select path, checksum, applied_at from register.schema_file order by path") == before


def test_a_function_that_cannot_be_replaced_is_dropped_and_created_again(fresh, upgraded, older):
    older.execute(FORGET_CODE)
    older.execute("drop policy service_read on register.review_case")
    policies = older.execute("""select format('drop policy %I on register.%I;', policyname, tablename) from pg_policies
        where (qual || coalesce(with_check, '')) ~ 'today'""")
    older.execute("".join(row[0] for row in policies) + OTHER_RETURN_TYPE)
    upgraded.run("migrate")
    assert catalogue.differences(catalogue.read(fresh), catalogue.read(older)) == []


def test_functions_of_extensions_are_kept(fresh, upgraded, older):
    older.execute("create extension pgcrypto schema register")
    older.execute(FORGET_CODE)
    upgraded.run("migrate")
    assert older.execute("select encode(register.digest('abc', 'md5'), 'hex')") == [("900150983cd24fb0d6963f7d28e17f72",)]
    older.execute("drop extension pgcrypto")
    assert catalogue.differences(catalogue.read(fresh), catalogue.read(older)) == []


def test_a_function_that_an_outside_object_uses_is_named_and_nothing_changes(fresh, upgraded, older):
    older.execute(FORGET_CODE)
    older.execute("""create function register.old_report() returns integer language sql as 'select 1';
                     create view public.report as select register.old_report()""")
    before = catalogue.read(older)
    done = migrate(upgraded)
    assert (done.returncode, "old_report() is" in done.stderr or "old_report(); drop" in done.stderr) == (69, True)
    assert catalogue.differences(before, catalogue.read(older)) == []
    older.execute("drop view public.report")
    upgraded.run("migrate")
    assert catalogue.differences(catalogue.read(fresh), catalogue.read(older)) == []


# Makes the last version before the baseline from the first one, which has its tables after the upgrade: an index and a
# comment differ.
BEFORE_BASELINE = """
    create index review_case_merged_into_idx1 on review_case (merged_into) where merged_into is not null;
    comment on column webhook.client is 'Who registered it: it sends what this client may see';
    insert into schema_file (path, checksum) values ('migrations/0190_statistics_state.sql', 'then');
"""


def test_the_last_version_before_the_baseline_is_upgraded(fresh, keys):
    cluster = blank()
    try:
        restore(cluster)
        upgrade = (SQL / "upgrade" / "0150_anonymous_referrals.sql").read_text(encoding="utf-8")
        cluster.execute(f"set role register_owner; set search_path = register; {upgrade} {BEFORE_BASELINE}")
        Instance(cluster, keys).run("migrate")
        assert migrations_of(cluster) == migrations_of(fresh)
        assert catalogue.differences(catalogue.read(fresh), catalogue.read(cluster)) == []
    finally:
        cluster.remove()


def test_a_database_without_an_upgrade_is_refused(keys):
    """A database of a development version between the first version and the baseline."""
    cluster = blank()
    try:
        restore(cluster)
        cluster.execute("insert into register.schema_file (path, checksum) values ('migrations/0160_thing.sql', '')")
        before = migrations_of(cluster)
        done = migrate(Instance(cluster, keys))
        assert (done.returncode, "0160_thing.sql" in done.stderr, "on an empty database" in done.stderr) == (78, True, True)
        assert migrations_of(cluster) == before
        assert cluster.execute("select to_regclass('register.erasure')") == [(None,)]
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def served(upgraded):
    upgraded.start()

    def caller(organisation, client, scope=ALL_SCOPES):
        token = upgraded.run("token", "--organisation", organisation, "--client", client, "--scope", scope)
        return Client(upgraded.url, token, None)
    yield caller
    assert upgraded.complaints() == [] and upgraded.stop() == 0


def test_the_migrated_register_is_served(served):
    """Push, accept, move, read and count: nothing is refused, and the log has no error."""
    agency, committee = served("LA-S12000049", "casework", AGENCY_SCOPES), served("CPC-GLA", "committee-system")
    referral = make_accepted_referral(agency, committee)
    move(committee, referral["case_id"], "information_gathering").expect(201)
    assert committee.send("listTimeline", id=referral["case_id"]).expect(200)["items"] != []


def test_the_older_cases_are_read_and_counted(served, older):
    committee = served("CPC-GLA", "committee-system")
    page = committee.send("listCases", query="limit=200").expect(200)
    held = older.execute("select count(*) from register.review_case where committee = 'GLA'")[0][0]
    assert len(page["items"]) == held > 5
    for case in page["items"]:
        for operation in ("getCase", "listTransitions", "listTimeline", "listCaseActions"):
            committee.send(operation, id=case["id"]).expect(200)
    for table in committee.send("listStatistics").expect(200)["tables"]:
        committee.send("getStatistics", query="view=live&committee=GLA", table=table["table"]).expect(200)
    for path in ("listReferrals", "listActions", "listChanges", "listAudit"):
        committee.send(path).expect(200)


# A register from before changes were recorded: some cases have none of their changes, another has only later ones.
EMPTY_TIMELINES = """
    set search_path = register;
    create temporary table before_timelines as
        select id, row_number() over (order by id) as n from review_case where committee = 'GLA';
    delete from change where case_id in (select id from before_timelines where n <= 3);
    delete from change h using before_timelines b where h.case_id = b.id and b.n = 4 and h.kind = 'created';
    create table public.kept as select id as case_id, (select count(*) from change h where h.case_id = b.id) as items
        from before_timelines b where n <= 4;
"""


def test_empty_timelines_are_filled_from_the_tables(keys):
    cluster = blank()
    instance = Instance(cluster, keys)
    try:
        restore(cluster)
        cluster.execute(EMPTY_TIMELINES)
        old_order = cluster.execute("select case_id, changes from register.change order by id")
        instance.run("migrate")
        assert cluster.execute("select count(*), min(items) from public.kept") == [(4, 0)]
        unfilled = cluster.execute("""
            select c.reference from register.review_case c where not exists (select from register.change h
                where h.case_id = c.id and (h.subject, h.kind, h.subject_id) = ('case', 'created', c.id))
            union all select s.id::text from register.case_stage s where not exists (select from register.change h
                where h.case_id = s.case_id and (h.subject, h.kind, h.subject_id) = ('stage', 'created', s.id)
                    and h.changes -> 'stage' ->> 'after' = s.stage)""")
        assert unfilled == []
        # The first entry of a case is the case itself; recorded changes follow in their former order.
        assert cluster.execute("""select distinct on (h.case_id) h.subject, h.kind, h.recorded_client
            from register.change h join public.kept k using (case_id) order by h.case_id, h.id""") == [
                ("case", "created", "register")] * 4
        order = cluster.execute("select case_id, changes from register.change order by id")
        assert order[len(order) - len(old_order):] == old_order
        assert cluster.execute("""select count(*) from register.change h join register.review_case c on c.id = h.case_id
            where (h.subject, h.kind) = ('case', 'created') and h.recorded_at <> c.created_at
                and h.case_id in (select case_id from public.kept)""") == [(0,)]
        instance.start()
        token = instance.run("token", "--role", "committee")
        for case, items in cluster.execute("select * from public.kept"):
            page = Client(instance.url, token, None).send("listTimeline", id=case, query="limit=200").expect(200)
            assert len(page["items"]) > items
        assert instance.complaints() == []
    finally:
        instance.stop()
        cluster.remove()
