"""Merging two cases: children and referrals move, the merged case keeps its history."""
import uuid

import pytest

from client import new_key
from payloads import days_ago, days_ahead, new_child, new_transfer, today
from scenarios import (make_accepted_referral, make_action, make_case, make_request, move, tag_of)


def merge(committee, case_id, into, key=None, tag=None, **overrides):
    return committee.send("mergeCase", {"into_case_id": into, "merged_on": today(), **overrides},
                          id=case_id, key=key,
                          if_match=tag or tag_of(committee, "getCase", id=case_id))


def test_children_and_referrals_move_to_the_other_case(agency, committee):
    first, second = (make_accepted_referral(agency, committee) for _ in range(2))
    reply = merge(committee, first["case_id"], second["case_id"])
    assert (reply.status, reply["stage"], reply["closure"]) == (201, "closed", "merged")
    assert reply["merged_into"] == second["case_id"]
    target = committee.send("getCase", id=second["case_id"], query="expand=children,referrals")
    assert {one["child_ref"] for one in target["children"]} == {
        referral["children"][0]["child_ref"] for referral in (first, second)}
    assert {one["id"] for one in target["referrals"]} == {first["id"], second["id"]}
    seen = agency.send("getReferral", id=first["id"])
    assert (seen["case_reference"], seen["case_stage"]) == (target["reference"], "notification")


def test_a_child_of_both_cases_appears_once(committee):
    child = new_child()
    first, second = (make_case(committee, children=[child]) for _ in range(2))
    merge(committee, first["id"], second["id"]).expect(201)
    assert committee.send("getCase", id=second["id"])["counts"]["children"] == 1


def test_the_merged_case_keeps_its_history(committee):
    first, second = make_case(committee), make_case(committee)
    merge(committee, first["id"], second["id"], note="Siblings.").expect(201)
    stages = committee.send("listCaseStages", id=first["id"])["items"]
    assert [(one["stage"], one["note"]) for one in stages] == [("notification", None),
                                                              ("closed", "Siblings.")]
    assert len(committee.send("listChildren", id=first["id"])["items"]) == 1


def test_a_merged_case_is_not_re_opened(committee):
    first, second = make_case(committee), make_case(committee)
    merge(committee, first["id"], second["id"]).expect(201)
    reply = move(committee, first["id"], "decision", "new_information")
    assert (reply.status, reply.rules) == (409, {"not_merged"})


def test_cases_merged_before_move_too(committee):
    first, second, third = (make_case(committee) for _ in range(3))
    merge(committee, first["id"], second["id"]).expect(201)
    merge(committee, second["id"], third["id"]).expect(201)
    assert {committee.send("getCase", id=one["id"])["merged_into"] for one in (first, second)} == {third["id"]}


def test_merging_again_with_the_same_key_replays(committee):
    first, second, key = make_case(committee), make_case(committee), new_key()
    tag = tag_of(committee, "getCase", id=first["id"])
    replies = [merge(committee, first["id"], second["id"], key, tag) for _ in range(2)]
    assert [one.status for one in replies] == [201, 201]
    assert len(committee.send("listCaseStages", id=first["id"])["items"]) == 2


def test_open_work_blocks_a_merger(committee):
    case, target = make_case(committee, "decision"), make_case(committee)
    make_action(committee, case)
    make_request(committee, case)
    committee.send("proposeTransfer", new_transfer(), id=case["id"]).expect(201)
    reply = merge(committee, case["id"], target["id"])
    assert (reply.status, reply.rules) == (409, {"actions_open", "information_requests_open",
                                                 "transfer_proposed"})
    assert committee.send("getCase", id=case["id"])["stage"] == "decision"


@pytest.mark.parametrize("members, pointer, rule", [
    ({"merged_on": days_ahead(1)}, "/merged_on", "date_in_future"),
    ({"merged_on": days_ago(60)}, "/merged_on", "date_order")])
def test_the_date_of_a_merger_must_be_possible(committee, members, pointer, rule):
    reply = merge(committee, make_case(committee)["id"], make_case(committee)["id"], **members)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {pointer})


def test_a_case_is_merged_only_into_another_case_of_the_committee(committee, other_committee):
    case = make_case(committee)
    theirs = make_case(other_committee, local_authority="S12000036")
    for into, rule in ((case["id"], "merged_into_itself"), (str(uuid.uuid4()), "unknown_case"),
                       (theirs["id"], "unknown_case")):
        reply = merge(committee, case["id"], into)
        assert (reply.status, reply.rules) == (422, {rule})


def test_a_closed_case_is_not_a_target_of_a_merger(committee):
    case, closed = make_case(committee), make_case(committee)
    move(committee, closed["id"], "closed", "discontinued").expect(201)
    for one, into in ((case, closed), (closed, case)):
        reply = merge(committee, one["id"], into["id"])
        assert (reply.status, reply.rules) == (409, {"case_closed"})
