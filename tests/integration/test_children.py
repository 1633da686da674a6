"""The children of a case: added, corrected, and never named."""
import pytest

from client import new_key
from payloads import days_ago, days_ahead, dead_child, new_child, today
from scenarios import make_case, move, tag_of


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee)


def add(committee, case, **overrides):
    return committee.send("addChild", new_child(**overrides), id=case["id"])


def change(committee, child, **members):
    path = {"id": child["case_id"], "child_id": child["id"]}
    return committee.send("changeChild", members, **path,
                          if_match=tag_of(committee, "getChild", **path))


def test_a_committee_adds_a_child(committee, case):
    reply = add(committee, case, sex="male", age_years=8)
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/cases/{case['id']}/children/{reply['id']}"
    assert (reply["case_id"], reply["sex"], reply["age_years"]) == (case["id"], "male", 8)


def test_the_child_can_be_read_at_its_address(committee, case):
    child = add(committee, case)
    reply = committee.send("getChild", id=case["id"], child_id=child["id"])
    assert reply.json == child.json
    assert reply.headers["ETag"] == child.headers["ETag"]


def test_all_children_of_a_case_are_listed(committee):
    case = make_case(committee)
    added = add(committee, case)
    reply = committee.send("listChildren", id=case["id"])
    assert len(reply["items"]) == 2 and added["id"] in reply.ids
    assert reply["next"] is None


def test_no_answer_contains_the_identifier_that_was_sent(committee, case):
    document = new_child(family_id="the-family")
    reply = committee.send("addChild", document, id=case["id"])
    assert document["child_id"].encode() not in reply.bytes
    assert reply["child_ref"] and reply["family_ref"]


def test_siblings_share_the_reference_of_their_family(committee, case):
    first, second = [add(committee, case, family_id="family-9") for _ in range(2)]
    assert first["family_ref"] == second["family_ref"]
    assert first["child_ref"] != second["child_ref"]


def test_a_duplicate_child_of_a_case_is_refused(committee, case):
    document = new_child()
    committee.send("addChild", document, id=case["id"])
    reply = committee.send("addChild", document, id=case["id"])
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict", {"repeated_child"})


def test_the_same_child_may_belong_to_two_cases(committee, case):
    document = new_child()
    committee.send("addChild", document, id=case["id"])
    assert committee.send("addChild", document, id=make_case(committee)["id"]).status == 201


def test_adding_again_with_the_same_key_replays(committee, case):
    document, key = new_child(), new_key()
    first, second = [committee.send("addChild", document, id=case["id"], key=key)
                     for _ in range(2)]
    assert (first.status, second.status) == (201, 201)
    assert second.bytes == first.bytes


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"age_years": 17}, "/age_years", "age_outside_band"),
    ({"cause_of_death_group": "accident"}, "/cause_of_death_group", "only_for_a_death")])
def test_a_child_must_follow_the_rules(committee, case, overrides, pointer, rule):
    reply = add(committee, case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})


def test_the_first_recorded_outcome_is_kept(committee, case):
    reply = change(committee, add(committee, case), outcome="died",
                   cause_of_death_group="awaiting")
    assert reply.status == 200
    assert (reply["outcome"], reply["outcome_first_recorded"]) == ("died", "significant_harm")


def test_null_clears_a_member(committee, case):
    reply = change(committee, add(committee, case, age_years=8), age_years=None)
    assert reply["age_years"] is None


def test_the_date_of_submission_to_the_national_hub_needs_a_death(committee, case):
    child = committee.send("addChild", dead_child(), id=case["id"])
    other = add(committee, case)
    assert change(committee, child, national_hub_submitted_on=today()).status == 200
    refused = change(committee, other, national_hub_submitted_on=today())
    assert (refused.status, refused.rules) == (422, {"only_for_a_death"})


@pytest.mark.parametrize("members, rule", [
    ({"national_hub_submitted_on": days_ahead(2), "outcome": "died"}, "date_in_future"),
    ({"age_years": 17}, "age_outside_band"), ({"age_band": "16_17", "age_years": 5},
                                              "age_outside_band"),
    ({"cause_of_death_group": "sudi"}, "only_for_a_death")])
def test_a_change_must_follow_the_rules(committee, case, members, rule):
    reply = change(committee, add(committee, case), **members)
    assert (reply.status, reply.rules) == (422, {rule})


@pytest.mark.parametrize("member", ["child_id", "family_id", "child_ref", "case_id", "id"])
def test_identifiers_never_change(committee, case, member):
    reply = change(committee, add(committee, case), **{member: "another"})
    assert (reply.status, reply.pointers) == (400, {f"/{member}"})


def test_the_children_of_a_closed_case_do_not_change(committee):
    case = make_case(committee, opened_on=days_ago(3))
    child = add(committee, case)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    added, changed = add(committee, case), change(committee, child, sex="other")
    assert (added.status, added.rules) == (409, {"case_closed"})
    assert (changed.status, changed.rules) == (409, {"case_closed"})


def test_a_child_is_not_found_under_another_case(committee, case):
    child = add(committee, case)
    other = make_case(committee)
    assert committee.send("getChild", id=other["id"], child_id=child["id"]).status == 404
    reply = committee.send("changeChild", {"sex": "male"}, id=other["id"], child_id=child["id"],
                           if_match=child.headers["ETag"])
    assert reply.status == 404


def test_concurrent_changes_do_not_overwrite_each_other(committee, case):
    child = add(committee, case)
    path = {"id": case["id"], "child_id": child["id"]}
    first = committee.send("changeChild", {"sex": "male"}, **path, if_match=child.headers["ETag"])
    second = committee.send("changeChild", {"sex": "other"}, **path,
                            if_match=child.headers["ETag"])
    assert (first.status, second.status, second.code) == (200, 412, "version_stale")
