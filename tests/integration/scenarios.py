"""Scenarios: bring the register into the state in which a test begins; each function raises when it fails."""
from payloads import (DECISIONS, completion, family_answer, new_action, new_case,
                      new_discontinuation, new_evaluation, new_family_engagement,
                      new_family_liaison, new_finding, new_hold, new_impact_review, new_mandate,
                      new_plan_consideration, new_practitioner_engagement, new_proceeding,
                      new_ratification, new_recommendation, new_referral, new_report,
                      new_request, new_sending, new_strategy, new_team_member, new_webhook,
                      not_published, today, verification)

WAY = ["information_gathering", "recommendation", "decision", "set_up", "review", "reporting",
       "ratification", "implementation", "evaluation", "closed"]


def make_referral(agency, **overrides):
    return agency.send("pushReferral", new_referral(**overrides)).expect(201).json


def make_accepted_referral(agency, committee, case_id=None, **overrides):
    """Creates a referral that was accepted into a new case, or into the given one."""
    referral = make_referral(agency, **overrides)
    return committee.send("acceptReferral", {"accepted_on": today(), "case_id": case_id},
                          id=referral["id"]).expect(201).json


def make_delivery(client):
    """Creates a paused webhook with a pending test event; returns the path parameters."""
    made = client.send("createWebhook", new_webhook()).expect(201)
    webhook = client.send("changeWebhook", {"status": "paused"}, id=made["webhook"]["id"],
                          if_match=made.etag).expect(200)
    delivery = client.send("pingWebhook", id=webhook["id"]).expect(201)
    return {"id": webhook["id"], "delivery_id": delivery["id"]}


def move(committee, case_id, to, reason=None, if_match=None, occurred_on=None, key=None,
         way=None):
    """Sends the request to move a case, with the case's present ETag unless one is given."""
    tag = if_match or committee.send("getCase", id=case_id).expect(200).etag
    return committee.send("moveCase", {"to": to, "way": way, "occurred_on": occurred_on or today(),
                                       "reason": reason}, id=case_id, if_match=tag, key=key)


def decide(committee, case_id, outcome="proceed", **overrides):
    return committee.send("putDecision", {**DECISIONS[outcome], "decided_on": today(),
                                            **overrides}, id=case_id, none_match="*")


def recommend(committee, case_id, **overrides):
    return committee.send("putRecommendation", new_recommendation(**overrides), id=case_id,
                          none_match="*")


def send_notices(committee, case_id):
    """Sends every pending notice of a case."""
    for notice in committee.send("listCaseNotices", id=case_id).expect(200)["items"]:
        if notice["sent_on"] is None and notice["withdrawn_on"] is None:
            committee.send("sendNotice", new_sending(), id=case_id,
                           notice_id=notice["id"]).expect(201)


def decide_and_tell(committee, case_id, outcome="proceed", **overrides):
    decision = decide(committee, case_id, outcome, **overrides).expect(201)
    send_notices(committee, case_id)
    return decision


def send_outcome_notices(committee, case):
    send_notices(committee, case["id"])


def record_recommendation(committee, case):
    if committee.send("getRecommendation", id=case["id"]).status == 404:
        recommend(committee, case["id"]).expect(201)


def record_decision(committee, case):
    decide_and_tell(committee, case["id"])


def submit_to_hub(committee, case):
    """Submits the data set of each child who died to the National Hub."""
    for child in committee.send("listChildren", id=case["id"]).expect(200)["items"]:
        if child["outcome"] == "died":
            path = {"id": case["id"], "child_id": child["id"]}
            committee.send("changeChild", {"national_hub_submitted_on": today()}, **path,
                           if_match=tag_of(committee, "getChild", **path)).expect(200)


def agree_mandate(committee, case):
    committee.send("putMandate", new_mandate(), id=case["id"], none_match="*").expect(201)


def appoint(committee, case_id, **overrides):
    return committee.send("addTeamMember", new_team_member(**overrides), id=case_id)


def appoint_team(committee, case):
    appoint(committee, case["id"], role="chair", organisation="INDEPENDENT",
            independence="external").expect(201)
    appoint(committee, case["id"], role="reviewer").expect(201)


def agree_family_liaison(committee, case):
    committee.send("putFamilyLiaison", new_family_liaison(), id=case["id"],
                   none_match="*").expect(201)


def invite(client, case_id, **overrides):
    """Records an invitation to a member of the family."""
    return client.send("addFamilyEngagement", new_family_engagement(**overrides), id=case_id)


def hear_family(committee, case):
    invite(committee, case["id"], **family_answer()).expect(201)


def engage(client, case_id, **overrides):
    """Records an engagement of practitioners."""
    return client.send("addPractitionerEngagement", new_practitioner_engagement(**overrides),
                       id=case_id)


def engage_practitioners(committee, case):
    engage(committee, case["id"]).expect(201)


def review_impact(committee, case):
    """Reviews the impact of a case's verified actions."""
    for action in committee.send("listCaseActions", id=case["id"]).expect(200)["items"]:
        if action["status"] == "verified":
            committee.send("addImpactReview", new_impact_review(), id=action["id"]).expect(201)


def record_finding(committee, case):
    committee.send("addFinding", new_finding(), id=case["id"]).expect(201)


def record_strategy(committee, case):
    committee.send("addStrategy", new_strategy(), id=case["id"]).expect(201)


def record_report(committee, case):
    committee.send("putReport", new_report(), id=case["id"], none_match="*").expect(201)


def chief_officers_of(committee, case):
    return committee.of(f"COG-{case['committee']}", "chief-officers-system")


def ratify(committee, case):
    chief_officers_of(committee, case).send("ratifyReport", new_ratification(),
                                            id=case["id"]).expect(201)


def consider_plan(committee, case):
    chief_officers_of(committee, case).send("considerPlan", new_plan_consideration(),
                                            id=case["id"]).expect(201)


def decide_publication(committee, case):
    committee.send("putPublication", not_published(), id=case["id"], none_match="*").expect(201)


def record_evaluation(committee, case):
    committee.send("putEvaluation", new_evaluation(), id=case["id"], none_match="*").expect(201)


def record_discontinuation(committee, case):
    committee.send("putDiscontinuation", new_discontinuation(), id=case["id"],
                   none_match="*").expect(201)


def discontinue(committee, case_id):
    """Discontinues a case after its decision: both bodies agree to it."""
    record_discontinuation(committee, {"id": case_id})
    return move(committee, case_id, "closed", "discontinued", way="discontinue")


# Preparations for each stage that a case on the standard path must leave: functions of committee and case.
NEEDED_TO_LEAVE = {
    "recommendation": [record_recommendation],
    "decision": [record_decision],
    "set_up": [agree_mandate, appoint_team, agree_family_liaison],
    "review": [engage_practitioners, hear_family, record_finding],
    "reporting": [record_strategy, record_report],
    "ratification": [ratify],
    "implementation": [consider_plan, decide_publication],
    "evaluation": [review_impact, record_evaluation, send_outcome_notices, submit_to_hub],
}


def prepare(committee, case):
    """Does everything that the case needs before it can leave its stage on the standard path."""
    for need in NEEDED_TO_LEAVE.get(case["stage"], ()):
        need(committee, case)


def advance(committee, case, stage):
    """Moves a case along the standard path to a later stage, with everything that the guards require."""
    while case["stage"] != stage:
        prepare(committee, case)
        nearer = WAY[0] if case["stage"] == "notification" else WAY[WAY.index(case["stage"]) + 1]
        case = move(committee, case["id"], nearer).expect(201).json
    return case


def make_case(committee, stage="notification", **overrides):
    """Creates a case that a committee opened itself, moved along the standard path to the stage."""
    case = committee.send("openCase", new_case(**overrides)).expect(201).json
    return advance(committee, case, stage)


def make_request(committee, case=None, **overrides):
    """Creates an open information request, in a case that gathers information."""
    case = case or make_case(committee, "information_gathering")
    return committee.send("createInformationRequest", new_request(**overrides),
                          id=case["id"]).expect(201).json


def make_action(committee, case=None, **overrides):
    case = case or make_case(committee, "decision")
    return committee.send("createAction", new_action(**overrides), id=case["id"]).expect(201).json


def make_completed_action(committee, owner, **overrides):
    action = make_action(committee, **overrides)
    return owner.send("completeAction", completion(), id=action["id"]).expect(201).json


def make_verified_action(committee, owner, **overrides):
    action = make_completed_action(committee, owner, **overrides)
    return committee.send("verifyAction", verification(), id=action["id"]).expect(201).json


def make_proceeding(committee, case, **overrides):
    return committee.send("addProceeding", new_proceeding(**overrides),
                          id=case["id"]).expect(201).json


def make_hold(committee, case, **overrides):
    return committee.send("addHold", new_hold(**overrides), id=case["id"]).expect(201).json


def tag_of(client, operation, **path):
    """Returns the present ETag of a resource."""
    return client.send(operation, **path).expect(200).etag


def walk(client, operation, query="", **path):
    """Returns all items of a list, page after page."""
    reply = client.send(operation, query=query, **path).expect(200)
    items = list(reply["items"])
    while reply["next"] is not None:
        reply = client.follow(reply["next"]).expect(200)
        items += reply["items"]
    return items
