"""Something that exists for every place in the address of an operation on a case.

The sweep over all operations (test_sweep.py) and the tests of isolation need it: whoever adds an operation below
a case adds here how its parts come about.
"""
from documents import new_access
from steps import (advance, given_case, given_hold, given_proceeding, given_request,
                   record_discontinuation, record_evaluation)


def first_of(operation):
    """Finds the first item of a list: what the case got on its way."""
    return lambda committee, case_id: committee.send(operation, id=case_id)["items"][0]["id"]


def given_access(committee, case_id):
    return committee.send("grantAccess", new_access(), id=case_id).needed(201)["id"]


# The name of a place and how what it names is made (or found): functions of committee and the case's id.
PLACES = {
    "access_id": given_access,
    "child_id": first_of("listChildren"),
    "family_engagement_id": first_of("listFamilyEngagements"),
    "finding_id": first_of("listFindings"),
    "hold_id": lambda committee, case_id: given_hold(committee, {"id": case_id})["id"],
    "member_id": first_of("listTeamMembers"),
    "notice_id": first_of("listCaseNotices"),
    "practitioner_engagement_id": first_of("listPractitionerEngagements"),
    "proceeding_id": lambda committee, case_id: given_proceeding(committee, {"id": case_id})["id"],
    "request_id": lambda committee, case_id: given_request(committee, {"id": case_id})["id"],
    "stage_id": first_of("listCaseStages"),
    "strategy_id": first_of("listStrategies"),
}
# What a case has besides that it did not get on its way: functions of committee and case.
BESIDES = [record_evaluation, record_discontinuation]


def places_of_case(committee, case=None):
    """A case in the stage evaluation with one of everything: values by the names of places."""
    case = advance(committee, case or given_case(committee), "evaluation")
    for make in BESIDES:
        make(committee, case)
    return {"id": case["id"],
            **{name: make(committee, case["id"]) for name, make in PLACES.items()}}
