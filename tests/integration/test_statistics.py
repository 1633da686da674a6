"""Statistics: access, parameters, both formats, and cached answers.

tests/statistics checks whether the figures are right.
"""
import csv
import io

import pytest

from client import Client
from counting import EXACT, READ, until_counted
from payloads import days_ago, new_access, new_referral, today
from scenarios import decide, make_case, make_hold, make_referral
from service import Instance
from waiting import wait_until


@pytest.fixture(scope="module")
def analyst(caller):
    return caller("SG", "government-analyst", EXACT)


@pytest.fixture(scope="module")
def own(caller):
    """A committee with the scope to read statistics only."""
    return caller("CPC-GLA", "committee-statistics", READ)


def read(client, table="decisions", query=None, **more):
    return client.send("getStatistics", table=table, query=query, **more)


def total(reply, figure="count"):
    return sum(row["value"] for row in reply["rows"] if row["category"] is None and row["figure"] == figure)


def test_the_tables_are_listed_with_their_definitions(dashboard):
    reply = dashboard.send("listStatistics")
    assert reply.status == 200
    assert len(reply["tables"]) == 23
    assert all(len(one["definition"]) > 50 for one in reply["tables"])
    assert {one["changed_at"] for one in reply["tables"]} == {None}


def test_an_analyst_sees_when_a_table_changed(analyst):
    assert all(one["changed_at"] for one in analyst.send("listStatistics")["tables"])


def test_without_a_view_the_answer_is_the_released_one(dashboard):
    reply = read(dashboard)
    assert (reply.status, reply["view"], reply["disclosure_control"]) == (200, "released", True)


def test_the_exact_view_of_scotland_needs_its_scope(dashboard, own, analyst):
    assert read(analyst, query="view=live")["disclosure_control"] is False
    for client in (dashboard, own):
        reply = read(client, query="view=live")
        assert (reply.status, reply.code) == (403, "scope_missing")
        assert reply["errors"][0]["parameter"] == "view"
        assert "statistics.unsuppressed" in reply["errors"][0]["message"]


def test_a_committee_sees_its_own_exact_figures_and_no_others(own, dashboard):
    assert read(own, query="view=live&committee=GLA")["committee"] == "GLA"
    assert read(own, query="view=live&committee=EDH").status == 403
    assert read(dashboard, query="view=live&committee=GLA").status == 403


def test_chief_officers_see_the_exact_figures_of_their_area(caller):
    officers = caller("COG-GLA", "chief-officers-statistics", READ)
    assert read(officers, query="view=live&committee=GLA").status == 200
    assert read(officers, query="view=live&committee=EDH").status == 403


def test_a_cached_answer_is_not_served_to_another_caller(analyst, own, caller):
    query = "view=live&committee=EDH"
    assert read(analyst, query=query).status == 200
    assert read(own, query=query).status == 403
    assert read(caller("SG", "other-client", READ), query=query).status == 403


@pytest.mark.parametrize("scope", ["referrals.read", READ])
def test_the_database_alone_hides_exact_figures(database_only, caller, scope):
    client = caller("CPC-GLA", "without-checks", scope, database_only)
    assert read(client, query="view=live").status == 403
    assert read(client).status == (200 if scope == READ else 403)
    assert client.send("listStatistics").status == (200 if scope == READ else 403)


def test_an_unknown_table_is_not_found(analyst):
    reply = read(analyst, table="no_such_table")
    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize("query, parameter", [
    ("view=future", "view"), ("view=live&period_type=week", "period_type"),
    ("view=live&breakdown=shoe_size", "breakdown"), ("view=live&from=2025-13-01", "from"),
    ("view=live&committee=glasgow", "committee"), ("release=latest", "release")])
def test_values_outside_the_contract_are_refused(analyst, query, parameter):
    reply = read(analyst, query=query)
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_parameter", {parameter})


@pytest.mark.parametrize("table, query, parameter, rule", [
    ("decisions", "view=live&from=2026-04-01&to=2025-04-01", "from", "period_order"),
    ("decisions", "view=live&from=2025-04-01&to=2025-04-01", "from", "period_order"),
    ("decisions", "view=live&from=2025-05-01", "from", "not_start_of_period"),
    ("decisions", "view=live&to=2025-04-02", "to", "not_start_of_period"),
    ("decisions", "view=live&period_type=academic_year&from=2025-04-01", "from", "not_start_of_period"),
    ("decisions", "view=live&period_type=month&from=2000-01-01", "from", "too_many_periods"),
    ("decisions", "view=live&breakdown=sex", "breakdown", "unknown_breakdown"),
    ("decisions", "view=live&committee=XYZ", "committee", "unknown_code"),
    ("decisions", "view=live&committee=GLA&breakdown=committee", "breakdown", "one_committee_only"),
    ("decisions", "view=live&release=2026", "release", "only_released_view"),
    ("caseload", "view=live&from=2025-04-01", "from", "snapshot_has_no_period"),
    ("caseload", "view=live&period_type=month", "period_type", "snapshot_has_no_period"),
    ("decisions", "from=2025-04-01", "from", "only_live_view"),
    ("decisions", "to=2025-04-01", "to", "only_live_view"),
    ("decisions", "period_type=month", "period_type", "only_live_view"),
    ("decisions", "committee=GLA", "committee", "only_live_view"),
    ("decisions", "breakdown=criterion", "breakdown", "not_released"),
    ("decisions", "release=1999", "release", "unknown_release")])
def test_parameters_that_the_table_does_not_have_are_refused(analyst, table, query, parameter, rule):
    reply = read(analyst, table=table, query=query)
    assert (reply.status, reply.code, reply.parameters) == (422, "rule_violation", {parameter})
    assert reply.rules == {rule}


def test_all_faults_are_reported_at_once(analyst):
    reply = read(analyst, query="view=live&from=2026-05-01&to=2025-05-01&breakdown=sex&release=2026")
    assert reply.parameters == {"from", "to", "breakdown", "release"}


def test_csv_has_the_same_figures_in_the_documented_columns(analyst, committee, cluster):
    make_case(committee, "set_up")
    until_counted(analyst, cluster)
    for query in ("view=live&period_type=month", "view=live&breakdown=criterion"):
        rows = read(analyst, query=query)["rows"]
        reply = read(analyst, query=query, headers={"Accept": "text/csv"})
        assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert 'rel="describedby"' in reply.headers["Link"]
        found = list(csv.DictReader(io.StringIO(reply.bytes.decode(), newline="")))
        assert list(found[0]) == ["table", "committee", "period", "period_from", "period_to", "category", "breakdown",
                                  "group", "figure", "value", "status"]
        names = ("period", "period_from", "period_to", "category", "group", "figure", "status")
        assert [[one[name] for name in names] for one in found] == [
            [row[name] or "" for name in names] for row in rows]
        assert [one["value"] for one in found] == ["" if row["value"] is None else str(row["value"]) for row in rows]


JSON, CSV = "application/json", "text/csv; charset=utf-8"


@pytest.mark.parametrize("accept, media_type", [
    ("text/csv, application/json", JSON), ("*/*", JSON), ("text/csv;q=0.1, */*", JSON),
    ("text/csv;q=0, */*", JSON), ("text/csvx, application/json;q=0.1", JSON),
    ("text/csv, application/json;q=0.5", CSV), ("application/json;q=0.5, Text/CSV", CSV), ("text/*", CSV),
    ("text/csv, */*", CSV), ("application/json;q=0, */*", CSV)])
def test_the_weights_of_accept_choose_the_format(analyst, accept, media_type):
    reply = read(analyst, headers={"Accept": accept})
    assert (reply.status, reply.headers["Content-Type"]) == (200, media_type)
    assert (reply.json is None) == (media_type == CSV)


@pytest.mark.parametrize("accept", ["text/csv;q=0", "text/html", "text/csv;q=high", "*/*;q=0"])
def test_a_table_in_no_acceptable_format_is_refused(analyst, accept):
    reply = read(analyst, headers={"Accept": accept})
    assert (reply.status, reply.code) == (406, "not_acceptable")


def test_each_format_has_its_own_tag(analyst):
    replies = [read(analyst, query="view=live", headers={"Accept": form})
               for form in ("application/json", "text/csv")]
    assert replies[0].etag != replies[1].etag
    assert read(analyst, query="view=live", none_match=replies[1].etag,
                headers={"Accept": "application/json"}).status == 200


def await_count(client, query, before):
    """Waits until the figure has changed."""
    wait_until(lambda: total(read(client, "referrals_received", query)) != before, f"not {before} referrals any more")


def test_a_committed_referral_is_counted_on_every_instance(caller, instances, agency):
    clients = [caller("SG", f"analyst-{n}", EXACT, at) for n, at in enumerate(instances)]
    for query in ("view=live", "view=live&committee=GLA&period_type=month"):
        for client in clients:
            for _ in range(3):
                before = total(read(client, "referrals_received", query))
                make_referral(agency)
                await_count(client, query, before)


@pytest.mark.parametrize("table, query", [("family_involvement", "view=live"), ("children", "view=live&breakdown=sex")])
def test_a_change_in_another_committee_does_not_change_the_tag(analyst, agency, table, query):
    first = read(analyst, table, query)
    assert read(analyst, table, query, none_match=first.etag).status == 304
    before = total(read(analyst, "referrals_received", "view=live"))
    make_referral(agency)
    await_count(analyst, "view=live", before)
    assert read(analyst, table, query, none_match=first.etag).status == 304


@pytest.mark.parametrize("table, query", [("decisions", "view=live"), ("decisions", None), ("children", "breakdown=sex")])
def test_polls_are_answered_without_the_database(analyst, cluster, instance, table, query):
    """Any request that reads a table of statistics from the database waits for the lock, and is refused after a second.
    That may happen while counts are pending, or when the last count is old."""
    def answered():
        first = read(analyst, table, query).expect(200)
        with cluster.holding("lock table register.statistic_table in access exclusive mode"):
            polls = [read(analyst, table, query, none_match=tag) for tag in (first.etag, None) * 5]
            refused = read(analyst, "holds", "view=live&period_type=quarter")
        assert refused.status == 503
        return {(one.status, one.bytes, one.etag) for one in polls} == {(304, b"", first.etag),
                                                                       (200, first.bytes, first.etag)}
    instance.errors_expected = True
    wait_until(answered, "polls are answered while the table is locked")
    instance.complaints()
    instance.errors_expected = False


def test_withdrawn_and_refused_referrals_are_counted_as_such(analyst, agency):
    def outcomes():
        rows = read(analyst, "referrals_outcome", "view=live&committee=GLA")["rows"]
        return {name: sum(row["value"] for row in rows if row["category"] == name) for name in ("open", "withdrawn")}

    def becomes(open_ones, withdrawn):
        wanted = {"open": before["open"] + open_ones, "withdrawn": before["withdrawn"] + withdrawn}
        wait_until(lambda: outcomes() == wanted, lambda: f"{wanted}, not {outcomes()}")

    before = outcomes()
    referral = agency.send("pushReferral", new_referral()).expect(201).json
    becomes(open_ones=1, withdrawn=0)
    tag = agency.send("getReferral", id=referral["id"]).etag
    agency.send("withdrawReferral", {"reason": "made_in_error"}, id=referral["id"], if_match=tag).expect(201, 200)
    becomes(open_ones=0, withdrawn=1)


def test_reviews_published_before_the_register_have_their_margins(dashboard):
    found = {one["code"]: {(row["subject"], row["dimension"], row["category"]): row["value"]
                           for row in one["figures"]}
             for one in dashboard.send("listPublishedReviews")["items"]}
    last = found["triennial_2018_2021"]
    closed = [value for (_, dimension, _), value in last.items() if dimension == "closed_as"]
    assert sorted(closed) == [2, 23, 50]
    assert sum(closed) == last["reviews", "total", "all"] == 75
    assert last["reviews", "after_a_death", "all"] == 28
    assert last["reviews", "cause_of_death_group", "suicide"] == 8
    assert last["reviews", "cause_of_death_group", "drug_related"] == 7
    assert last["children", "main_feature", "neglect"] == 35
    before = found["significant_2015_2018"]
    assert (before["reviews", "total", "all"], before["children", "total", "all"]) == (25, 44)
    assert before["reviews", "main_feature", "abuse_or_neglect"] == 22
    assert before["reviews", "main_feature_child_under_five", "abuse_or_neglect"] == 19


@pytest.mark.parametrize("operation, kind", [("getDashboard", "text/html"), ("getDashboardScript", "text/javascript"),
                                             ("getDashboardStyle", "text/css")])
def test_the_dashboard_is_served_with_a_strict_policy(anonymous, operation, kind):
    reply = anonymous.send(operation)
    assert (reply.status, reply.headers["Content-Type"]) == (200, f"{kind}; charset=utf-8")
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def value_of(client, query, category=None, figure="count", table="decisions"):
    return sum(row["value"] or 0 for row in read(client, table, query).expect(200)["rows"]
               if (row["category"], row["figure"]) == (category, figure))


def test_a_hold_that_begins_after_the_ratification_stops_nothing(committee, own, analyst, cluster):
    """There are no held days between decision and ratification: the hold is open, and began later."""
    case = make_case(committee, "implementation")
    cluster.execute("update register.ratification set decided_on = %s where case_id = %s", (days_ago(1), case["id"]))
    cluster.execute("update register.case_decision set decided_on = %s where case_id = %s", (days_ago(9), case["id"]))
    make_hold(committee, case, stages=["implementation"], held_from=today())
    until_counted(analyst, cluster)
    assert cluster.execute("select fault from register.statistic_subject where subject = %s", (case["id"],)) == [(None,)]
    facts = cluster.execute("select anonymous_facts(c) from review_case c where c.id = %s",
                            (case["id"],))[0][0]
    assert (facts["days_to_complete"], facts["days_to_complete_net"]) == (8, 8)


def test_a_decision_after_the_last_ratification_has_no_days_to_completion(committee, analyst, cluster):
    """This happens after a closed case was opened again: the days between the two would be negative."""
    case = make_case(committee, "implementation")
    cluster.execute("update register.ratification set decided_on = %s where case_id = %s", (days_ago(20), case["id"]))
    until_counted(analyst, cluster)
    facts = cluster.execute("select anonymous_facts(c) from review_case c where c.id = %s",
                            (case["id"],))[0][0]
    assert (facts["days_to_complete"], facts["days_to_complete_net"]) == (None, None)


BROKEN = '{"decided_month": "no month"}'
INCOMPLETE = '{"decided_month": "2026-01", "decision_outcome": "proceed"}'
REPAIRED = '{"decided_month": "2026-01", "decision_outcome": "proceed", "days_to_decision": 10}'


@pytest.fixture
def broken(cluster, instances):
    """Creates the facts of an erased case of GLA, in a form that cannot be read."""
    for each in instances:
        each.errors_expected = True
    made = cluster.execute("insert into register.anonymous_review (committee, facts, anonymised_on) "
                           "values ('GLA', %s, '2026-01-01') returning id", (BROKEN,))[0][0]
    yield made
    cluster.execute("delete from register.anonymous_review where id = %s", (made,))
    wait_until(lambda: cluster.execute("select not exists (select from register.statistic_dirty)")[0][0],
               "the counting of all changes")
    for each in instances:
        each.complaints()
        each.errors_expected = False


def standing(client, query="view=live&committee=GLA"):
    reply = read(client, query=query).expect(200)
    return reply["complete"], reply["pending"], reply["not_included"]


def test_a_case_that_cannot_be_counted_is_left_out_and_reported(broken, own, analyst, dashboard, caller, agency, cluster,
                                                                instances):
    other = caller("CPC-EDH", "other-statistics", READ)
    until_counted(analyst, cluster)
    assert standing(own) == (False, 0, 1) and standing(analyst, "view=live") == (False, 0, 1)
    assert standing(other, "view=live&committee=EDH") == (True, 0, 0)
    assert own.send("listStatistics")["not_included"] == 1
    assert dashboard.send("listStatistics")["not_included"] is None
    # Whichever instance finds it logs it once, by its id; and every instance counts it in its metrics.
    for each in instances:
        wait_until(lambda: each.figure("statistics_not_included") == 1, "the metric")

    def lines():
        return [(line["level"], line["message"].split()[-1]) for each in list(Instance.by_url.values()) for line in each.log_lines()
                if str(broken) in line.get("message", "")]
    wait_until(lines, "the line of the log")
    assert lines() == [("error", "22007")]
    # Others are still counted, and so are other cases of the committee.
    before = total(read(own, "referrals_received", "view=live&committee=GLA"))
    make_referral(agency)
    wait_until(lambda: total(read(own, "referrals_received", "view=live&committee=GLA")) == before + 1, "the referral")


def test_a_case_that_cannot_be_counted_is_retried_when_it_changes(broken, own, analyst, cluster):
    until_counted(analyst, cluster)
    before = value_of(own, "view=live&committee=GLA", "proceed")
    cluster.execute("update register.anonymous_review set facts = %s where id = %s", (REPAIRED, broken))
    until_counted(analyst, cluster)
    assert standing(own) == (True, 0, 0)
    assert value_of(own, "view=live&committee=GLA", "proceed") == before + 1


def test_a_counted_case_does_not_count_while_it_cannot_be_counted_again(broken, own, analyst, cluster):
    cluster.execute("update register.anonymous_review set facts = %s where id = %s", (REPAIRED, broken))
    until_counted(analyst, cluster)
    before = value_of(own, "view=live&committee=GLA", "proceed")
    cluster.execute("update register.anonymous_review set facts = %s where id = %s", (BROKEN, broken))
    until_counted(analyst, cluster)
    assert standing(own) == (False, 0, 1)
    assert value_of(own, "view=live&committee=GLA", "proceed") == before - 1


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_case_that_cannot_be_counted_is_retried_later_and_manually(broken, own, analyst, cluster, by_hand):
    """A repair of the register itself leaves no change at the case."""
    until_counted(analyst, cluster)
    cluster.execute(f"set session_replication_role = replica; "
                    f"update register.anonymous_review set facts = '{REPAIRED}' where id = '{broken}'")
    if by_hand:
        assert cluster.execute("select statistic_retry(1000, clock_timestamp())") == [(1,)]
    else:
        cluster.execute("update register.statistic_subject set tried_at = now() - interval '11 minutes' "
                        "where subject = %s", (broken,))
    wait_until(lambda: cluster.execute("select fault from register.statistic_subject where subject = %s",
                                       (broken,)) == [(None,)], "another try")
    until_counted(analyst, cluster)
    assert standing(own) == (True, 0, 0)


def test_an_incomplete_fact_affects_only_its_own_subject(broken, analyst, own, cluster):
    """Otherwise the sums would refuse it, with everything else that is counted in the same step."""
    cluster.execute("update register.anonymous_review set facts = %s where id = %s", (INCOMPLETE, broken))
    until_counted(analyst, cluster)
    assert standing(own) == (False, 0, 1)
    assert cluster.execute("select fault from register.statistic_subject where subject = %s", (broken,)) == [("22004",)]


def test_a_joint_review_is_still_joint_after_the_access_ends(committee, analyst, own, caller, cluster):
    other = caller("CPC-EDH", "other-statistics", READ)

    def figures():
        until_counted(analyst, cluster)
        return (value_of(own, "view=live&committee=GLA", figure="of_which_joint"),
                value_of(other, "view=live&committee=EDH", figure="of_which_joint"))
    case = make_case(committee, "decision")
    decide(committee, case["id"]).expect(201)
    alone = figures()
    for began, joint in ((today(), 0), (days_ago(9), 1)):
        access = new_access(organisation="CPC-EDH", role="joint_committee", client_id=None, starts_on=began, ends_on=None)
        made = committee.send("grantAccess", access, id=case["id"]).expect(201)
        assert figures() == (alone[0] + 1, alone[1] + 1)
        path = {"id": case["id"], "access_id": made["id"]}
        committee.send("changeAccess", {"ended_on": today()}, **path, if_match=made.etag).expect(200)
        # An access that ended on the day on which it began was a mistake.
        assert figures() == (alone[0] + joint, alone[1] + joint)


def test_the_list_shows_the_day_since_which_statistics_exist(dashboard, cluster):
    listed = dashboard.send("listStatistics").expect(200)
    assert listed["kept_from"] == str(cluster.execute("select installed_on from register.statistic_day")[0][0])
    assert listed["releases"] == []


def test_a_table_covers_the_periods_between_from_and_to(analyst):
    query = "view=live&period_type=month&from=2026-01-01&to=2026-04-01"
    rows = read(analyst, query=query).expect(200)["rows"]
    assert sorted({(row["period_from"], row["period_to"]) for row in rows}) == [
        ("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-04-01")]


def test_before_the_first_release_no_period_is_complete(dashboard):
    reply = read(dashboard)
    assert (reply["release"], reply["as_of"], reply["complete"], reply["rows"]) == (None, None, None, [])


@pytest.mark.parametrize("role, query", [("chief-officers", "view=live&committee=GLA"), ("inspectorate", "view=live"),
                                         ("national-hub", ""), ("dashboard", ""), ("committee", "view=live&committee=GLA")])
def test_the_development_roles_read_their_own_statistics(instance, role, query):
    client = Client(instance.url, instance.run("token", "--role", role))
    assert client.send("listStatistics").status == 200
    assert read(client, query=query or None).status == 200


def until_released(client, *names):
    def listed():
        return [one["name"] for one in client.send("listStatistics").expect(200)["releases"]]
    wait_until(lambda: listed() == list(names), lambda: f"the releases {names}, not {listed()}")


@pytest.fixture
def releases(cluster, committee, dashboard):
    """Two releases by name, with the end of what they cover, as operators make them; they are removed afterwards."""
    made = {"2024": "2024-04-01", "2025": "2025-04-01"}
    case = make_case(committee, "decision", opened_on="2023-05-02")
    decide(committee, case["id"]).expect(201)
    cluster.execute("update register.case_decision set decided_on = '2023-06-01' where case_id = %s", (case["id"],))
    for name, covers_to in made.items():
        cluster.execute("select statistic_release_make(%s, %s, %s)", (name, f"{name}-06-25", covers_to))
    until_released(dashboard, *made)
    yield made
    cluster.execute("truncate register.statistic_released_cell, register.statistic_release")
    until_released(dashboard)


def test_each_release_can_be_read_by_its_name(releases, dashboard):
    for name, covers_to in releases.items():
        reply = read(dashboard, query=f"release={name}").expect(200)
        assert reply["release"] == name
        assert max(row["period_to"] for row in reply["rows"]) == covers_to
    assert read(dashboard)["release"] == "2025"
