"""Something that exists for every place in the address of an operation on a case.

The sweep over all operations (test_sweep.py) and the tests of isolation need it: whoever adds an operation below
a case adds here how its parts come about.
"""
from steps import advance, decide, given_case, given_request


def first_child(committee, case_id):
    return committee.send("listChildren", id=case_id)["items"][0]["id"]


def first_notice(committee, case_id):
    """One that waits to be sent."""
    return committee.send("listCaseNotices", id=case_id)["items"][0]["id"]


def open_request(committee, case_id):
    return given_request(committee, {"id": case_id})["id"]


# The name of a place and how what it names is made (or found): functions of committee and the case's id.
PLACES = {
    "child_id": first_child,
    "notice_id": first_notice,
    "request_id": open_request,
}


def places_of_case(committee, case=None):
    """A case in the stage decision with one of everything: values by the names of places."""
    case = given_case(committee, "decision") if case is None else advance(committee, case, "decision")
    decide(committee, case["id"]).needed(201)
    return {"id": case["id"],
            **{name: make(committee, case["id"]) for name, make in PLACES.items()}}
