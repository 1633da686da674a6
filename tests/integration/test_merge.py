"""Two cases that turn out to be one: children and referrals go over, the merged case keeps its history."""
import uuid

import pytest

from client import new_key
from documents import days_ago, days_ahead, new_child, new_transfer, today
from steps import (given_accepted, given_action, given_case, given_request, move, tag_of)


def merge(committee, case_id, into, key=None, tag=None, **overrides):
    return committee.send("mergeCase", {"into_case_id": into, "merged_on": today(), **overrides},
                          id=case_id, key=key,
                          if_match=tag or tag_of(committee, "getCase", id=case_id))


def test_children_and_referrals_go_into_the_other_case(agency, committee):
    first, second = (given_accepted(agency, committee) for _ in range(2))
    reply = merge(committee, first["case_id"], second["case_id"])
    assert (reply.status, reply["stage"], reply["closure"]) == (201, "closed", "merged")
    assert reply["merged_into"] == second["case_id"]
    target = committee.send("getCase", id=second["case_id"], query="expand=children,referrals")
    assert {one["child_ref"] for one in target["children"]} == {
        referral["children"][0]["child_ref"] for referral in (first, second)}
    assert {one["id"] for one in target["referrals"]} == {first["id"], second["id"]}
    seen = agency.send("getReferral", id=first["id"])
    assert (seen["case_reference"], seen["case_stage"]) == (target["reference"], "notification")


def test_a_child_that_both_cases_have_stays_once(committee):
    child = new_child()
    first, second = (given_case(committee, children=[child]) for _ in range(2))
    merge(committee, first["id"], second["id"]).needed(201)
    assert committee.send("getCase", id=second["id"])["counts"]["children"] == 1


def test_the_merged_case_keeps_its_history(committee):
    first, second = given_case(committee), given_case(committee)
    merge(committee, first["id"], second["id"], note="Siblings.").needed(201)
    stages = committee.send("listCaseStages", id=first["id"])["items"]
    assert [(one["stage"], one["note"]) for one in stages] == [("notification", None),
                                                              ("closed", "Siblings.")]
    assert len(committee.send("listChildren", id=first["id"])["items"]) == 1


def test_a_merged_case_is_not_re_opened(committee):
    first, second = given_case(committee), given_case(committee)
    merge(committee, first["id"], second["id"]).needed(201)
    reply = move(committee, first["id"], "decision", "new_information")
    assert (reply.status, reply.rules) == (409, {"not_merged"})


def test_what_was_merged_before_goes_along(committee):
    first, second, third = (given_case(committee) for _ in range(3))
    merge(committee, first["id"], second["id"]).needed(201)
    merge(committee, second["id"], third["id"]).needed(201)
    assert {committee.send("getCase", id=one["id"])["merged_into"] for one in (first, second)} == {third["id"]}


def test_a_repeated_merger_is_made_once(committee):
    first, second, key = given_case(committee), given_case(committee), new_key()
    tag = tag_of(committee, "getCase", id=first["id"])
    replies = [merge(committee, first["id"], second["id"], key, tag) for _ in range(2)]
    assert [one.status for one in replies] == [201, 201]
    assert len(committee.send("listCaseStages", id=first["id"])["items"]) == 2


def test_what_is_open_keeps_a_case_from_being_merged(committee):
    case, target = given_case(committee, "decision"), given_case(committee)
    given_action(committee, case)
    given_request(committee, case)
    committee.send("proposeTransfer", new_transfer(), id=case["id"]).needed(201)
    reply = merge(committee, case["id"], target["id"])
    assert (reply.status, reply.rules) == (409, {"actions_open", "information_requests_open",
                                                 "transfer_proposed"})
    assert committee.send("getCase", id=case["id"])["stage"] == "decision"


@pytest.mark.parametrize("members, pointer, rule", [
    ({"merged_on": days_ahead(1)}, "/merged_on", "date_in_future"),
    ({"merged_on": days_ago(60)}, "/merged_on", "date_order")])
def test_the_day_of_a_merger_has_to_fit(committee, members, pointer, rule):
    reply = merge(committee, given_case(committee)["id"], given_case(committee)["id"], **members)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {pointer})


def test_a_case_is_merged_into_another_one_of_the_committee(committee, other_committee):
    case = given_case(committee)
    theirs = given_case(other_committee, local_authority="S12000036")
    for into, rule in ((case["id"], "merged_into_itself"), (str(uuid.uuid4()), "unknown_case"),
                       (theirs["id"], "unknown_case")):
        reply = merge(committee, case["id"], into)
        assert (reply.status, reply.rules) == (422, {rule})


def test_nothing_is_merged_into_a_closed_case(committee):
    case, closed = given_case(committee), given_case(committee)
    move(committee, closed["id"], "closed", "discontinued").needed(201)
    for one, into in ((case, closed), (closed, case)):
        reply = merge(committee, one["id"], into["id"])
        assert (reply.status, reply.rules) == (409, {"case_closed"})
