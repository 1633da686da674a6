"""The recommendation, without which a case is not put to the committee."""
import pytest

from payloads import days_ago, days_ahead, new_recommendation, today
from scenarios import decide, make_case, move, recommend, tag_of


@pytest.fixture
def case(committee):
    return make_case(committee, "recommendation")


def replace(committee, case, tag=None, **members):
    tag = tag or tag_of(committee, "getRecommendation", id=case["id"])
    return committee.send("putRecommendation", new_recommendation(**members), id=case["id"],
                          if_match=tag)


def test_a_recommendation_is_recorded(committee, case):
    reply = recommend(committee, case["id"])
    assert (reply.status, reply["recommended"], reply["version"]) == (201, "proceed", 1)
    assert committee.send("getRecommendation", id=case["id"]).json == reply.json


def test_there_is_no_recommendation_before_it_is_recorded(committee, case):
    assert committee.send("getRecommendation", id=case["id"]).status == 404


def test_a_recommendation_is_replaced_as_a_whole(committee, case):
    recommend(committee, case["id"], support_needed="Two teams need it.").expect(201)
    reply = replace(committee, case, recommended="do_not_proceed", criteria_met=[])
    assert reply.status == 200
    assert (reply["recommended"], reply["support_needed"], reply["version"]) == (
        "do_not_proceed", None, 2)


def test_a_second_first_recommendation_is_refused(committee, case):
    recommend(committee, case["id"]).expect(201)
    reply = recommend(committee, case["id"])
    assert (reply.status, reply.code) == (412, "version_stale")


def test_two_preconditions_are_refused(committee, case):
    reply = committee.send("putRecommendation", new_recommendation(), id=case["id"],
                           if_match='"1-x"', none_match="*")
    assert (reply.status, reply.code) == (400, "invalid_header")


@pytest.mark.parametrize("stage", ["notification", "information_gathering", "set_up", "closed"])
def test_a_recommendation_is_recorded_only_up_to_the_decision(committee, stage):
    case = make_case(committee, stage)
    known = stage in ("set_up", "closed")
    reply = replace(committee, case) if known else recommend(committee, case["id"])
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict",
                                                       {"not_in_stage_recommendation"})


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"made_on": days_ahead(2)}, "/made_on", "date_in_future"),
    ({"made_on": days_ago(3)}, "/made_on", "date_order"),
    ({"criteria_met": []}, "/criteria_met", "criterion_required"),
    ({"criteria_met": ["suicide"]}, "/criteria_met", "criterion_not_supported_by_facts")])
def test_a_recommendation_must_follow_the_rules(committee, case, overrides, pointer, rule):
    reply = recommend(committee, case["id"], **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getRecommendation", id=case["id"]).status == 404


def test_a_recommendation_must_not_be_later_than_the_decision(committee, caller):
    case = make_case(committee)
    for stage, days in (("information_gathering", 20), ("recommendation", 15)):
        move(committee, case["id"], stage, occurred_on=days_ago(days)).expect(201)
    recommend(committee, case["id"], made_on=days_ago(12)).expect(201)
    move(committee, case["id"], "decision", occurred_on=days_ago(11)).expect(201)
    decide(committee, case["id"], decided_on=days_ago(6)).expect(201)
    reply = replace(committee, case, made_on=days_ago(5))
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/made_on"}, {"date_order"})
    assert replace(committee, case, made_on=days_ago(6)).status == 200


def test_a_case_is_put_to_the_committee_with_a_complete_recommendation(committee, case):
    blocked = move(committee, case["id"], "decision")
    assert (blocked.status, blocked.rules) == (409, {"recommendation_made"})
    recommend(committee, case["id"], current_circumstances_recorded=False).expect(201)
    assert move(committee, case["id"], "decision").rules == {"recommendation_made"}
    replace(committee, case).expect(200)
    assert move(committee, case["id"], "decision").status == 201


def test_a_reader_does_not_recommend(case, caller):
    reply = recommend(caller("CPC-GLA", "reader", "cases.read"), case["id"])
    assert (reply.status, reply.code) == (403, "scope_missing")


def test_the_chief_officers_read_it_and_do_not_write_it(committee, case, caller):
    recommend(committee, case["id"], made_on=today()).expect(201)
    officers = caller("COG-GLA", "chief-officers-system")
    assert officers.send("getRecommendation", id=case["id"]).status == 200
    assert replace(officers, case).status == 404
