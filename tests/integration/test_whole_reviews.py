"""Whole reviews from notification to the end, as committees, agencies and others see them step by step."""
import datetime

import pytest

from client import ALL_SCOPES
from payloads import (completion, family_answer, new_access, new_action, new_answer, new_case,
                      new_child, new_decision, new_dissemination, new_evaluation,
                      new_family_engagement, new_family_liaison, new_finding, new_hold,
                      new_impact_review, new_mandate, new_observations, new_plan_consideration,
                      new_practitioner_engagement, new_proceeding, new_ratification,
                      new_recommendation, new_referral, new_report, new_request, new_sending,
                      new_strategy, new_team_member, new_transfer, not_published, today,
                      verification)
from scenarios import tag_of, walk
from test_clock import due_day

LENGTH = 900  # days since the case of the test was opened
REVIEWER = "reviewer-of-the-whole-review"


class Review:
    """One case of the committee with days counted from its opening; every step raises when it fails."""

    def __init__(self, committee, **overrides):
        self.committee = committee
        self.start = datetime.date.fromisoformat(today()) - datetime.timedelta(days=LENGTH)
        self.case = committee.send("openCase", new_case(opened_on=self.day(0), **overrides)).expect(201).json
        self.id = self.case["id"]

    def day(self, number):
        return (self.start + datetime.timedelta(days=number)).isoformat()

    def tag(self):
        return tag_of(self.committee, "getCase", id=self.id)

    def add(self, operation, document, client=None, **place):
        return (client or self.committee).send(operation, document, id=self.id, **place).expect(201)

    def put(self, operation, document, client=None):
        return (client or self.committee).send(operation, document, id=self.id,
                                               none_match="*").expect(201)

    def move(self, to, number, **more):
        return self.committee.send("moveCase", {"to": to, "occurred_on": self.day(number), **more},
                                   id=self.id, if_match=self.tag())

    def moved(self, to, number, **more):
        self.case = self.move(to, number, **more).expect(201).json
        return self.case

    def blockers(self, to, way="ordinary"):
        for one in self.committee.send("listTransitions", id=self.id)["items"]:
            if (one["to"], one["way"]) == (to, way):
                return {blocker["guard"]: blocker["by"] for blocker in one["blocked_by"]}
        return None

    def stage(self, name):
        return next(one for one in self.committee.send("listCaseStages", id=self.id)["items"]
                    if one["stage"] == name)

    def due(self, name, entered, amount, unit, held=()):
        """Asserts the due day of a stage against the calculation of the tests."""
        days = {self.start + datetime.timedelta(days=number) for number in held}
        expected = due_day(self.start + datetime.timedelta(days=entered), amount, unit, days)
        assert self.stage(name)["due_on"] == expected.isoformat()

    def send_notices(self, number):
        for notice in self.committee.send("listCaseNotices", id=self.id)["items"]:
            if notice["sent_on"] is None and notice["withdrawn_on"] is None:
                self.add("sendNotice", new_sending(sent_on=self.day(number)), notice_id=notice["id"])

    def timeline(self, query="limit=200"):
        return walk(self.committee, "listTimeline", query, id=self.id)

    def gather_and_recommend(self, recommended="proceed"):
        self.moved("information_gathering", 3)
        self.moved("recommendation", 21)
        self.put("putRecommendation", new_recommendation(made_on=self.day(28), recommended=recommended))
        self.moved("decision", 30)


@pytest.fixture(scope="module")
def people(caller):
    """Callers with exactly the scopes that their part in a review needs."""
    return {
        "second": caller("CPC-GLA", "quality-assurance"),
        "officers": caller("COG-GLA", "chief-officers-system", "cases.read ratification.write"),
        "reviewer": caller("INDEPENDENT", REVIEWER, "cases.read children.read reviews.write"),
        "prosecution": caller("COPFS", "case-system", "proceedings.read proceedings.write"),
        "inspectorate": caller("CI", "inspectorate-system",
                               "decisions.read notices.read observations.write"),
        "hub": caller("HIS", "hub-system", "notices.read")}


def test_a_review_parallel_to_a_prosecution_up_to_its_evaluation(committee, agency, health, police, people,
                                                                 other_committee, dashboard):
    review = Review(committee, children=[new_child(outcome="died", cause_of_death_group="alleged_homicide"),
                                         new_child()], criteria=["alleged_murder", "abuse_or_neglect"])
    day = review.day
    referral = agency.send("pushReferral", new_referral(children=[new_child()])).expect(201)
    committee.send("acceptReferral", {"case_id": review.id, "accepted_on": today()},
                   id=referral["id"], if_match=referral.etag).expect(201)

    # Notification and information.
    review.due("notification", 0, 5, "working_days")
    review.moved("information_gathering", 3)
    review.due("information_gathering", 3, 14, "calendar_days")
    asked = {client: review.add("createInformationRequest", new_request(
        organisation=code, asked_on=day(3)))["id"]
        for client, code in ((agency, "LA-S12000049"), (health, "HB-S08000031"), (police, "POL-G"))}
    assert review.blockers("recommendation") == {"information_returned": "agency"}
    open_requests = walk(health, "listInformationRequests", "status=open&limit=200")
    mine = next(one for one in open_requests if one["case_reference"] == review.case["reference"])
    assert mine["case_id"] is None and mine["overdue"] is True and len(mine["children"]) == 3
    assert health.send("getCase", id=review.id).status == 403
    stolen = health.send("answerInformationRequest", new_answer(), id=asked[police])
    assert stolen.status == 404
    agency.send("answerInformationRequest", new_answer(answered_on=day(15)),
                id=asked[agency]).expect(201)
    late = health.send("answerInformationRequest", new_answer(
        answered_on=day(20), criminal_proceedings=True), id=asked[health]).expect(201)
    assert (late["status"], late["answered_late"]) == ("answered", True)
    police.send("answerInformationRequest", {"status": "nothing_held", "answered_on": day(16)},
                id=asked[police]).expect(201)
    review.moved("recommendation", 21)

    # Recommendation and decision.
    assert review.blockers("decision") == {"recommendation_made": "committee"}
    assert review.move("decision", 25).status == 409
    review.put("putRecommendation", new_recommendation(made_on=day(28)))
    review.moved("decision", 30)
    review.put("putDecision", new_decision(decided_on=day(35), criteria_met=["alleged_murder"],
                                           family_wait_reason=None, family_informed_on=day(36)))
    assert review.blockers("set_up") == {"notices_sent": "committee"}
    told = {one["to"] for one in committee.send("listCaseNotices", id=review.id)["items"]}
    assert told == {"chief_officers_group", "care_inspectorate", "referrer", "national_hub", "copfs"}
    listed = walk(people["inspectorate"], "listDecisions", "committee=GLA&limit=200")
    decision = next(one for one in listed if one["case_reference"] == review.case["reference"])
    assert decision["outcome"] == "proceed" and "note" not in decision
    assert review.case["summary"] is None and "child_ref" not in str(decision)
    review.send_notices(35)
    notice = next(one for one in walk(people["inspectorate"], "listNotices", "kind=decision&limit=200")
                  if one["case_reference"] == review.case["reference"])
    people["inspectorate"].send("observeNotice", new_observations(), id=notice["id"]).expect(201)
    deaths = walk(people["hub"], "listNotices", "kind=decision&limit=200")
    assert review.case["reference"] in {one["case_reference"] for one in deaths}
    assert agency.send("getReferral", id=referral["id"])["case_decision"] == "proceed"
    review.moved("set_up", 40)

    # Set-up, parallel to a prosecution.
    prosecution = review.add("addProceeding", new_proceeding(
        started_on=day(20), review_on=day(200), position="may_proceed_in_part"))
    assert set(review.blockers("review").values()) == {"committee"}
    assert set(review.blockers("review")) == {
        "mandate_agreed", "team_appointed", "team_multi_agency", "family_liaison_agreed",
        "staff_support_planned", "prosecution_contacted"}
    review.put("putMandate", new_mandate(agreed_on=day(45), period_from=day(-400), period_to=day(-1),
                                         target_completion_on=day(300)))
    for role, organisation in (("chair", "CPC-GLA"), ("reviewer", "INDEPENDENT"),
                               ("member", "HB-S08000031")):
        review.add("addTeamMember", new_team_member(role=role, organisation=organisation,
                                                    appointed_on=day(46)))
    review.put("putFamilyLiaison", new_family_liaison(strategy_agreed_on=day(50),
                                                      leaflet_given_on=day(51)))
    assert people["reviewer"].send("getCase", id=review.id).status == 404
    review.add("grantAccess", new_access(client_id=REVIEWER))
    assert people["reviewer"].send("getCase", id=review.id).status == 200
    review.add("grantAccess", new_access(organisation="COPFS", role="proceedings_liaison",
                                         client_id=None, ends_on=None))
    place = {"id": prosecution["id"]}
    people["prosecution"].send("changeProceeding", {"contact_made_on": day(41)}, **place,
                               if_match=tag_of(people["prosecution"], "getProceeding", **place)).expect(200)
    assert people["prosecution"].send("getCase", id=review.id).status == 403
    review.moved("review", 60)
    review.due("review", 60, 4, "months")

    # The prosecution stops the clock for 47 days; the review continues afterwards.
    hold = review.add("addHold", new_hold(proceeding_id=prosecution["id"], held_from=day(80),
                                          review_on=day(140), stages=["review"],
                                          tracks=["publication"]))
    assert committee.send("getCase", id=review.id)["clock_stopped"] is True
    assert "not_on_hold" in review.blockers("reporting")
    place = {"id": review.id, "hold_id": hold["id"]}
    committee.send("changeHold", {"lifted_on": day(127)}, **place,
                   if_match=tag_of(committee, "getHold", **place)).expect(200)
    review.due("review", 60, 4, "months", held=range(80, 127))
    held = review.stage("review")
    assert held["held_days"] == 47
    assert (datetime.date.fromisoformat(held["due_on"])
            - datetime.date.fromisoformat(held["original_due_on"])).days == 47

    # Family and practitioners; five findings by the reviewer.
    review.add("addFamilyEngagement", new_family_engagement(
        invited_on=day(70), response="declined", responded_on=day(75)))
    review.add("addFamilyEngagement", new_family_engagement(
        relation="grandparent", invited_on=day(70), **family_answer(
            responded_on=day(72), views_taken_on=day(90))))
    review.add("addPractitionerEngagement", new_practitioner_engagement(held_on=day(150)))
    findings = [review.add("addFinding", new_finding(themes=[theme], kind=kind), people["reviewer"])["id"]
                for theme, kind in (("information_sharing", "learning_point"),
                                    ("child_voice", "learning_point"), ("thresholds", "learning_point"),
                                    ("supervision_and_oversight", "learning_point"),
                                    ("planning_and_review", "effective_practice"))]
    assert len(committee.send("listFindings", id=review.id)["items"]) == 5
    assert people["officers"].send("addFinding", new_finding(), id=review.id).status == 403
    strategy = review.add("addStrategy", new_strategy(findings=findings[:2]), people["reviewer"])["id"]
    review.moved("reporting", 200)
    review.due("reporting", 200, 2, "months")

    # The report: drafted by the reviewer, agreed by the committee, ratified by the chief officers.
    review.put("putReport", new_report(drafted_on=day(230), accuracy_checked_on=day(235),
                                       committee_agreed_on=None), people["reviewer"])
    assert set(review.blockers("ratification")) == {"report_agreed", "prosecution_consulted"}
    committee.send("putReport", new_report(
        drafted_on=day(230), accuracy_checked_on=day(235), prosecution_consulted_on=day(240),
        committee_agreed_on=day(250)), id=review.id,
        if_match=tag_of(committee, "getReport", id=review.id)).expect(200)
    assert committee.send("ratifyReport", new_ratification(decided_on=day(260)), id=review.id).status in (403, 404)
    review.moved("ratification", 255)
    assert review.blockers("implementation") == {"report_ratified": "chief_officers_group"}
    review.add("ratifyReport", new_ratification(decided_on=day(262)), people["officers"])
    outcome = [one for one in committee.send("listCaseNotices", id=review.id)["items"]
               if one["kind"] == "outcome"]
    assert {one["due_on"] for one in outcome} == {day(269)}
    review.moved("implementation", 265)
    review.send_notices(268)

    # Twelve actions: nine done in time, two slipped, one not achieved.
    owners = ["LA-S12000049", "HB-S08000031", "POL-G"]
    made = review.add("createActions", {"actions": [
        new_action(title=f"Action number {number}", owner_organisation=owners[number % 3],
                   due_on=day(400), owner_accepted_on=day(266), strategy_id=strategy,
                   **({"depends_on_index": [0]} if number == 11 else {}))
        for number in range(12)]})["items"]
    owner = dict(zip(owners, (agency, health, police)))
    early = owner[made[11]["owner_organisation"]].send(
        "completeAction", completion(completed_on=day(300)), id=made[11]["id"])
    assert (early.status, early.rules) == (409, {"dependency_open"})
    for number, action in enumerate(made):
        place = {"id": action["id"]}
        if number in (3, 4):
            committee.send("changeAction", {"due_on": day(460), "due_change_reason": "A post was vacant."},
                           **place, if_match=tag_of(committee, "getAction", **place)).expect(200)
        if number == 5:
            committee.send("changeAction", {"status": "not_achieved", "reason": "The service was closed."},
                           **place, if_match=tag_of(committee, "getAction", **place)).expect(200)
            continue
        done = day(450 if number in (3, 4) else 350)
        owner[action["owner_organisation"]].send("completeAction", completion(completed_on=done),
                                                 **place).expect(201)
        assert owner[action["owner_organisation"]].send("verifyAction", verification(), **place).status in (403, 404)
        people["second"].send("verifyAction", verification(verified_on=day(470)), **place).expect(201)
    slipped = [committee.send("getAction", id=made[number]["id"]) for number in (3, 4)]
    assert {(one["slippage_days"], one["lateness_days"]) for one in slipped} == {(60, 50)}
    counts = committee.send("getCase", id=review.id)["counts"]
    assert (counts["actions"], counts["actions_open"], counts["actions_overdue"]) == (12, 0, 0)

    # Publication is refused with its reason; the plan was considered; learning was disseminated before.
    assert set(review.blockers("evaluation")) == {"plan_considered", "publication_decided"}
    review.add("considerPlan", new_plan_consideration(considered_on=day(300)), people["officers"])
    review.add("addDissemination", new_dissemination(disseminated_on=day(280)))
    review.put("putPublication", not_published(decided_on=day(310)))
    assert committee.send("getPublication", id=review.id)["status"] == "not_published"
    review.moved("evaluation", 480)
    review.due("evaluation", 480, 12, "months")

    # Evaluation, and closure.
    assert set(review.blockers("closed")) == {"impact_reviewed", "evaluation_recorded", "hub_submitted"}
    for action in committee.send("listCaseActions", id=review.id)["items"]:
        if action["status"] != "verified":
            continue
        people["second"].send("addImpactReview", new_impact_review(reviewed_on=day(700)),
                              id=action["id"]).expect(201)
    review.put("putEvaluation", new_evaluation(evaluated_on=day(720)))
    for child in committee.send("listChildren", id=review.id)["items"]:
        if child["outcome"] == "died":
            place = {"id": review.id, "child_id": child["id"]}
            committee.send("changeChild", {"national_hub_submitted_on": day(700)}, **place,
                           if_match=tag_of(committee, "getChild", **place)).expect(200)
    closed = review.moved("closed", 730)
    assert (closed["closure"], closed["closed_on"]) == ("completed", day(730))
    assert agency.send("getReferral", id=referral["id"])["case_stage"] == "closed"

    # The final view of every caller, and the timeline.
    assert other_committee.send("getCase", id=review.id).status == 404
    assert dashboard.send("getCase", id=review.id).status == 403
    assert people["officers"].send("getCase", id=review.id).status == 200
    entries = review.timeline()
    subjects = {one["subject"] for one in entries}
    assert subjects >= {"case", "stage", "child", "information_request", "recommendation", "decision",
                        "notice", "mandate", "team_member", "family_liaison", "family_engagement",
                        "practitioner_engagement", "proceeding", "hold", "finding", "strategy", "report",
                        "ratification", "publication", "dissemination", "action", "impact_review",
                        "evaluation", "access"}
    assert [int(one["id"]) for one in entries] == sorted(int(one["id"]) for one in entries)
    ratified = next(one for one in entries if one["subject"] == "ratification")
    assert (ratified["recorded_by"], ratified["client_id"]) == ("COG-GLA", "chief-officers-system")
    drafted = next(one for one in entries if one["subject"] == "report")
    assert (drafted["recorded_by"], drafted["client_id"]) == ("INDEPENDENT", REVIEWER)
    stages = [one["stage"] for one in committee.send("listCaseStages", id=review.id)["items"]]
    assert stages == ["notification", "information_gathering", "recommendation", "decision", "set_up",
                      "review", "reporting", "ratification", "implementation", "evaluation", "closed"]


def test_a_case_that_does_not_proceed_after_more_information(committee, people):
    review = Review(committee)
    day = review.day
    review.gather_and_recommend("do_not_proceed")
    review.put("putDecision", new_decision(outcome="more_information", decided_on=day(35), criteria_met=[],
                                           reasons=["insufficient_information"], family_wait_reason=None))
    assert committee.send("listCaseNotices", id=review.id)["items"] == []
    assert set(review.blockers("closed")) == {"decided_not_to_proceed", "family_informed"}
    review.moved("information_gathering", 36)
    review.moved("recommendation", 50)
    review.moved("decision", 55)
    first = committee.send("getDecision", id=review.id)
    decision = new_decision(outcome="do_not_proceed", decided_on=day(60), criteria_met=[],
                            reasons=["criteria_not_met"], family_wait_reason=None)
    second = committee.send("putDecision", decision, id=review.id, if_match=first.etag).expect(200, 201)
    assert second["supersedes"] == first["id"] and second["version"] > first["version"]
    assert review.move("closed", 61).rules == {"notices_sent", "family_informed"}
    committee.send("putDecision", {**decision, "family_informed_on": day(60)}, id=review.id,
                   if_match=second.etag).expect(200)
    review.send_notices(60)
    closed = review.moved("closed", 61)
    assert closed["closure"] == "did_not_proceed"
    kinds = {(one["kind"], one["to"]) for one in committee.send("listCaseNotices", id=review.id)["items"]}
    assert kinds == {("decision", "chief_officers_group"), ("decision", "care_inspectorate")}
    listed = [one for one in walk(people["inspectorate"], "listDecisions", "committee=GLA&limit=200")
              if one["case_reference"] == closed["reference"]]
    assert [one["outcome"] for one in listed] == ["do_not_proceed"]
    decisions = [one for one in review.timeline() if one["subject"] == "decision"]
    assert [one["kind"] for one in decisions if one["kind"] == "created"] == ["created"] * 2
    reopened = review.moved("decision", 100, reason="new_information", way="reopen")
    assert (reopened["stage"], reopened["closed_on"], reopened["closure"]) == ("decision", None, None)


def test_an_alternative_review_reports_its_learning_to_the_inspectorate(committee, people):
    review = Review(committee)
    day = review.day
    review.gather_and_recommend("alternative_review")
    review.put("putDecision", new_decision(
        outcome="alternative_review", decided_on=day(35), criteria_met=[],
        reasons=["better_met_by_other_review"], alternative_kind="multi_agency_reflective_session",
        alternative_owner="HB-S08000031"))
    review.send_notices(35)
    review.moved("review", 40)
    assert set(review.blockers("reporting")) >= {"decided_to_proceed"}
    assert review.blockers("closed") == {"learning_recorded": "review_team",
                                         "alternative_outcome_notified": "committee"}
    review.add("addFinding", new_finding(kind="effective_practice"))
    action = review.add("createAction", new_action(due_on=day(200), owner_accepted_on=day(60),
                                                   owner_organisation="CPC-GLA"))
    committee.send("completeAction", completion(completed_on=day(150)), id=action["id"]).expect(201)
    mine = committee.send("verifyAction", verification(verified_on=day(160)), id=action["id"])
    assert (mine.status, mine.rules) == (409, {"separation_of_duties"})
    people["second"].send("verifyAction", verification(verified_on=day(160)), id=action["id"]).expect(201)
    review.add("createNotices", {"kind": "alternative_outcome"})
    review.send_notices(170)
    assert review.moved("closed", 171)["closure"] == "alternative_completed"
    sent = [one for one in walk(people["inspectorate"], "listNotices", "kind=alternative_outcome&limit=200")
            if one["case_reference"] == review.case["reference"]]
    assert len(sent) == 1 and sent[0]["snapshot"]["outcome"] == "alternative_review"


def test_a_review_transferred_to_another_committee_ends_there(committee, other_committee, caller, people):
    review = Review(committee)
    day = review.day
    review.gather_and_recommend()
    review.put("putDecision", new_decision(decided_on=day(35)))
    review.send_notices(35)
    review.moved("set_up", 40)
    before = review.timeline()
    transfer = review.add("proposeTransfer", new_transfer(proposed_on=day(50)))
    assert people["officers"].send("getCase", id=review.id).status == 200
    other_committee.send("acceptTransfer", {"decided_on": day(60), "local_authority": "S12000036"},
                         id=transfer["id"], if_match=tag_of(
                             other_committee, "getTransfer", id=transfer["id"])).expect(201)
    assert committee.send("getCase", id=review.id).status == 404
    assert people["officers"].send("getCase", id=review.id).status == 404
    assert caller("COG-EDH", "chief-officers-system", ALL_SCOPES).send("getCase", id=review.id).status == 200
    review.committee = other_committee
    assert review.timeline()[:len(before)] == before
    review.put("putMandate", new_mandate(agreed_on=day(65), period_from=day(-400), period_to=day(-1)))
    review.put("putDiscontinuation", {"committee_agreed_on": day(80), "chief_officers_agreed_on": day(85),
                                      "reason": "A public inquiry answers the same questions."})
    closed = review.moved("closed", 90, reason="discontinued", way="discontinue")
    assert (closed["closure"], closed["committee"]) == ("discontinued", "EDH")
    told = {(one["kind"], one["to_organisation"]) for one in
            other_committee.send("listCaseNotices", id=review.id)["items"] if one["kind"] == "discontinued"}
    assert told == {("discontinued", "CI"), ("discontinued", "COG-EDH")}
