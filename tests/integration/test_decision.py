"""The committee's decision: recorded once, replaced with care, and only in its stage."""
import concurrent.futures

import pytest

from documents import days_ago, days_ahead, new_decision
from steps import decide, given_case, move, tag_of


@pytest.fixture
def case(committee):
    return given_case(committee, "decision")


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


def test_a_decision_is_replaced_whole(committee, case):
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
    replace(committee, case).needed(200)
    reply = replace(committee, case, tag=first.etag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_what_is_not_there_cannot_be_replaced(committee, case):
    assert replace(committee, case, tag='"1-x"').status == 412


def test_a_decision_needs_a_condition(committee, case):
    reply = committee.send("putDecision", new_decision(), id=case["id"])
    assert (reply.status, reply.code) == (428, "precondition_required")


def test_two_conditions_contradict_each_other(committee, case):
    reply = committee.send("putDecision", new_decision(), id=case["id"], if_match='"1-x"',
                           none_match="*")
    assert (reply.status, reply.code) == (400, "invalid_header")


@pytest.mark.parametrize("stage", ["notification", "recommendation", "set_up", "closed"])
def test_a_decision_is_recorded_in_its_stage_only(committee, stage):
    case = given_case(committee, stage)
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
])
def test_a_decision_has_to_keep_the_rules(committee, case, overrides, pointer, rule):
    reply = decide(committee, case["id"], **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})


def test_a_case_sent_back_for_information_is_decided_anew(committee, case):
    decide(committee, case["id"], "more_information").needed(201)
    for stage in ("information_gathering", "recommendation", "decision"):
        move(committee, case["id"], stage).needed(201)
    assert committee.send("getCase", id=case["id"])["decision_outcome"] is None
    assert move(committee, case["id"], "set_up").status == 409
    assert replace(committee, case).status == 200
    assert move(committee, case["id"], "set_up").status == 201


def test_of_ten_first_decisions_at_once_one_is_recorded(committee, case):
    with concurrent.futures.ThreadPoolExecutor(max_workers=10) as pool:
        replies = list(pool.map(lambda _: decide(committee, case["id"]), range(10)))
    assert sorted(reply.status for reply in replies) == [201] + [412] * 9


def test_recording_a_decision_needs_its_own_scope(case, caller):
    clerk = caller("CPC-GLA", "clerk", "cases.read cases.write")
    reply = decide(clerk, case["id"])
    assert (reply.status, reply.code) == (403, "scope_missing")
    assert "decisions.write" in reply["detail"]


def test_who_may_only_decide_can_decide(case, caller):
    chair = caller("CPC-GLA", "chair", "decisions.write")
    assert decide(chair, case["id"]).status == 201
