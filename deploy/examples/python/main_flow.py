#!/usr/bin/env python3
"""The main flow: a referral becomes a case with an action. Needs nothing but Python 3.9 or newer.

REGISTER_URL and REGISTER_TOKEN name a test register and the token of a committee's casework system. The documentation
shows the parts between `# ---` lines with their operations.
"""
import datetime
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zoneinfo


def send(method, path, body=None, **headers):
    """Returns the status, headers and document of the response; raises RuntimeError for a problem."""
    request = urllib.request.Request(os.environ["REGISTER_URL"] + path, method=method, headers={
        "Authorization": "Bearer " + os.environ["REGISTER_TOKEN"],
        **({"Content-Type": "application/json"} if body is not None else {}), **headers})
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, data, timeout=30) as response:
            return response.status, response.headers, json.load(response)
    except urllib.error.HTTPError as refusal:
        with refusal:
            if refusal.code == 304:
                return 304, refusal.headers, None
            problem = json.load(refusal)
        raise RuntimeError(f"{problem['code']}: {problem['detail']} {problem['errors']}") from refusal


def new_key():
    """A key for each new request; a repetition of the request has the same key."""
    return {"Idempotency-Key": str(uuid.uuid4())}


def today():
    return datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")).date()


def new_referral(reference):
    return {
        "source_system": "example-python", "source_reference": reference,
        "committee": "GLA", "local_authority": "S12000049",
        "notified_on": str(today()), "aware_on": str(today()), "incident_kind": "accumulation",
        "children": [{"child_id": f"child-{reference}", "outcome": "significant_harm", "age_band": "5_10",
                      "sex": "female"}],
        "criteria_claimed": ["abuse_or_neglect"], "immediate_concerns": "none",
        "basis": "Several services see learning for how they work together."}


# --- pushReferral
def push_referral(referral):
    status, headers, document = send("POST", "/v1/referrals", referral, **new_key())
    print("pushed:", status, headers["Location"])  # 201; 200 if the register has this referral already
    return document


# ---
# --- pushReferrals
def push_referrals(referrals):
    _, _, answer = send("POST", "/v1/referrals/batch", referrals, **new_key())
    for item in answer["items"]:
        if item["status"] >= 400:
            print("refused:", item["index"], item["problem"]["code"], item["problem"]["errors"])
    return answer["items"]


# ---
# --- listReferrals
def list_referrals(**filters):
    path = "/v1/referrals?" + urllib.parse.urlencode({**filters, "limit": 200})
    while path:
        _, _, page = send("GET", path)
        yield from page["items"]
        # `next` is an absolute address; it keeps the filters and the position.
        path = page["next"] and page["next"].removeprefix(os.environ["REGISTER_URL"])


# ---
# --- acceptReferral
def accept_referral(referral):
    # Without the identifier of an open case the register opens a new one.
    acceptance = {"case_id": None, "accepted_on": str(today())}
    _, _, accepted = send("POST", f"/v1/referrals/{referral['id']}/acceptance", acceptance, **new_key())
    return accepted["case_id"]


# ---
# --- getCase
def get_case(case_id):
    _, headers, case = send("GET", f"/v1/cases/{case_id}")
    return case, headers["ETag"]


# ---
# --- moveCase
def move_case(case_id, stage):
    _, etag = get_case(case_id)
    transition = {"to": stage, "occurred_on": str(today())}
    # 412: someone else changed the case. 409: something blocks the move; `errors` names it.
    _, _, case = send("POST", f"/v1/cases/{case_id}/transitions", transition, **{"If-Match": etag}, **new_key())
    return case["stage"]


# ---
# --- putRecommendation
def put_recommendation(case_id):
    recommendation = {
        "made_on": str(today()), "made_by": "sub_group", "recommended": "proceed",
        "criteria_met": ["abuse_or_neglect"], "current_circumstances_recorded": True,
        "other_processes_considered": True, "expected_learning": "How each service could have seen the whole."}
    # If-None-Match creates it; If-Match with its ETag replaces it.
    return send("PUT", f"/v1/cases/{case_id}/recommendation", recommendation, **{"If-None-Match": "*"})


# ---
# --- createAction
def create_action(case_id):
    action = {"title": "Agree how chronologies are kept", "owner_organisation": "LA-S12000049",
              "due_on": str(today() + datetime.timedelta(days=90)), "status": "agreed",
              "owner_accepted_on": str(today()), "success_measure": "Nine of ten files hold a chronology."}
    _, _, created = send("POST", f"/v1/cases/{case_id}/actions", action, **new_key())
    return created


# ---
# --- addActionUpdate
def add_action_update(action):
    update = {"reported_on": str(today()), "progress": 25, "note": "The working group has met."}
    _, _, added = send("POST", f"/v1/actions/{action['id']}/updates", update, **new_key())
    return added


# ---
# --- getStatistics
def get_statistics(etag=None):
    path = "/v1/statistics/decisions?view=live&committee=GLA"
    # With the tag of the last answer the status is 304 while nothing has changed.
    status, headers, table = send("GET", path, **({"If-None-Match": etag} if etag else {}))
    return status, headers["ETag"], table


# ---
# --- listChanges
def follow_changes(position="/v1/changes"):
    more = True
    while more:
        _, _, page = send("GET", position)
        for event in page["items"]:
            print("changed:", event["type"], event["links"]["self"])
        position, more = page["next"].removeprefix(os.environ["REGISTER_URL"]), page["more"]
    return position  # keep it, and continue there next time


# ---
def main():
    run = uuid.uuid4().hex
    referral = push_referral(new_referral(run))
    again = push_referrals([new_referral(run), new_referral(f"{run}-2")])
    assert [item["status"] for item in again] == [200, 201], again
    found = list(list_referrals(source_system="example-python", source_reference=run))
    assert [one["id"] for one in found] == [referral["id"]], found
    case_id = accept_referral(referral)
    move_case(case_id, "information_gathering")
    move_case(case_id, "recommendation")
    put_recommendation(case_id)
    assert move_case(case_id, "decision") == "decision"
    action = create_action(case_id)
    assert add_action_update(action)["progress"] == 25
    _, _, table = get_statistics()
    assert table["rows"], table
    assert follow_changes()
    print("done:", get_case(case_id)[0]["reference"])


if __name__ == "__main__":
    main()
