"""plpgsql_check finds nothing in any PL/pgSQL function: names, types, and statements that can never run.

Functions attached to tables are checked without the code in their path: they must not call a version of it."""
import pytest

# Intended code, or facts that the check cannot know: (function, words of the message), each with its reason.
ACCEPTED = [
    ("", "target type is different type than source type (cast \"text\" value to"),  # '{}', and members of JSON
    ("audit_page", "is maybe unmodified (cannot to determine result of dynamic SQL)"),  # `return query execute`
    ("feed_snapshot", "cannot determinate a result of dynamic SQL"),  # names of tables
    ("feed_snapshot", "record \"r\" is not assigned yet"),  # a consequence of the same
]
FUNCTIONS = """
    select p.oid, p.pronamespace::regnamespace::text, p.proname, 0::oid, '' from pg_proc p join pg_language l on l.oid = p.prolang
    where p.pronamespace::regnamespace::text ~ '^register' and l.lanname = 'plpgsql' and p.prorettype <> 'trigger'::regtype
    union all
    select distinct p.oid, p.pronamespace::regnamespace::text, p.proname, t.tgrelid, t.tgrelid::regclass::text
    from pg_proc p join pg_trigger t on t.tgfoid = p.oid
    where p.pronamespace = 'register'::regnamespace and not t.tgisinternal
    order by 2, 3, 5
"""


@pytest.fixture(scope="module")
def checked(fresh):
    """Returns the findings in each function, for triggers with each of their tables: {(function, table): [finding]}."""
    fresh.execute("create extension plpgsql_check schema public")
    try:
        found = {}
        for oid, schema, name, table, table_name in fresh.execute(FUNCTIONS):
            tables = fresh.execute("select coalesce(tgoldtable, ''), coalesce(tgnewtable, '') from pg_trigger "
                                   "where tgfoid = %s and tgrelid = %s limit 1", [oid, table]) or [("", "")]
            old, new = tables[0]
            rows = fresh.execute(f"""set search_path = {schema}, register, public;
                select level || ' ' || coalesce(lineno::text, '') || ' ' || message || coalesce(' (' || detail || ')', '')
                from plpgsql_check_function_tb(%s::regprocedure, %s::regclass, oldtable => %s, newtable => %s,
                    performance_warnings => false, extra_warnings => true)""", [oid, table, old or None, new or None])
            found[name, table_name] = [row[0] for row in rows]
        yield found
    finally:
        fresh.execute("drop extension plpgsql_check")


def test_every_function_is_checked(checked, fresh):
    declared = fresh.execute("""select count(*) from pg_proc p join pg_language l on l.oid = p.prolang
        where p.pronamespace::regnamespace::text ~ '^register' and l.lanname = 'plpgsql'""")[0][0]
    assert len({name for name, _ in checked}) == declared > 200


def is_accepted(function, finding):
    return any(function.startswith(name) and words in finding for name, words in ACCEPTED)


def test_there_are_no_findings(checked):
    assert [f"{function} {table}: {each}" for (function, table), found in checked.items() for each in found
            if not is_accepted(function, each)] == []


def test_every_accepted_finding_is_still_found(checked):
    findings = [(function, each) for (function, _), found in checked.items() for each in found]
    assert [(name, words) for name, words in ACCEPTED
            if not any(function.startswith(name) and words in each for function, each in findings)] == []
