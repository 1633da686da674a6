"""A page of a list costs what a page costs, however much stands behind it.

Judged by the plan of the service's own statement, with a caller's claims, on a table that holds many copies of a row:
with the indexes that there are, it reads little more than it shows. Each table is filled once; what is inserted is
rolled back.
"""
import json
import pathlib
import sys

import psycopg2
import pytest

from cluster import DATABASE
from steps import given_action, given_case, given_proceeding, given_referral, given_request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "service" / "db"))
from embed import read_statements  # noqa: E402

COPIES, SHOWN, READ_MOST = 1000, 50, 250
STATEMENTS = {name: text for name, _, text in read_statements(ROOT / "sql")}
SCOPES = "referrals.read cases.read actions.read information.read notices.read proceedings.read decisions.read"
COPY = f"""insert into register.{{0}} ({{1}}) select {{1}} from (select (jsonb_populate_record(t, to_jsonb(t)
    || jsonb_build_object(
        'id', gen_random_uuid(), 'reference', 'C' || n, 'source_reference', 'copy-' || n, 'due_on', register.today() + n,
        'case_id', case when to_jsonb(t) ->> 'case_id' is not null then gen_random_uuid() end) || %s)).*
    from register.{{0}} t, generate_series(1, {COPIES}) n where t.id = %s) copies"""
COLUMNS = """select string_agg(attname, ', ') from pg_attribute
    where attrelid = ('register.' || %s)::regclass and attnum > 0 and not attisdropped and attgenerated = ''"""


def filled(statement, *values):
    """The statement with values in the place of its parameters."""
    text = STATEMENTS[statement]
    for number, value in reversed(list(enumerate(values, 1))):
        text = text.replace(f"${number}", "null" if value is None else "'" + value + "'")
    return text


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def rows_read(plan):
    """Of the tables themselves."""
    return sum((one["Actual Rows"] + one.get("Rows Removed by Filter", 0) + one.get("Rows Removed by Index Recheck", 0))
               * one["Actual Loops"] for one in nodes(plan) if "Relation Name" in one)


class Filled:
    """One table at a time with many copies of a row, in a transaction that is never committed."""

    def __init__(self, cluster):
        self.link = psycopg2.connect(host=str(cluster.folder), user="postgres", dbname=DATABASE)
        self.cursor = self.link.cursor()
        self.table = None

    def fill(self, table, identifier):
        """Copies the row with the identifier, which is made when the table is another one than before."""
        if table == self.table:
            return
        self.link.rollback()
        self.table, made = table, identifier()
        self.cursor.execute(
            "set local timezone = 'UTC'; set local jit = off;"
            "set local session_replication_role = replica;"  # no triggers
            # Few rows are read whole rather than by an index; what is asked is whether an index can be used.
            "set local enable_seqscan = off; set local enable_bitmapscan = off")
        self.cursor.execute(COLUMNS, (table,))
        columns = self.cursor.fetchone()[0]
        self.cursor.execute(COPY.format(table, columns), (json.dumps(CHANGES.get(table, {})), made))
        assert self.cursor.rowcount == COPIES
        self.cursor.execute(f"analyze register.{table}")

    def explain(self, organisation, statement, after):
        """The rows read for a page, and what the next one begins with."""
        self.cursor.execute("set local role register_service")
        self.cursor.execute(filled("claims", organisation, f" {SCOPES} ", "size", ""))
        asked = filled(statement, "{}", after, str(SHOWN))
        self.cursor.execute(f"explain (analyze, format json) {asked}")
        plan = self.cursor.fetchone()[0][0]["Plan"]
        self.cursor.execute(asked)
        items, following = self.cursor.fetchone()[:2]
        self.cursor.execute("reset role")
        assert len(items) == SHOWN
        return rows_read(plan), json.dumps(following)

    def pages(self, organisation, statement):
        """The rows read for the first page and for a deep one."""
        first, after = self.explain(organisation, statement, None)
        for _ in range(8):
            _, after = self.explain(organisation, statement, after)
        deep, _ = self.explain(organisation, statement, after)
        return first, deep


@pytest.fixture(scope="module")
def copies(cluster):
    made = Filled(cluster)
    yield made
    made.link.rollback()
    made.link.close()


def referral(committee, agency):
    return given_referral(agency)["id"]


def case(committee, agency):
    return given_case(committee)["id"]


def action(committee, agency):
    return given_action(committee)["id"]


def request(committee, agency):
    return given_request(committee)["id"]


def proceeding(committee, agency):
    return given_proceeding(committee, given_case(committee))["id"]


# What copies may not have in common with the row.
CHANGES = {"information_request": {"status": "withdrawn", "reason": "Copied."}}
LISTS = [("list_referrals", "referral", referral, ("CPC-GLA", "LA-S12000049")),
         ("list_referrals_oldest", "referral", referral, ("CPC-GLA", "LA-S12000049")),
         ("list_cases", "review_case", case, ("CPC-GLA",)),
         ("list_cases_by_due", "review_case", case, ("CPC-GLA",)),
         ("list_actions", "action", action, ("CPC-GLA", "LA-S12000049")),
         ("list_actions_updated", "action", action, ("CPC-GLA", "LA-S12000049")),
         ("list_information_requests", "information_request", request, ("CPC-GLA", "LA-S12000049")),
         ("list_proceedings", "proceeding", proceeding, ("CPC-GLA",))]


@pytest.mark.parametrize("statement,table,made,organisation", [
    pytest.param(*one, organisation, id=f"{one[0]}-{organisation}") for *one, organisations in LISTS
    for organisation in organisations])
def test_a_page_reads_little_more_than_it_shows(copies, committee, agency, statement, table, made, organisation):
    copies.fill(table, lambda: made(committee, agency))
    first, deep = copies.pages(organisation, statement)
    assert first <= READ_MOST and deep <= READ_MOST, (first, deep)
