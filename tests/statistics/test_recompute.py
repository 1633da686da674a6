"""Compares every table and breakdown with figures that are computed independently, from the rows."""
import datetime

import pytest

import contract_reader  # noqa: F401  (the client needs it)
from recompute import ALL, Facts, Register, Table, add_months, period_start
from waiting import wait_until

TYPES = ["month", "quarter", "calendar_year", "financial_year", "academic_year", "three_years"]
LENGTH = {"month": 1, "quarter": 3, "three_years": 36}


@pytest.fixture(scope="module")
def register(instance, cluster):
    return Register(cluster)


@pytest.fixture(scope="module")
def facts(register):
    return Facts(register)


@pytest.fixture(scope="module")
def tables(analyst, register):
    return {one["table"]: one for one in analyst.send("listStatistics").expect(200)["tables"]}


@pytest.fixture(scope="module")
def groups(cluster, instance):
    found = {(table, code): names for table, code, names in cluster.execute(
        "select table_code, code, groups from register.statistic_breakdown")}
    committees = [one[0] for one in cluster.execute("select code from register.committee")]
    return {**found, **{key: committees for key in found if key[1] == "committee"}}


@pytest.fixture(scope="module")
def caught_up(analyst, register, cluster):
    """All changes are counted."""
    wait_until(lambda: not cluster.execute("select exists (select from register.statistic_dirty)")[0][0],
               "all changes are folded")


def figures_of(reply):
    found = {}
    for row in reply["rows"]:
        key = (datetime.date.fromisoformat(row["period_from"]), row["category"], row["group"], row["figure"])
        assert key not in found, key
        assert (row["status"] == "not_available") == (row["value"] is None)
        found[key] = row["value"]
    return found


def assert_same(got, expected):
    assert set(got) == set(expected)
    different = {key: (got[key], expected[key]) for key in got
                 if (got[key] is None) != (expected[key] is None)
                 or got[key] is not None and abs(got[key] - expected[key]) > 1e-6}
    assert different == {}


def span(kind, today, periods):
    start = period_start(today, kind)
    length = LENGTH.get(kind, 12)
    return add_months(start, -length * (periods - 1)), add_months(start, length)


def compare(client, facts, definition, groups, scope, breakdown, kind):
    query = "view=live"
    start = end = None
    if not definition["snapshot"]:
        start, end = span(kind, facts.register.today, {"month": 40, "quarter": 20, "three_years": 5}.get(kind, 12))
        query += f"&period_type={kind}&from={start}&to={end}"
    query += f"&breakdown={breakdown}" if breakdown else ""
    query += f"&committee={scope}" if scope != ALL else ""
    reply = client.send("getStatistics", table=definition["table"], query=query).expect(200)
    table = Table(facts, definition, groups.get((definition["table"], breakdown)), scope, breakdown, kind, start, end)
    assert_same(figures_of(reply), table.compute())


@pytest.mark.parametrize("scope", [ALL, "GLA", "EDH", "ORK"])
def test_every_table_and_breakdown_by_year(caught_up, analyst, facts, tables, groups, scope):
    for definition in tables.values():
        for breakdown in [None, *definition["breakdowns"]]:
            if not (breakdown == "committee" and scope != ALL):
                compare(analyst, facts, definition, groups, scope, breakdown, "financial_year")


@pytest.mark.parametrize("kind", TYPES)
def test_every_table_by_every_kind_of_period(caught_up, analyst, facts, tables, groups, kind):
    for definition in tables.values():
        compare(analyst, facts, definition, groups, ALL, None, kind)


def test_the_figures_are_not_all_zero(caught_up, analyst, tables):
    """Comparing nothing with nothing would prove nothing."""
    empty = [table for table in tables if not any(
        row["value"] for row in analyst.send("getStatistics", table=table, query="view=live").expect(200)["rows"])]
    assert empty == []


def test_incremental_sums_equal_a_full_count(caught_up, cluster):
    def cells():
        return cluster.execute("select measure, scope, month, key, value, from_day, n from register.statistic_cell "
                               "order by 1, 2, 3, 4, 5, 6")
    before = cells()
    cluster.execute("""
        truncate statistic_cell, statistic_subject, statistic_delta;
        select statistic_count_all();
        select statistic_fold(100000);""")
    assert cells() == before
    assert len(before) > 1000
