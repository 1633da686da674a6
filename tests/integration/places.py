"""Something that exists for every place in the address of an operation on a case.

The sweep over all operations (test_sweep.py) and the tests of isolation need it: whoever adds an operation below
a case adds here how its parts come about.
"""
from documents import new_access
from steps import (advance, agree_family_liaison, agree_mandate, appoint, decide, engage,
                   given_case, given_hold, given_proceeding, given_request, invite)


def first_child(committee, case_id):
    return committee.send("listChildren", id=case_id)["items"][0]["id"]


def first_stage(committee, case_id):
    return committee.send("listCaseStages", id=case_id)["items"][0]["id"]


def first_notice(committee, case_id):
    """One that waits to be sent."""
    return committee.send("listCaseNotices", id=case_id)["items"][0]["id"]


def open_request(committee, case_id):
    return given_request(committee, {"id": case_id})["id"]


def given_access(committee, case_id):
    return committee.send("grantAccess", new_access(), id=case_id).needed(201)["id"]


def team_member(committee, case_id):
    return appoint(committee, case_id).needed(201)["id"]


def family_engagement(committee, case_id):
    return invite(committee, case_id).needed(201)["id"]


def practitioner_engagement(committee, case_id):
    return engage(committee, case_id).needed(201)["id"]


# What a case has one of, and what makes it: functions of committee and case.
SINGLETONS = [agree_mandate, agree_family_liaison]

# The name of a place and how what it names is made (or found): functions of committee and the case's id.
PLACES = {
    "child_id": first_child,
    "access_id": given_access,
    "member_id": team_member,
    "family_engagement_id": family_engagement,
    "practitioner_engagement_id": practitioner_engagement,
    "stage_id": first_stage,
    "proceeding_id": lambda committee, case_id: given_proceeding(committee, {"id": case_id})["id"],
    "hold_id": lambda committee, case_id: given_hold(committee, {"id": case_id})["id"],
    "notice_id": first_notice,
    "request_id": open_request,
}


def places_of_case(committee, case=None):
    """A case in the stage decision with one of everything: values by the names of places."""
    case = given_case(committee, "decision") if case is None else advance(committee, case, "decision")
    decide(committee, case["id"]).needed(201)
    for make in SINGLETONS:
        make(committee, case)
    return {"id": case["id"],
            **{name: make(committee, case["id"]) for name, make in PLACES.items()}}
