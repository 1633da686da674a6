"""Releases reveal nothing about a hidden cell: tested with the demonstration, with adversarial data, and with releases
between which one case was added."""
import collections
import datetime
import os
import random
import zoneinfo

import pytest

from disclosure import exposed, released_answers, system_of
from scenario import RELEASES, forget_releases, make_release

@pytest.fixture(scope="module")
def parts(instance, cluster):
    found = {}
    for table, breakdown, universe, parent, period_type, threshold in cluster.execute(
            "select table_code, breakdown, universe, parent, period_type, threshold from register.statistic_released_table"):
        found[table, breakdown] = {"universe": universe, "parent": parent, "period_type": period_type,
                                   "threshold": threshold}
    return found


@pytest.fixture(scope="module")
def demonstration(released, parts, dashboard):
    """Returns all answers after three releases of the demonstration."""
    return released_answers(dashboard, releases_too=True)


@pytest.fixture(scope="module")
def reader(cluster, caller):
    """Readers whose answers the service has not cached: the tests make the releases again without its knowledge."""
    organisations = iter(cluster.execute("select code from register.organisation where kind = 'local_authority'"))
    return lambda: caller(next(organisations)[0], "reader", "statistics.read")


def test_no_hidden_cell_of_the_demonstration_can_be_computed(demonstration, parts):
    known, hidden = system_of(demonstration, parts, joint=True)
    assert len(hidden) > 30
    assert exposed(known, hidden) == {}


def test_the_solver_finds_a_cell_that_is_hidden_alone(demonstration, parts):
    """The proof is valid only if it fails on unprotected data."""
    rows = [dict(row) for row in demonstration["decisions", ""]]
    known, hidden = system_of({("decisions", ""): rows}, parts)
    assert exposed(known, hidden) == {}
    for row in rows:
        row["value"], row["status"] = row["value"] or 7, "released"
    for period in {row["period_from"] for row in rows}:
        cells = [row for row in rows if row["period_from"] == period]
        cells[-1]["value"] = sum(row["value"] for row in cells[:-1])
        cells[0]["value"], cells[0]["status"] = None, "confidential"
    known, hidden = system_of({("decisions", ""): rows}, parts)
    assert len(exposed(known, hidden)) == len(hidden) > 0


def test_released_figures_equal_the_exact_ones(demonstration, analyst, parts):
    """Releases hide figures and do not change them: each figure shown is the exact one of the day of its release."""
    compared = 0
    for (table, breakdown), rows in demonstration.items():
        if breakdown or parts[table, breakdown]["period_type"] == "release":
            continue
        kind = parts[table, breakdown]["period_type"]
        query = f"view=live&period_type={kind}&from=" + ("2015-04-01" if kind == "three_years" else "2014-04-01")
        exact = {(row["period_from"], row["category"], row["group"], row["figure"]): row["value"]
                 for row in analyst.send("getStatistics", table=table, query=query).expect(200)["rows"]}
        for row in rows:
            if row["status"] == "released":
                assert row["value"] == exact[row["period_from"], row["category"], row["group"], row["figure"]]
                compared += 1
    assert compared > 100


def test_a_table_has_the_same_structure_in_both_views(demonstration, analyst, parts):
    """Each released figure has the same place as in the live view: a client reads both in the same way."""
    shares = set()
    for (table, breakdown), rows in demonstration.items():
        query = "view=live" + (f"&breakdown={breakdown}" if breakdown else "")
        live = analyst.send("getStatistics", table=table, query=query).expect(200)["rows"]
        places = {(row["category"], row["group"], row["figure"]) for row in live}
        if breakdown:
            places.add((None, None, "count"))  # the total of all groups, which only a released breakdown has
        assert {(row["category"], row["group"], row["figure"]) for row in rows} <= places, (table, breakdown)
        shares |= {table for row in rows if row["figure"] == "share" and row["category"] is None}
    assert shares == {"days_to_decision", "info_return_on_time", "notices_on_time", "actions_on_time", "impact_reviewed"}


def test_a_share_is_hidden_with_its_counts(demonstration):
    shown = 0
    for (table, breakdown), rows in demonstration.items():
        for share in (row for row in rows if row["figure"] == "share" and row["category"] is None):
            first, second = (next(row for row in rows if row["period_from"] == share["period_from"]
                                  and row["figure"] == "count" and row["category"] == name)
                             for name in (("reviewed", "not_reviewed") if table == "impact_reviewed" else ("on_time", "late")))
            if share["status"] == "released":
                assert share["value"] == round(first["value"] / (first["value"] + second["value"]), 4)
                shown += 1
            else:
                assert "confidential" in (first["status"], second["status"]) or first["value"] == second["value"] == 0
    assert shown > 3


@pytest.mark.parametrize("table", ["caseload", "actions_open"])
def test_a_table_of_open_items_has_the_day_of_its_count(demonstration, dashboard, analyst, table):
    """Not the day of the release, which was years ago."""
    counted = {one["name"]: one["counted_at"] for one in dashboard.send("listStatistics").expect(200)["releases"]}
    reply = dashboard.send("getStatistics", table=table).expect(200)
    day = (datetime.datetime.fromisoformat(reply["as_of"]).astimezone(zoneinfo.ZoneInfo("Europe/London"))).date()
    assert reply["as_of"] == counted["2026"]
    assert {(row["period"], row["period_from"]) for row in reply["rows"]} == {(str(day), str(day))}
    assert day > datetime.date.fromisoformat("2026-06-30")
    live = {(row["category"], row["figure"]): row["value"]
            for row in analyst.send("getStatistics", table=table, query="view=live").expect(200)["rows"]}
    assert all(row["value"] == live[row["category"], row["figure"]] for row in reply["rows"] if row["status"] == "released")


def test_releases_of_one_day_have_open_items_once(demonstration, cluster):
    """Their figures are the same: nothing is counted twice, and no release claims figures of an earlier day."""
    assert cluster.execute("""select distinct release from register.statistic_released_cell
                              where table_code in ('caseload', 'actions_open')""") == [("2024",)]


def test_periods_before_the_register_existed_are_not_released(demonstration, cluster, reader):
    """Zeros of years without data would be wrong."""
    forget_releases(cluster)
    hard_data(cluster, 5)
    cluster.execute("delete from register.statistic_cell where month > '-infinity' and month < '2023-04-01'")
    make_release(cluster, "2025", "2025-06-24", "2025-04-01")
    answers = released_answers(reader())
    periods = {row["period_from"] for (table, _), rows in answers.items() for row in rows
               if table not in ("caseload", "actions_open")}
    assert periods == {"2023-04-01", "2024-04-01", "2021-04-01"}  # two years, and three-year periods with one
    assert any(row["value"] for rows in answers.values() for row in rows)


def test_a_release_without_uncountable_cases_says_so(demonstration, cluster, reader, analyst):
    forget_releases(cluster)
    cluster.execute("insert into register.statistic_subject (subject, facts, fault, scopes, reported) "
                    "values (gen_random_uuid(), '{}', '22007', '{GLA}', true)")
    make_release(cluster, *RELEASES[1])
    cluster.execute("delete from register.statistic_subject where fault is not null")
    make_release(cluster, *RELEASES[2])
    client = reader()
    assert [(one["name"], one["complete"]) for one in client.send("listStatistics").expect(200)["releases"]] == [
        ("2025", False), ("2026", True)]
    for who, number in ((client, None), (analyst, 1)):
        reply = who.send("getStatistics", table="decisions", query="release=2025").expect(200)
        assert (reply["complete"], reply["not_included"], reply["pending"]) == (False, number, None)


def test_the_zeros_shown_are_true_and_hidden_cells_have_no_value(demonstration):
    statuses = collections.Counter(row["status"] for rows in demonstration.values() for row in rows)
    assert statuses["released"] > 100 and statuses["confidential"] > 30
    assert all((row["value"] is None) == (row["status"] != "released")
               for rows in demonstration.values() for row in rows)


def hard_row(chance, cells):
    """Returns counts by cell and committee that are close to the thresholds of a rule."""
    styles = [lambda: chance.choice((0, 0, 1, 4)), lambda: chance.choice((4, 5, 6)), lambda: chance.choice((0, 1, 30)),
              lambda: chance.randint(0, 12), lambda: 0]
    style = chance.choice(styles)
    return [style() for _ in range(cells)]


def hard_data(cluster, seed):
    """Fills the sums with small numbers, so that tables of one universe are consistent."""
    chance = random.Random(seed)
    tables = dict(cluster.execute("select code, categories from register.statistic_table"))
    groups = {(table, code): names for table, code, names in cluster.execute(
        "select table_code, code, groups from register.statistic_breakdown")}
    committees = ["GLA", "EDH", "ORK", "FIF"]
    cells = collections.Counter()

    def whose(count):
        """Assigns so many reviews to committees: each to one, or to several."""
        few = chance.sample(committees, chance.randint(1, 4))
        return [chance.choice(few) for _ in range(count)]

    def put(measure, month, key, committee):
        for scope in ("*", committee):
            cells[measure, scope, month, key] += 1

    def cut(month, table, breakdown, owners):
        """Divides the same reviews by another breakdown."""
        names = groups[table, breakdown] if breakdown else tables[table]
        favourites = chance.sample(names, min(len(names), chance.randint(1, 4)))
        for owner in owners:
            name = chance.choice(favourites)
            put(f"{table}.{breakdown}" if breakdown else table, month, (None, name) if breakdown else (name,), owner)

    for year in range(2018, 2026):
        month = f"{year}-06-01"
        for count, name in zip(hard_row(chance, 4), tables["decisions"]):
            for owner in whose(count):
                put("decisions", month, (name,), owner)
                put("days_to_decision", month, (chance.choice(tables["days_to_decision"]),), owner)
        referrals, started, done = (whose(sum(hard_row(chance, 3))) for _ in range(3))
        for table, owners in (("referrals_received", referrals), ("reviews_started", started),
                              ("reviews_completed", done), ("factors#", done), ("themes#", done),
                              ("family_involvement#", done)):
            for owner in owners:
                put(table, month, (), owner)
        for table, breakdown, owners in (
                ("referrals_received", "source_kind", referrals), ("referrals_outcome", None, referrals),
                ("reviews_started", "review_type", started), ("reviews_completed", "review_type", done),
                ("publication", None, done), ("notices_on_time", None, done)):
            cut(month, table, breakdown, owners)
        for table in ("factors", "themes", "family_involvement"):
            counts = sorted((chance.choice((0, min(len(done), 2), len(done), chance.randint(0, len(done))))
                             for _ in tables[table]), reverse=True)
            for name, count in zip(tables[table], counts):
                for owner in done[:count]:
                    put(table, month, (name,), owner)
        for table in ("info_return_on_time", "actions_on_time", "impact_reviewed"):
            cut(month, table, None, whose(sum(hard_row(chance, 2))))
        children, died = [], []
        for name, count in zip(tables["children"], hard_row(chance, len(tables["children"]))):
            owners = whose(count)
            children += owners
            died += owners if name == "died" else []
            for owner in owners:
                put("children", month, (name,), owner)
        for breakdown in ("age_band", "sex", "legal_status", "register_status", "ethnic_group", "disability"):
            cut(month, "children", breakdown, children)
        cut(month, "deaths_by_cause", None, died)
    cut("-infinity", "caseload", None, whose(sum(hard_row(chance, 3))))
    cluster.execute("truncate register.statistic_cell, register.statistic_dirty, register.statistic_delta")
    rows = [(measure, scope, month, list(key), n) for (measure, scope, month, key), n in cells.items()]
    cluster.execute("""
        insert into register.statistic_cell (measure, scope, month, key, value, from_day, n)
            select measure, scope, month::date, key::text[], 0, '-infinity', n
            from unnest(%s, %s, %s, %s, %s) u(measure, scope, month, key, n)""",
                    ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows],
                     ["{" + ",".join("NULL" if part is None else part for part in row[3]) + "}" for row in rows],
                     [row[4] for row in rows]))


@pytest.mark.parametrize("seed", range(int(os.environ.get("LR_HARD_DATA", "4"))))
def test_no_hidden_cell_of_adversarial_data_can_be_computed(demonstration, cluster, parts, reader, seed):
    forget_releases(cluster)
    hard_data(cluster, seed)
    for release in RELEASES:
        make_release(cluster, *release)
    known, hidden = system_of(released_answers(reader()), parts)
    assert len(hidden) > 30
    assert exposed(known, hidden) == {}


def test_one_more_case_between_two_releases_changes_no_released_figure(demonstration, cluster, reader):
    forget_releases(cluster)
    hard_data(cluster, 99)
    make_release(cluster, *RELEASES[1])
    before = released_answers(reader())
    cluster.execute("""
        update register.statistic_cell set n = n + 1
        where measure in ('decisions', 'children', 'children.sex', 'referrals_received', 'reviews_completed', 'themes#')
            and month = (select max(month) from register.statistic_cell where month < '2025-04-01')""")
    make_release(cluster, *RELEASES[2])
    after = released_answers(reader())
    assert all(row in after[key] for key, rows in before.items() for row in rows)
    periods = {row["period_from"] for key, rows in after.items() for row in rows if row not in before[key]}
    assert periods and all(day >= "2025-04-01" for day in periods)


def test_the_same_query_has_the_same_answer_at_every_poll(demonstration, reader):
    client = reader()
    answers = {client.send("getStatistics", table="decisions").bytes for _ in range(20)}
    assert len(answers) == 1


def test_without_the_additional_hidden_cells_the_solver_finds_what_they_protect(demonstration, cluster, parts, reader):
    signature = "(bigint[], boolean[], bigint, integer, integer, boolean, boolean)"
    forget_releases(cluster)
    hard_data(cluster, 3)
    cluster.execute(f"""
        alter function statistic_protect{signature} rename to statistic_protect_kept;
        create function statistic_protect{signature} returns boolean[] language sql immutable as
            $$ select array(select v > 0 and v < $4 from unnest($1 || $3) with ordinality u(v, n) order by n) $$;""")
    try:
        for release in RELEASES:
            make_release(cluster, *release)
    finally:
        cluster.execute(f"""
            drop function statistic_protect{signature};
            alter function statistic_protect_kept{signature} rename to statistic_protect;""")
    known, hidden = system_of(released_answers(reader()), parts)
    assert len(exposed(known, hidden)) > 5


def test_the_share_of_lost_cells_is_limited(demonstration):
    """The share of cells that are not zero; printed for the documentation."""
    lost = {}
    for (table, breakdown), rows in demonstration.items():
        cells = [row for row in rows if row["figure"] in ("count", "reviews") and row["value"] != 0]
        lost[table, breakdown] = (sum(row["status"] == "confidential" for row in cells), len(cells))
    for (table, breakdown), (hidden, cells) in lost.items():
        print(f"{table:<24} {breakdown:<16} {hidden:>4} of {cells:>4}")
    hidden, cells = (sum(pair[n] for pair in lost.values()) for n in (0, 1))
    print(f"{'all':<41} {hidden:>4} of {cells:>4}")
    assert 0 < hidden < cells * 0.8
