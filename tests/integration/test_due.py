"""The list of what is due for the caller, of all kinds and across cases."""
import pytest

from payloads import days_ahead, new_access, new_extension, new_hold, new_impact_review, new_task
from scenarios import (make_action, make_case, make_completed_action, make_proceeding, make_request,
                       make_verified_action, walk)


ALL = f"due_by={days_ahead(400)}"  # an impact review is due after a year


def due(client, query=ALL):
    return walk(client, "listWork", query)


def kinds_of(client, case, query=ALL):
    return {one["kind"]: one for one in due(client, query) if one["case_reference"] == case["reference"]}


@pytest.fixture(scope="module")
def case(committee, agency):
    """A case with something due of each kind."""
    made = make_case(committee, "decision")
    at = {"id": made["id"]}
    make_request(committee, made, due_on=days_ahead(4))
    committee.send("addTask", new_task(due_on=days_ahead(5)), **at).expect(201)
    committee.send("addHold", new_hold(review_on=days_ahead(30)), **at).expect(201)
    make_proceeding(committee, made, review_on=days_ahead(40))
    committee.send("createNotices", {"kind": "decision"}, **at)
    make_action(committee, made, due_on=days_ahead(60))
    asked = make_action(committee, made, due_on=days_ahead(70))
    agency.send("requestExtension", new_extension(due_on=days_ahead(90)), id=asked["id"]).expect(201)
    make_verified_action(committee, agency, case=made)
    return made


def test_a_committee_has_everything_that_is_due(committee, case):
    found = kinds_of(committee, case)
    assert set(found) >= {"task", "information_request", "action", "extension", "impact_review", "hold", "proceeding"}
    days = [(one["due_on"], one["kind"], one["id"]) for one in due(committee)]
    assert days == sorted(days)
    for one in found.values():
        assert committee.request("GET", one["links"]["self"]).status == 200
        assert one["links"]["case"] == f"/v1/cases/{case['id']}"


def test_the_dates_are_those_of_the_resources(committee, case):
    found = kinds_of(committee, case)
    expected = {"task": days_ahead(5), "information_request": days_ahead(4), "hold": days_ahead(30),
                "proceeding": days_ahead(40), "extension": days_ahead(70)}
    assert {kind: found[kind]["due_on"] for kind in expected} == expected
    assert found["task"]["owner_role"] == "administrator"
    assert found["extension"]["organisation"] == "LA-S12000049"


@pytest.mark.parametrize("query, present, absent", [
    ("", "task", "hold"), ("within_days=4", "information_request", "task"), ("within_days=30", "hold", "proceeding"),
    (f"due_by={days_ahead(40)}", "proceeding", "action"), (f"due_by={days_ahead(40)}&within_days=5", "task", "hold"),
    ("within_days=365&kind=task", "task", "hold"), (f"{ALL}&kind=impact_review", "impact_review", "task")])
def test_the_filters_limit_days_and_kind(committee, case, query, present, absent):
    found = kinds_of(committee, case, query)
    assert present in found and absent not in found


def test_pages_show_each_item_once(committee, case):
    whole = due(committee)
    items, reply = [], committee.send("listWork", query=f"{ALL}&limit=3").expect(200)
    while True:
        items += reply["items"]
        if reply["next"] is None:
            break
        reply = committee.follow(reply["next"]).expect(200)
    assert items == whole


def test_an_agency_has_its_own_work_and_no_case(agency, health, case):
    found = kinds_of(agency, case)
    assert set(found) == {"action", "information_request"}
    assert {(one["case_id"], one["links"]["case"]) for one in found.values()} == {(None, None)}
    assert {one["kind"] for one in due(health)} <= {"action", "information_request"}
    assert "action" not in kinds_of(health, case)


def test_a_reviewer_has_the_work_of_the_cases_opened_to_it(committee, caller, case):
    committee.send("grantAccess", new_access(client_id="due-reviewer"), id=case["id"]).expect(201)
    found = due(caller("INDEPENDENT", "due-reviewer", "cases.read"))
    assert {one["case_reference"] for one in found} == {case["reference"]}
    assert {one["kind"] for one in found} >= {"task"}


def test_a_kind_needs_the_scope_of_its_list(caller, case):
    seen = {one["kind"] for one in due(caller("CPC-GLA", "due-narrow", "proceedings.read"))}
    assert seen == {"hold", "proceeding"}
    assert due(caller("CPC-GLA", "due-statistics", "statistics.read")) == []


def test_what_is_done_is_no_longer_due(committee, agency):
    case = make_case(committee, "decision")
    task = committee.send("addTask", new_task(), id=case["id"]).expect(201)
    make_completed_action(committee, agency, case=case)
    assert set(kinds_of(committee, case)) >= {"task"}
    committee.send("changeTask", {"status": "done"}, id=case["id"], task_id=task["id"],
                   if_match=task["etag"]).expect(200)
    assert not {"task", "action"} & set(kinds_of(committee, case))


def test_an_impact_review_is_due_a_year_after_verification_and_then_as_the_latest_review_says(committee, agency):
    action = make_verified_action(committee, agency)
    assert action["impact_review_due_on"][:4] == str(int(action["verified_on"][:4]) + 1)
    for members, expected in (({"outcome": "too_early", "next_review_on": days_ahead(50)}, days_ahead(50)),
                              ({"next_review_on": None}, None)):
        committee.send("addImpactReview", new_impact_review(**members), id=action["id"]).expect(201)
        assert committee.send("getAction", id=action["id"])["impact_review_due_on"] == expected
