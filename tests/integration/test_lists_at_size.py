"""A page of a list costs what a page costs, whatever the filters, the order and the number of rows.

Judged by the plan of the service's own statement, with a caller's claims, on a table with many copies of a row. Each
table is filled once, and rolled back. The statements have lower bounds than those of the service, so that few rows show
how they act. tests/load/lists judges the service's own on millions of rows.
Each question is walked through in one of its orders; in all of them if LR_LIST_ORDERS is `all`.
"""
import json
import os

import psycopg2
import pytest

from cluster import DATABASE
from list_plans import VALUES, Lists, bounds, questions, with_parameters
from payloads import new_task
from scenarios import make_action, make_case, make_proceeding, make_referral, make_request

COPIES, SCANNED, FEW = 420, 100, 40
COPY = f"""insert into register.{{0}} ({{1}}) select {{1}} from (select (jsonb_populate_record(t, to_jsonb(t)
    || jsonb_build_object('id', gen_random_uuid(), 'reference', 'C' || n, 'source_reference', 'copy-' || n,
        'case_id', case when to_jsonb(t) ->> 'case_id' is not null then gen_random_uuid() end) || {{2}})).*
    from register.{{0}} t, generate_series(1, {COPIES}) n where t.id = %s) copies"""
COLUMNS = """select string_agg(attname, ', ') from pg_attribute
    where attrelid = ('register.' || %s)::regclass and attnum > 0 and not attisdropped and attgenerated = ''"""
# In which columns copies differ: frequent, rare and missing values, in other orders than those of the lists.
DIFFERENT = {
    "review_case": """jsonb_build_object('opened_on', register.today() - n * 7 %% 1000, 'criteria', array[
        case n %% 5 when 0 then 'suicide' else 'abuse_or_neglect' end], 'review_type', case n when 400 then 'joint'
        else 'single' end, 'stage', case when n %% 50 = 0 then 'review' else 'notification' end, 'held_since',
        case when n %% 150 = 0 then register.today() end, 'stage_due_on', register.today() - 300 + n * 11 %% 1000,
        'stage_entered_on', register.today(), 'updated_at', now() - n * 17 %% 1000 * interval '1 day')""",
    "action": """jsonb_build_object('due_on', register.today() - 100 + n, 'updated_at', now() - n * 17 %% 1000
        * interval '1 second', 'status', case when n %% 60 = 0 then 'agreed' else 'proposed' end, 'priority',
        case n when 400 then 'high' else 'low' end, 'themes', array[case n %% 5 when 0 then 'child_voice'
        else 'thresholds' end])""",
    "referral": """jsonb_build_object('received_at', now() - n * 17 %% 1000 * interval '1 day', 'received_on',
        register.scottish_day(now() - n * 17 %% 1000 * interval '1 day'), 'updated_at', now() - n * 13 %% 1000
        * interval '1 day')""",
    "information_request": """jsonb_build_object('status', 'withdrawn', 'reason', 'Copied.', 'due_on',
        register.today() + n)""",
    "proceeding": "jsonb_build_object('started_on', register.today() - n)",
    "task": """jsonb_build_object('due_on', register.today() - 100 + n, 'status', case when n %% 60 = 0 then 'done' else
        'open' end, 'done_on', case when n %% 60 = 0 then register.today() end, 'owner_role',
        case n when 400 then 'chair' else 'administrator' end)""",
}


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
            "set local session_replication_role = replica;"  # no triggers
            # Few rows are read whole rather than by an index; the test asks whether an index can be used.
            "set local enable_seqscan = off; set local enable_bitmapscan = off")
        # The rows of other tests would count among the few that match.
        self.cursor.execute(f"delete from register.{table} where id <> %s", (made,))
        self.cursor.execute(COLUMNS, (table,))
        columns = self.cursor.fetchone()[0]
        self.cursor.execute(COPY.format(table, columns, DIFFERENT[table]), (made,))
        assert self.cursor.rowcount == COPIES
        self.cursor.execute(f"analyze register.{table}")

    def asked(self, organisation):
        """The lists with lower bounds, and without any."""
        self.cursor.execute("reset role")
        with bounds(SCANNED, FEW):
            bounded = Lists(self.cursor)
        with bounds(10 * COPIES, 10 * COPIES):
            unbounded = Lists(self.cursor)
        bounded.begin(organisation)
        return bounded, unbounded


@pytest.fixture(scope="module")
def copies(cluster):
    made = Filled(cluster)
    yield made
    made.link.rollback()
    made.link.close()


def referral(committee, agency):
    return make_referral(agency)["id"]


def case(committee, agency):
    return make_case(committee)["id"]


def action(committee, agency):
    return make_action(committee)["id"]


def request(committee, agency):
    return make_request(committee)["id"]


def proceeding(committee, agency):
    return make_proceeding(committee, make_case(committee))["id"]


def task(committee, agency):
    return committee.send("addTask", new_task(), id=make_case(committee)["id"]).expect(201)["id"]


LISTS = [("list_referrals", "referral", referral, ("CPC-GLA", "LA-S12000049")),
         ("list_cases", "review_case", case, ("CPC-GLA",)),
         ("list_actions", "action", action, ("CPC-GLA", "LA-S12000049")),
         ("list_information_requests", "information_request", request, ("CPC-GLA", "LA-S12000049")),
         ("list_proceedings", "proceeding", proceeding, ("CPC-GLA",)),
         ("list_tasks", "task", task, ("CPC-GLA",))]
each_list = pytest.mark.parametrize("name,table,made,organisation", [
    pytest.param(*one, organisation, id=f"{one[0]}-{organisation}") for *one, organisations in LISTS
    for organisation in organisations])


@each_list
def test_a_page_reads_a_bounded_number_of_rows(copies, committee, agency, name, table, made, organisation):
    copies.fill(table, lambda: made(committee, agency))
    asked, _ = copies.asked(organisation)
    most = SCANNED + FEW + 60   # rows in order, few rows, and those of the caller and the page
    for question in questions(name, asked.statements[name][1]):
        read = asked.read(name, question)
        assert read <= most, (question, read)
        _, after = asked.page(name, question)
        if after is not None:
            read = asked.read(name, question, after)
            assert read <= most, (question, "second page", read)


@pytest.mark.parametrize("table, made, organisation", [
    ("task", task, "CPC-GLA"), ("action", action, "CPC-GLA"), ("action", action, "LA-S12000049"),
    ("information_request", request, "LA-S12000049"), ("proceeding", proceeding, "CPC-GLA")])
def test_what_is_due_reads_a_page_of_each_kind(copies, committee, agency, table, made, organisation):
    copies.fill(table, lambda: made(committee, agency))
    asked, _ = copies.asked(organisation)
    count = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = %s"
    for question in ({}, {"within_days": "365"}, {"kind": "task"}):
        copies.cursor.execute(count, (table,))
        before = copies.cursor.fetchone()[0]
        copies.cursor.execute(with_parameters(asked.statements["list_work"][0], json.dumps(question), None, "10"))
        assert len(copies.cursor.fetchone()[0]) <= 10
        copies.cursor.execute(count, (table,))
        assert copies.cursor.fetchone()[0] - before <= 8 * 11, question


def walked(questions, orders):
    """The questions, order after order; of each order, those whose turn it is."""
    filters = len(questions) // orders
    return [question for n, question in enumerate(questions)
            if os.environ.get("LR_LIST_ORDERS") == "all" or n % filters % orders == n // filters]


@each_list
def test_pages_that_end_early_show_every_row_once_in_order(copies, committee, agency, name, table, made, organisation):
    copies.fill(table, lambda: made(committee, agency))
    asked, unbounded = copies.asked(organisation)
    parameters = asked.statements[name][1]
    for question in walked(questions(name, parameters), len(parameters.get("sort") or [None])):
        items, lengths = asked.walk(name, question, 40)
        expected, after = unbounded.page(name, question, None, 10 * COPIES)
        assert json.dumps(items) == json.dumps(expected) and after is None, (question, lengths)
        assert len({item["id"] for item in items}) == len(items), question
        assert len(lengths) <= 2 + COPIES / 40 + COPIES / SCANNED, (question, lengths)


@pytest.mark.parametrize("name,table,made,question", [
    *(("list_cases", "review_case", case, {filter: value}) for filter, value in (
        ("review_type", "joint"), ("review_type", "joint,thematic"), ("stage", "review"), ("stage", "review,set_up"),
        ("on_hold", "true"))),
    *(("list_actions", "action", action, {filter: value}) for filter, value in (
        ("status", "agreed"), ("status", "agreed,verified"), ("priority", "high"), ("priority", "high,medium"),
        ("scope", "national")))])
def test_a_filter_with_an_index_finds_few_rows_at_once(copies, committee, agency, name, table, made, question):
    copies.fill(table, lambda: made(committee, agency))
    asked, unbounded = copies.asked("CPC-GLA")
    for sort in asked.statements[name][1]["sort"]:
        expected, _ = unbounded.page(name, {**question, "sort": sort}, None, 10 * COPIES)
        items, after = asked.page(name, {**question, "sort": sort})
        assert after is None and items == expected and len(items) < FEW


def test_each_filter_of_these_lists_is_asked(copies):
    asked, _ = copies.asked("CPC-GLA")
    for name, values in VALUES.items():
        assert set(values) == set(asked.statements[name][1]) - {"sort"}
