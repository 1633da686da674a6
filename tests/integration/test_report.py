"""The report: drafted, checked, agreed by the committee, ratified by the chief officers."""
import pytest

from payloads import (changes_requested, days_ago, days_ahead, new_case, new_plan_consideration,
                      new_ratification, new_report, today)
from scenarios import engage_practitioners, hear_family, make_case, move, record_strategy, tag_of
from sql_patches import function_body

# Refuses with the kind of the requested notices and the days until they are due.
TELL_NOTICES = """begin perform refuse(409, 'state_conflict', json_build_array(
    fault(null, $2 || '_' || ($3 - register.today()), 'is asked for'))); end"""


@pytest.fixture
def case(committee):
    return make_case(committee, "reporting")


@pytest.fixture
def waiting(committee):
    """A case that waits for the chief officers."""
    return make_case(committee, "ratification")


def record(client, case, **members):
    return client.send("putReport", new_report(**members), id=case["id"], none_match="*")


def replace(client, case, tag=None, **members):
    tag = tag or tag_of(client, "getReport", id=case["id"])
    return client.send("putReport", new_report(**members), id=case["id"], if_match=tag)


def refusal(reply):
    return reply.status, reply.rules


def test_a_report_is_recorded_and_read(committee, case):
    made = record(committee, case, document_digest="ab" * 32, delay_reasons=["complexity"])
    assert (made.status, made["version"]) == (201, 1)
    assert (made["document_digest"], made["delay_reasons"]) == ("ab" * 32, ["complexity"])
    assert (made["ratified_on"], made["duration_days"]) == (None, None)
    assert committee.send("getReport", id=case["id"]).json == made.json


def test_there_is_no_report_before_it_is_recorded(committee, case):
    assert committee.send("getReport", id=case["id"]).status == 404


def test_a_report_is_replaced_as_a_whole(committee, case):
    record(committee, case, family_feedback_on=today()).expect(201)
    reply = replace(committee, case, sections=["facts"])
    assert (reply.status, reply["version"]) == (200, 2)
    assert (reply["sections"], reply["family_feedback_on"]) == (["facts"], None)


def test_replacing_a_report_needs_its_present_version(committee, case):
    first = record(committee, case)
    replace(committee, case).expect(200)
    assert replace(committee, case, tag=first.etag).status == 412
    assert record(committee, case).status == 412


def test_two_preconditions_are_refused(committee, case):
    reply = committee.send("putReport", new_report(), id=case["id"], if_match='"1-x"',
                           none_match="*")
    assert (reply.status, reply.code) == (400, "invalid_header")


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"drafted_on": days_ahead(2), "accuracy_checked_on": None, "committee_agreed_on": None},
     "/drafted_on", "date_in_future"),
    ({"drafted_on": days_ago(400)}, "/drafted_on", "date_order"),
    ({"accuracy_checked_on": days_ago(1)}, "/accuracy_checked_on", "date_order"),
    ({"accuracy_checked_on": days_ahead(1), "committee_agreed_on": None}, "/accuracy_checked_on",
     "date_in_future"),
    ({"family_feedback_on": days_ago(1)}, "/family_feedback_on", "date_order"),
    ({"family_feedback_on": days_ahead(1)}, "/family_feedback_on", "date_in_future"),
    ({"prosecution_consulted_on": days_ago(1)}, "/prosecution_consulted_on", "date_order"),
    ({"prosecution_consulted_on": days_ahead(1)}, "/prosecution_consulted_on", "date_in_future"),
    ({"committee_agreed_on": days_ago(1)}, "/committee_agreed_on", "date_order"),
    ({"committee_agreed_on": days_ahead(1)}, "/committee_agreed_on", "date_in_future"),
    ({"drafted_on": None}, "/drafted_on", "drafting_day_required")])
def test_a_report_must_follow_the_rules(committee, case, overrides, pointer, rule):
    reply = record(committee, case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getReport", id=case["id"]).status == 404


def test_the_committee_agrees_after_the_accuracy_check(committee, case):
    reply = record(committee, case, drafted_on=days_ago(3), accuracy_checked_on=days_ago(1),
                   committee_agreed_on=days_ago(2))
    assert (reply.status, reply.pointers) == (422, {"/committee_agreed_on"})


@pytest.mark.parametrize("stage, status", [("set_up", 409), ("review", 201), ("reporting", 201)])
def test_a_report_is_written_only_in_review_and_reporting(committee, stage, status):
    reply = record(committee, make_case(committee, stage))
    assert reply.status == status
    assert status == 201 or reply.rules == {"not_in_stage_reporting"}


def test_a_report_with_the_chief_officers_does_not_change(committee, waiting):
    assert refusal(replace(committee, waiting)) == (409, {"not_in_stage_reporting"})


def test_the_report_of_a_closed_case_does_not_change(committee):
    case = make_case(committee, "closed")
    assert refusal(replace(committee, case)) == (409, {"case_closed"})


@pytest.fixture
def reviewer(cluster, caller):
    def give(case):
        cluster.execute("insert into register.case_access (id, committee, case_id, organisation,"
                        " client, role, starts_on, ends_on) values (gen_random_uuid(), %s, %s,"
                        " 'INDEPENDENT', 'reviewer-8', 'reviewer', %s, %s)",
                        (case["committee"], case["id"], days_ago(30), days_ahead(30)))
        return caller("INDEPENDENT", "reviewer-8", "cases.read reviews.write")
    return give


def test_a_reviewer_writes_the_report_but_does_not_agree_it(committee, case, reviewer):
    client = reviewer(case)
    assert refusal(record(client, case)) == (422, {"committee_only"})
    made = record(client, case, committee_agreed_on=None)
    assert made.status == 201
    assert replace(committee, case)["committee_agreed_on"] == today()


def test_a_reviewer_does_not_change_an_agreed_report(committee, case, reviewer):
    agreed = record(committee, case)
    client = reviewer(case)
    assert refusal(replace(client, case)) == (409, {"agreed_by_committee"})
    assert refusal(replace(client, case, committee_agreed_on=None)) == (409, {"agreed_by_committee"})
    assert committee.send("getReport", id=case["id"]).etag == agreed.etag


@pytest.mark.parametrize("missing, guards", [
    ({"sections": ["facts"]}, {"report_drafted"}),
    ({"drafted_on": None, "accuracy_checked_on": None, "committee_agreed_on": None},
     {"report_drafted", "accuracy_checked", "report_agreed"}),
    ({"accuracy_checked_on": None}, {"accuracy_checked"}),
    ({"committee_agreed_on": None}, {"report_agreed"})])
def test_a_complete_report_goes_to_the_chief_officers(committee, case, missing, guards):
    record_strategy(committee, case)
    record(committee, case, **missing).expect(201)
    blocked = move(committee, case["id"], "ratification")
    assert (blocked.status, blocked.rules) == (409, guards)
    replace(committee, case).expect(200)
    assert move(committee, case["id"], "ratification").status == 201


def test_a_report_needs_a_strategy_or_a_reason(committee, case):
    record(committee, case).expect(201)
    assert move(committee, case["id"], "ratification").rules == {"strategies_or_reason"}
    replace(committee, case, no_strategies_reason="All of it was put right already.").expect(200)
    assert move(committee, case["id"], "ratification").status == 201


def test_a_report_needs_a_finding_or_a_reason(committee):
    case = make_case(committee, "review")
    engage_practitioners(committee, case)
    hear_family(committee, case)
    move(committee, case["id"], "reporting").expect(201)
    record_strategy(committee, case)
    record(committee, case).expect(201)
    assert move(committee, case["id"], "ratification").rules == {"findings_or_reason"}
    replace(committee, case, no_findings_reason="Two earlier reviews found the same.").expect(200)
    assert move(committee, case["id"], "ratification").status == 201


def test_a_case_without_a_report_does_not_go_to_the_chief_officers(committee, case):
    assert move(committee, case["id"], "ratification").rules == {
        "report_drafted", "accuracy_checked", "report_agreed", "strategies_or_reason"}


def ratification(client, case, **members):
    return client.send("ratifyReport", new_ratification(**members), id=case["id"])


def test_the_chief_officers_ratify(committee, chief_officers, waiting):
    assert move(committee, waiting["id"], "implementation").rules == {"report_ratified"}
    reply = ratification(chief_officers, waiting)
    assert (reply.status, reply["outcome"], reply["recorded_by"]) == (201, "ratified", "COG-GLA")
    assert committee.send("listRatifications", id=waiting["id"])["items"] == [reply.json]
    report = committee.send("getReport", id=waiting["id"])
    assert (report["ratified_on"], report["ratification_outcome"]) == (today(), "ratified")
    assert report["duration_days"] == 0
    assert move(committee, waiting["id"], "implementation").status == 201


def test_notices_of_the_outcome_are_due_within_seven_days(chief_officers, waiting, cluster):
    with function_body(cluster, "notices_make", TELL_NOTICES):
        assert refusal(ratification(chief_officers, waiting)) == (409, {"outcome_7"})
        asked = chief_officers.send("ratifyReport", changes_requested(), id=waiting["id"])
    assert asked.status == 201


def test_notices_of_a_discontinuation_are_due_at_once(committee, cluster):
    case = make_case(committee)
    with function_body(cluster, "notices_make", TELL_NOTICES):
        reply = move(committee, case["id"], "closed", "discontinued")
        assert refusal(reply) == (409, {"discontinued_0"})
        assert move(committee, case["id"], "information_gathering").status == 201


def test_the_duration_is_counted_from_the_decision(committee, chief_officers, waiting, cluster):
    cluster.execute("update register.case_decision set decided_on = %s where case_id = %s",
                    (days_ago(100), waiting["id"]))
    ratification(chief_officers, waiting).expect(201)
    assert committee.send("getReport", id=waiting["id"])["duration_days"] == 100


def test_the_tag_of_a_report_changes_when_it_is_ratified(committee, chief_officers, waiting):
    before = tag_of(committee, "getReport", id=waiting["id"])
    ratification(chief_officers, waiting).expect(201)
    assert committee.send("getReport", id=waiting["id"], none_match=before).status == 200


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"decided_on": days_ahead(1)}, "/decided_on", "date_in_future"),
    ({"decided_on": days_ago(1)}, "/decided_on", "date_order"),
    ({"plan_considered_on": days_ahead(1)}, "/plan_considered_on", "date_in_future"),
    ({"plan_considered_on": days_ago(1)}, "/plan_considered_on", "date_order"),
    ({"reason": "It is good."}, "/reason", "only_for_changes"),
    ({"outcome": "changes_requested"}, "/reason", "reason_required"),
    ({"outcome": "changes_requested", "reason": "Too long.", "plan_considered_on": today()},
     "/plan_considered_on", "only_when_ratified")])
def test_a_ratification_must_follow_the_rules(chief_officers, waiting, overrides, pointer, rule):
    reply = ratification(chief_officers, waiting, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert chief_officers.send("listRatifications", id=waiting["id"])["items"] == []


@pytest.mark.parametrize("stage", ["reporting", "implementation"])
def test_a_report_is_ratified_only_in_its_stage(committee, chief_officers, stage):
    reply = ratification(chief_officers, make_case(committee, stage))
    assert refusal(reply) == (409, {"not_in_stage_ratification"})


def test_a_report_is_ratified_once(chief_officers, waiting):
    ratification(chief_officers, waiting).expect(201)
    reply = chief_officers.send("ratifyReport", changes_requested(), id=waiting["id"])
    assert refusal(reply) == (409, {"ratified_already"})


def test_the_author_of_the_report_cannot_ratify_it(caller, waiting):
    same = caller("COG-GLA", "committee-system")
    assert refusal(ratification(same, waiting)) == (409, {"separation_of_duties"})


def test_the_client_that_recorded_the_agreement_cannot_ratify_it(committee, caller, case):
    record_strategy(committee, case)
    record(caller("CPC-GLA", "agreeing-client"), case).expect(201)
    replace(committee, case, no_strategies_reason="None is needed.").expect(200)
    move(committee, case["id"], "ratification").expect(201)
    for client in ("agreeing-client", "committee-system"):
        reply = ratification(caller("COG-GLA", client), case)
        assert refusal(reply) == (409, {"separation_of_duties"})
    assert ratification(caller("COG-GLA", "a-third-client"), case).status == 201


def test_an_earlier_author_of_the_report_cannot_ratify_it(committee, chief_officers, caller, case):
    """Even when another client wrote after it."""
    record_strategy(committee, case)
    record(caller("CPC-GLA", "first-author"), case).expect(201)
    replace(committee, case, no_strategies_reason="None is needed.").expect(200)
    move(committee, case["id"], "ratification").expect(201)
    assert refusal(ratification(caller("COG-GLA", "first-author"), case)) == (409, {"separation_of_duties"})
    assert ratification(chief_officers, case).status == 201


def test_only_the_chief_officers_of_the_area_ratify(committee, caller, waiting):
    assert ratification(committee, waiting).code == "organisation_not_allowed"
    assert committee.send("considerPlan", new_plan_consideration(),
                          id=waiting["id"]).code == "organisation_not_allowed"
    assert ratification(caller("COG-EDH", "chief-officers-system"), waiting).status == 404
    reader = caller("COG-GLA", "reader", "cases.read")
    assert ratification(reader, waiting).code == "scope_missing"
    assert committee.send("listRatifications", id=waiting["id"])["items"] == []


def test_chief_officers_with_access_to_a_case_of_another_area_do_not_ratify_it(caller, waiting, cluster):
    cluster.execute("insert into register.case_access (id, committee, case_id, organisation, role,"
                    " starts_on) values (gen_random_uuid(), 'GLA', %s, 'COG-EDH',"
                    " 'joint_committee', %s)", (waiting["id"], days_ago(1)))
    reply = ratification(caller("COG-EDH", "chief-officers-system"), waiting)
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")


def test_a_returned_report_is_agreed_and_ratified_again(committee, chief_officers, waiting):
    chief_officers.send("ratifyReport", changes_requested(), id=waiting["id"]).expect(201)
    assert move(committee, waiting["id"], "implementation").rules == {"report_ratified"}
    move(committee, waiting["id"], "reporting", "changes_requested").expect(201)
    report = committee.send("getReport", id=waiting["id"])
    assert (report["committee_agreed_on"], report["ratification_outcome"]) == (None, None)
    assert move(committee, waiting["id"], "ratification").rules == {"report_agreed"}
    replace(committee, waiting).expect(200)
    move(committee, waiting["id"], "ratification").expect(201)
    assert move(committee, waiting["id"], "reporting", "changes_requested").rules == {
        "changes_requested"}
    ratification(chief_officers, waiting).expect(201)
    outcomes = [one["outcome"] for one in
                committee.send("listRatifications", id=waiting["id"])["items"]]
    assert outcomes == ["changes_requested", "ratified"]


def test_a_ratified_report_does_not_go_back(committee, chief_officers, waiting):
    ratification(chief_officers, waiting).expect(201)
    assert move(committee, waiting["id"], "reporting", "changes_requested").rules == {
        "changes_requested"}


def test_a_case_opened_again_to_change_its_report_is_ratified_again(committee, chief_officers):
    case = make_case(committee, "closed")
    move(committee, case["id"], "reporting", "new_information").expect(201)
    assert committee.send("getReport", id=case["id"])["ratified_on"] is None
    replace(committee, case).expect(200)
    move(committee, case["id"], "ratification").expect(201)
    assert move(committee, case["id"], "implementation").rules == {"report_ratified"}
    ratification(chief_officers, case).expect(201)
    assert move(committee, case["id"], "implementation").status == 201


def test_a_case_opened_again_to_carry_on_keeps_its_ratification(committee):
    case = make_case(committee, "closed")
    move(committee, case["id"], "implementation", "new_information").expect(201)
    assert committee.send("getReport", id=case["id"])["ratified_on"] == today()


def test_the_plan_must_be_considered_before_the_evaluation(committee, chief_officers):
    case = make_case(committee, "implementation")
    assert "plan_considered" in move(committee, case["id"], "evaluation").rules
    reply = chief_officers.send("considerPlan", new_plan_consideration(resource_issues_raised=True),
                                id=case["id"])
    assert (reply.status, reply["plan_considered_on"]) == (201, today())
    assert reply["resource_issues_raised"] is True
    assert committee.send("getReport", id=case["id"])["plan_considered_on"] == today()
    assert move(committee, case["id"], "evaluation").rules == {"publication_decided"}


def test_the_plan_may_be_considered_together_with_the_ratification(committee, chief_officers, waiting):
    ratification(chief_officers, waiting, plan_considered_on=today()).expect(201)
    move(committee, waiting["id"], "implementation").expect(201)
    assert "plan_considered" not in move(committee, waiting["id"], "evaluation").rules


def test_a_later_consideration_replaces_the_former_one(committee, chief_officers):
    case = make_case(committee, "implementation")
    for raised in (True, False):
        chief_officers.send("considerPlan", new_plan_consideration(resource_issues_raised=raised),
                            id=case["id"]).expect(201)
    items = committee.send("listRatifications", id=case["id"])["items"]
    assert [one["resource_issues_raised"] for one in items] == [False]


def test_the_plan_of_an_unratified_report_is_not_considered(chief_officers, waiting):
    reply = chief_officers.send("considerPlan", new_plan_consideration(), id=waiting["id"])
    assert refusal(reply) == (409, {"not_ratified"})


def test_the_plan_of_a_closed_case_is_not_considered(committee, chief_officers):
    case = make_case(committee, "closed")
    reply = chief_officers.send("considerPlan", new_plan_consideration(), id=case["id"])
    assert refusal(reply) == (409, {"case_closed"})


@pytest.mark.parametrize("day, rule", [(days_ahead(1), "date_in_future"),
                                       (days_ago(1), "date_order")])
def test_the_date_of_the_consideration_must_be_possible(committee, chief_officers, day, rule):
    case = make_case(committee, "implementation")
    reply = chief_officers.send("considerPlan", new_plan_consideration(considered_on=day),
                                id=case["id"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/considered_on"}, {rule})


def test_consecutive_milestones_are_not_corrections(committee, case, cluster):
    record(committee, case, accuracy_checked_on=None, committee_agreed_on=None).expect(201)
    replace(committee, case).expect(200)
    replace(committee, case, no_strategies_reason="None is needed.").expect(200)
    replace(committee, case, no_strategies_reason="None.").expect(200)
    kinds = cluster.execute("select kind from register.change where subject = 'report' and"
                            " case_id = %s order by id", (case["id"],))
    assert [one[0] for one in kinds] == ["created", "changed", "changed", "corrected"]


def test_the_database_alone_allows_no_committee_to_ratify(database_only, caller, waiting, cluster):
    client = caller("CPC-GLA", "without-checks", "cases.read ratification.write", database_only)
    assert ratification(client, waiting).status == 403
    count = cluster.execute("select count(*) from register.ratification where case_id = %s",
                            (waiting["id"],))
    assert count == [(0,)]


def test_a_new_case_has_no_report_and_nothing_after_it(committee):
    case = committee.send("openCase", new_case()).expect(201)
    for operation in ("getReport", "getPublication", "getEvaluation", "getDiscontinuation"):
        assert committee.send(operation, id=case["id"]).status == 404
    for operation in ("listFindings", "listStrategies", "listRatifications", "listDisseminations"):
        assert committee.send(operation, id=case["id"])["items"] == []
