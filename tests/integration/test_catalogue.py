"""The database's own catalogue: the second line of protection holds, whatever is added to the schema."""
import psycopg2
import pytest

# Tables without anything about cases or referrals: every role may read them.
REFERENCE = {"bank_holiday", "code_entry", "code_list", "committee", "criterion", "feed_floor",
             "feed_subject", "former_area_code", "health_board", "local_authority", "organisation",
             "published_figure", "published_review", "retention_notice", "schema_file", "code_version",
             "schema_version", "stage", "stage_guard", "stage_transition", "state_guard", "state_refusal",
             "state_transition"}


@pytest.fixture(scope="module")
def tables(cluster, instances):
    rows = cluster.execute("""
        select relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner)
        from pg_class where relnamespace = 'register'::regnamespace and relkind in ('r', 'p', 'v', 'm')""")
    return {name: rest for name, *rest in rows}


@pytest.fixture(scope="module")
def shut(tables, cluster):
    """Tables that the service itself can neither read nor write: functions of the owner do."""
    return {name for name in tables if cluster.execute("""
        select not has_table_privilege('register_service', %(table)s, 'select, insert, update, delete, truncate')
            and not has_any_column_privilege('register_service', %(table)s, 'select, insert, update')""",
            {"table": f"register.{name}"}) == [(True,)]}


def test_every_table_has_forced_row_level_security_or_no_privileges_or_is_reference(tables, shut):
    assert REFERENCE <= set(tables)
    open_ones = {name for name, (secured, forced, _) in tables.items() if not (secured and forced)}
    assert open_ones - shut == REFERENCE


def test_the_service_has_no_privileges_on_sums_of_statistics(tables, shut):
    assert {name for name in tables if name.startswith("statistic_")} <= shut


def test_the_service_owns_nothing_and_does_not_write_reference_data(tables, cluster):
    assert {owner for *_, owner in tables.values()} <= {"register_owner", "postgres"}
    for name in REFERENCE:
        rights = cluster.execute("""select bool_or(has_table_privilege('register_service', %s, p))
            from unnest(array['insert', 'update', 'delete', 'truncate']) p""", (f"register.{name}",))
        assert rights == [(False,)], name


def test_the_service_deletes_only_expired_keys(tables, cluster):
    for name in tables:
        rights = cluster.execute("select has_table_privilege('register_service', %s, 'delete, truncate')",
                                 (f"register.{name}",))
        assert rights == [(name == "idempotency_key",)], name


def test_every_function_that_runs_as_the_owner_has_a_fixed_search_path(cluster, instances):
    loose = cluster.execute("""
        select proname from pg_proc where pronamespace::regnamespace::text ~ '^register' and prosecdef
            and not coalesce(proconfig::text ~ 'search_path=(register_[0-9a-f]{12}, )?register, pg_temp', false)""")
    assert loose == []
    assert cluster.execute("""select count(*) > 5 from pg_proc
        where pronamespace::regnamespace::text ~ '^register_' and prosecdef""") == [(True,)]


@pytest.mark.parametrize("call", [
    "statistic_release_make('2020', '2020-06-24', '2020-04-01')", "statistic_fold(1)", "statistic_count_all()",
    "feed_emit(null, null, null, null)", "feed_change('case', '{}', null)", "feed_sight_set(null, true)",
    "feed_tell_case(null, 'area-GLA', 'granted', 'present')"])
def test_owner_only_functions_stay_so_when_all_functions_are_granted_again(cluster, instances, call):
    """This happens when a file that grants them is applied again and the file that revokes them is not."""
    code = cluster.execute("select current_schema()")[0][0]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied for (table|sequence)"):
        cluster.execute(f"""begin; grant execute on all functions in schema register, {code} to register_service;
            set local role register_service; select {call}""")


def test_every_part_of_a_case_references_it_by_committee_and_case(cluster, instances):
    loose = cluster.execute("""
        select c.relname from pg_class c
        where c.relnamespace = 'register'::regnamespace and c.relkind = 'r'
            and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'committee')
            and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'case_id')
            and not exists (select from pg_constraint f where f.conrelid = c.oid and f.contype = 'f'
                and f.confrelid = 'register.review_case'::regclass and cardinality(f.conkey) = 2
                and f.confupdtype = 'c')""")
    assert loose == []


def test_every_part_of_a_case_records_its_changes(cluster, instances):
    silent = cluster.execute("""
        select c.relname from pg_class c
        where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and c.relname <> 'change'
            and c.relname <> 'referral'
            and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'committee')
            and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'case_id')
            and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'record_change')""")
    assert silent == []


def test_the_feed_and_the_timeline_know_the_same_subjects(cluster, instances):
    recorded = {row[0] for row in cluster.execute("""
        select encode(substring(tgargs for position('\\000'::bytea in tgargs) - 1), 'escape')
        from pg_trigger where tgname = 'record_change'""")}
    told = {row[0] for row in cluster.execute("select subject from register.feed_subject")}
    assert told == recorded | {"referral"}


def test_every_guard_has_its_function_and_is_used(cluster, instances):
    guards = {row[0] for row in cluster.execute("""
        select code from register.stage_guard union all select code from register.state_guard""")}
    asked = {row[0] for row in cluster.execute("""
        select unnest(guards) from register.stage_transition
        union all select unnest(guards) from register.state_transition""")}
    functions = {row[0] for row in cluster.execute("""
        select substring(proname from 7) from pg_proc
        where pronamespace::regnamespace::text ~ '^register_' and proname like 'guard\\_%%'
            and proname <> 'guard_holds'""")}
    assert guards == asked == functions
