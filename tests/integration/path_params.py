"""Creates an object for every path parameter of the operations on a case.

The sweep over all operations (test_sweep.py) and the tests of isolation use it. A new operation on a part of a case
needs an entry here that creates that part.
"""
from payloads import new_access, new_document, new_note, new_task
from scenarios import (advance, make_case, make_hold, make_proceeding, make_request,
                       record_discontinuation, record_evaluation)


def first_of(operation):
    """Returns a function that finds the first item of a list, for parts that the case got in an earlier stage."""
    return lambda committee, case_id: committee.send(operation, id=case_id)["items"][0]["id"]


def make_reviewer_access(committee, case_id):
    return committee.send("grantAccess", new_access(), id=case_id).expect(201)["id"]


def make_note(committee, case_id):
    return committee.send("addNote", new_note(), id=case_id).expect(201)["id"]


def make_document(committee, case_id):
    document = committee.send("addDocument", new_document(), id=case_id).expect(201)
    committee.send("putDocumentContent", data=b"The report.", id=case_id, document_id=document["id"]).expect(201)
    return document["id"]


def make_document_release(committee, case_id):
    return committee.send("releaseDocument", {"organisation": "LA-S12000034"}, id=case_id,
                          document_id=make_document(committee, case_id)).expect(201)["id"]


def make_task(committee, case_id):
    return committee.send("addTask", new_task(), id=case_id).expect(201)["id"]


# For each path parameter, the function of committee and case id that creates (or finds) the object.
PLACES = {
    "access_id": make_reviewer_access,
    "child_id": first_of("listChildren"),
    "document_id": make_document,
    "family_engagement_id": first_of("listFamilyEngagements"),
    "finding_id": first_of("listFindings"),
    "hold_id": lambda committee, case_id: make_hold(committee, {"id": case_id})["id"],
    "member_id": first_of("listTeamMembers"),
    "note_id": make_note,
    "notice_id": first_of("listCaseNotices"),
    "practitioner_engagement_id": first_of("listPractitionerEngagements"),
    "proceeding_id": lambda committee, case_id: make_proceeding(committee, {"id": case_id})["id"],
    "request_id": lambda committee, case_id: make_request(committee, {"id": case_id})["id"],
    "stage_id": first_of("listCaseStages"),
    "strategy_id": first_of("listStrategies"),
    "task_id": make_task,
}
# Functions of committee and case that record the parts which earlier stages do not create.
BESIDES = [record_evaluation, record_discontinuation]


def places_of_case(committee, case=None):
    """Creates a case in the stage evaluation with one part of every kind; returns the ids by path parameter."""
    case = advance(committee, case or make_case(committee), "evaluation")
    for make in BESIDES:
        make(committee, case)
    return {"id": case["id"],
            **{name: make(committee, case["id"]) for name, make in PLACES.items()}}
