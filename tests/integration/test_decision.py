"""The committee's decision: recorded once, replaced only by its present version, and only in its stage."""
import concurrent.futures

import pytest

from payloads import days_ago, days_ahead, new_case, new_decision, new_recommendation, today
from scenarios import (decide, decide_and_tell, make_case, move, recommend, send_notices, tag_of)


@pytest.fixture
def case(committee):
    return make_case(committee, "decision")


def replace(committee, case, tag=None, **members):
    tag = tag or tag_of(committee, "getDecision", id=case["id"])
    return committee.send("putDecision", new_decision(**members), id=case["id"], if_match=tag)


def test_a_decision_is_recorded(committee, case):
    reply = decide(committee, case["id"])
    assert reply.status == 201
    assert (reply["outcome"], reply["version"]) == ("proceed", 1)
    assert committee.send("getDecision", id=case["id"]).json == reply.json


def test_the_case_shows_the_outcome(committee, case):
    decide(committee, case["id"], "do_not_proceed")
    assert committee.send("getCase", id=case["id"])["decision_outcome"] == "do_not_proceed"


def test_there_is_no_decision_before_it_is_recorded(committee, case):
    assert committee.send("getDecision", id=case["id"]).status == 404


def test_a_decision_is_replaced_as_a_whole(committee, case):
    decide(committee, case["id"], note="The first view.")
    reply = replace(committee, case, unanimous=False)
    assert reply.status == 200
    assert (reply["unanimous"], reply["note"], reply["version"]) == (False, None, 2)


def test_a_second_first_decision_is_refused(committee, case):
    decide(committee, case["id"])
    reply = decide(committee, case["id"])
    assert (reply.status, reply.code) == (412, "version_stale")


def test_a_decision_is_replaced_only_in_its_present_version(committee, case):
    first = decide(committee, case["id"])
    replace(committee, case).expect(200)
    reply = replace(committee, case, tag=first.etag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_a_missing_decision_cannot_be_replaced(committee, case):
    assert replace(committee, case, tag='"1-x"').status == 412


def test_a_decision_needs_a_precondition(committee, case):
    reply = committee.send("putDecision", new_decision(), id=case["id"])
    assert (reply.status, reply.code) == (428, "precondition_required")


def test_two_preconditions_are_refused(committee, case):
    reply = committee.send("putDecision", new_decision(), id=case["id"], if_match='"1-x"',
                           none_match="*")
    assert (reply.status, reply.code) == (400, "invalid_header")


@pytest.mark.parametrize("stage", ["notification", "recommendation", "set_up", "closed"])
def test_a_decision_is_recorded_only_in_its_stage(committee, stage):
    case = make_case(committee, stage)
    known = stage in ("set_up", "closed")
    reply = replace(committee, case) if known else decide(committee, case["id"])
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict",
                                                       {"not_in_stage_decision"})


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"decided_on": days_ahead(2)}, "/decided_on", "date_in_future"),
    ({"decided_on": days_ago(3)}, "/decided_on", "date_order"),
    ({"criteria_met": []}, "/criteria_met", "criterion_required"),
    ({"criteria_met": ["suicide"]}, "/criteria_met", "criterion_not_supported_by_facts"),
    ({"alternative_kind": "other"}, "/alternative_kind", "only_for_alternative"),
    ({"outcome": "do_not_proceed", "reasons": []}, "/reasons", "reasons_required"),
    ({"outcome": "alternative_review", "alternative_kind": None}, "/alternative_kind",
     "required_for_alternative"),
    ({"outcome": "alternative_review", "alternative_owner": None}, "/alternative_owner",
     "required_for_alternative"),
    ({"outcome": "alternative_review", "alternative_owner": "LA-S12999999"}, "/alternative_owner",
     "unknown_code"),
    ({"alternative_owner": "CPC-GLA"}, "/alternative_owner", "only_for_alternative"),
    ({"criteria_no_bearing": ["care_experienced"]}, "/no_bearing_reason", "reason_required"),
    ({"no_bearing_reason": "It ended."}, "/no_bearing_reason", "only_without_bearing"),
    ({"criteria_met": ["care_experienced"], "criteria_no_bearing": ["care_experienced"],
      "no_bearing_reason": "It ended."}, "/criteria_no_bearing", "criterion_met"),
    ({"family_informed_on": days_ahead(2)}, "/family_informed_on", "date_in_future"),
    ({"family_informed_on": days_ago(3)}, "/family_informed_on", "date_order"),
    ({"chief_officers_informed_on": days_ahead(2)}, "/chief_officers_informed_on",
     "date_in_future"),
    ({"chief_officers_informed_on": days_ago(3)}, "/chief_officers_informed_on", "date_order"),
])
def test_a_decision_must_follow_the_rules(committee, case, overrides, pointer, rule):
    reply = decide(committee, case["id"], **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})


def send_back(committee, case):
    """Moves the case from the stage decision back for more information and again to it."""
    decide(committee, case["id"], "more_information").expect(201)
    for stage in ("information_gathering", "recommendation", "decision"):
        move(committee, case["id"], stage).expect(201)


def test_a_case_returned_for_information_is_decided_again(committee, case):
    send_back(committee, case)
    assert committee.send("getCase", id=case["id"])["decision_outcome"] is None
    assert move(committee, case["id"], "set_up").status == 409
    assert replace(committee, case).status == 200
    send_notices(committee, case["id"])
    assert move(committee, case["id"], "set_up").status == 201


def test_the_former_decision_is_readable_until_there_is_a_new_one(committee, case):
    send_back(committee, case)
    assert committee.send("getDecision", id=case["id"])["outcome"] == "more_information"


def test_a_new_decision_supersedes_the_former_one(committee, case):
    send_back(committee, case)
    former = committee.send("getDecision", id=case["id"])
    reply = replace(committee, case)
    assert reply["supersedes"] == former["id"] != reply["id"]
    assert reply["version"] > former["version"] and reply.etag != former.etag
    assert committee.send("getDecision", id=case["id"]).json == reply.json


def test_a_first_decision_supersedes_none_and_a_correction_keeps_its_id(committee, case):
    first = decide(committee, case["id"])
    corrected = replace(committee, case, unanimous=False)
    assert first["supersedes"] is None
    assert (corrected["id"], corrected["supersedes"]) == (first["id"], None)


def test_a_superseded_decision_is_kept_in_the_database(committee, case, cluster):
    send_back(committee, case)
    replace(committee, case).expect(200)
    rows = cluster.execute("select outcome, current from register.case_decision"
                           " where case_id = %s order by visit", (case["id"],))
    assert rows == [("more_information", False), ("proceed", True)]


def test_a_decision_cannot_be_older_than_its_recommendation(committee):
    case = committee.send("openCase", new_case()).expect(201).json
    for stage, days in (("information_gathering", 20), ("recommendation", 15)):
        move(committee, case["id"], stage, occurred_on=days_ago(days)).expect(201)
    recommend(committee, case["id"], made_on=days_ago(12)).expect(201)
    move(committee, case["id"], "decision", occurred_on=days_ago(11)).expect(201)
    committee.send("putRecommendation", new_recommendation(made_on=days_ago(5)), id=case["id"],
                   if_match=tag_of(committee, "getRecommendation", id=case["id"])).expect(200)
    reply = decide(committee, case["id"], decided_on=days_ago(6))
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/decided_on"}, {"date_order"})
    assert decide(committee, case["id"], decided_on=days_ago(5)).status == 201


def test_criteria_may_be_found_not_relevant_with_a_reason(committee, case):
    reply = decide(committee, case["id"], criteria_no_bearing=["care_experienced"],
                   no_bearing_reason="Aftercare had ended long before.")
    assert (reply.status, reply["criteria_no_bearing"]) == (201, ["care_experienced"])
    assert reply["no_bearing_reason"] == "Aftercare had ended long before."


def test_only_a_status_can_be_not_relevant(committee, case):
    reply = decide(committee, case["id"], criteria_no_bearing=["suicide"], no_bearing_reason="No.")
    assert (reply.status, reply.pointers) == (400, {"/criteria_no_bearing/0"})


def tell(committee, case, **members):
    """Completes the list of people who were informed; everything else is unchanged."""
    now = committee.send("getDecision", id=case["id"])
    kept = {name: now[name] for name in (
        "outcome", "decided_on", "reasons", "alternative_kind", "alternative_owner",
        "criteria_met", "criteria_no_bearing", "no_bearing_reason", "decided_by", "unanimous",
        "note", "family_informed_on", "family_wait_reason", "chief_officers_informed_on")}
    return committee.send("putDecision", {**kept, **members}, id=case["id"], if_match=now.etag)


def test_people_informed_can_be_completed_after_the_stage(committee):
    case = make_case(committee, "set_up")
    reply = tell(committee, case, family_informed_on=today(), chief_officers_informed_on=today())
    assert (reply.status, reply["family_informed_on"]) == (200, today())
    refused = tell(committee, case, family_informed_on=today(), unanimous=False)
    assert (refused.status, refused.rules) == (409, {"not_in_stage_decision"})


def test_people_informed_cannot_be_completed_in_a_closed_case(committee):
    reply = tell(committee, make_case(committee, "closed"), family_informed_on=today())
    assert (reply.status, reply.rules) == (409, {"not_in_stage_decision"})


def test_people_informed_must_follow_the_rules_after_the_stage_too(committee):
    reply = tell(committee, make_case(committee, "set_up"), family_informed_on=days_ago(3))
    assert (reply.status, reply.rules) == (422, {"date_order"})


def test_a_review_is_set_up_when_the_family_was_informed_or_must_wait(committee, case):
    decide_and_tell(committee, case["id"], family_wait_reason=None)
    blocked = move(committee, case["id"], "set_up")
    assert (blocked.status, blocked.rules) == (409, {"family_informed"})
    tell(committee, case, family_informed_on=today()).expect(200)
    assert move(committee, case["id"], "set_up").status == 201


def test_one_of_ten_concurrent_first_decisions_is_recorded(committee, case):
    with concurrent.futures.ThreadPoolExecutor(max_workers=10) as pool:
        replies = list(pool.map(lambda _: decide(committee, case["id"]), range(10)))
    assert sorted(reply.status for reply in replies) == [201] + [412] * 9


def test_recording_a_decision_needs_its_own_scope(case, caller):
    clerk = caller("CPC-GLA", "clerk", "cases.read cases.write")
    reply = decide(clerk, case["id"])
    assert (reply.status, reply.code) == (403, "scope_missing")
    assert "decisions.write" in reply["detail"]


def test_the_scope_to_decide_is_enough_to_decide(case, caller):
    chair = caller("CPC-GLA", "chair", "decisions.write")
    assert decide(chair, case["id"]).status == 201
