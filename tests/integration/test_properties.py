"""Random walks through the process, with valid and invalid requests, compared with a model at every step."""
import os
import random

import pytest

from model import AFTER_DECISION, OPEN, PROCEEDING, STAGES, Model
from payloads import (changes_requested, completion, family_answer, new_action, new_case,
                      new_discontinuation, new_evaluation, new_family_engagement, new_family_liaison, new_finding,
                      new_hold, new_impact_review, new_mandate, new_plan_consideration,
                      new_practitioner_engagement, new_proceeding, new_ratification, new_recommendation, new_report,
                      new_request, new_strategy, new_team_member, not_published, today, verification, DECISIONS)
from scenarios import move, send_notices, tag_of

STEPS = int(os.environ.get("LR_PROPERTY_STEPS", "150"))
SEEDS = range(int(os.environ.get("LR_PROPERTY_SEEDS", "6")))
REASONS = {"discontinue": "discontinued", "reopen": "new_information"}


class Walk:
    """One case of the register and its model, which take the same random steps."""

    def __init__(self, committee, second, officers, agency, seed):
        self.committee, self.second, self.officers, self.agency = committee, second, officers, agency
        self.random = random.Random(seed)
        self.model = Model()
        self.id = committee.send("openCase", new_case(opened_on=today())).expect(201)["id"]
        self.done = []
        self.versions = 0

    # Each step returns the reply and whether the model accepts the request; it updates the model when it does.

    def put(self, operation, document, read, allowed, learn):
        known = self.committee.send(read, id=self.id)
        condition = {"none_match": "*"} if known.status == 404 else {"if_match": known.etag}
        return self.judge(self.committee.send(operation, document, id=self.id, **condition), allowed, learn)

    def judge(self, reply, allowed, learn=lambda: None):
        accepted = reply.status in (200, 201)
        assert accepted == allowed, (self.done[-12:], self.model.stage, reply)
        assert accepted or reply.status in (404, 409, 422), reply
        if accepted:
            learn()
        return reply

    def fact(self, *facts):
        return lambda: self.model.facts.update(facts)

    def at(self, *stages):
        return self.model.stage in stages

    def step_move(self):
        to = self.random.choice(STAGES)
        way = self.random.choice(["ordinary", "ordinary", "return", "discontinue", "reopen"])
        self.try_move(to, way)

    def step_go_on(self):
        possible = [one for one, missing in self.model.moves().items() if not missing]
        usual = [one for one in possible if one[1] == "ordinary"]
        if possible and (usual or self.random.random() < 0.2):
            self.try_move(*self.random.choice(usual or possible))

    def try_move(self, to, way):
        missing = self.model.missing(to, way)
        reason = REASONS.get(way) or ("changes_requested" if (to, way) == ("reporting", "return") else None)
        reply = move(self.committee, self.id, to, reason, way=way)
        self.judge(reply, missing == set(), lambda: self.model.moved(to, way))
        if missing is None:
            assert reply.rules == {"not_a_transition"}, self.done[-12:]
        elif missing:
            assert (reply.status, reply.rules) == (409, missing), self.done[-12:]

    def step_ask(self):
        open_before = self.model.requests
        if self.model.stage == "closed" or open_before == 0:
            self.judge(self.committee.send("createInformationRequest", new_request(), id=self.id),
                       self.at(*OPEN), lambda: setattr(self.model, "requests", 1))

    def step_answer(self):
        requests = [one for one in self.committee.send("listCaseInformationRequests", id=self.id)["items"]
                    if one["status"] == "open"]
        assert len(requests) == self.model.requests
        if requests:
            self.judge(self.agency.send("answerInformationRequest", {"status": "nothing_held", "answered_on": today()},
                                        id=requests[0]["id"]), True, lambda: setattr(self.model, "requests", 0))

    def step_recommend(self):
        self.put("putRecommendation", new_recommendation(), "getRecommendation",
                 self.at("recommendation", "decision"), self.fact("recommendation_made"))

    def step_decide(self):
        if self.model.stage in AFTER_DECISION:
            return  # the list of people informed may be completed there
        outcome = self.random.choice([one for one in DECISIONS if one != self.model.outcome])
        if self.model.outcome is None and self.random.random() < 0.6:
            outcome = "proceed"
        self.put("putDecision", {**DECISIONS[outcome], "decided_on": today()}, "getDecision", self.at("decision"),
                 lambda: self.model.decided(outcome))

    def step_send(self):
        send_notices(self.committee, self.id)
        self.model.sent()

    def step_set_up(self):
        allowed = self.model.outcome == "proceed" and self.at("set_up", "review", "reporting")
        if self.at("notification", "set_up", "closed"):
            self.put("putMandate", new_mandate(), "getMandate", allowed,
                     self.fact("mandate_agreed", "staff_support_planned"))
            self.put("putFamilyLiaison", new_family_liaison(), "getFamilyLiaison", allowed,
                     self.fact("family_liaison_agreed"))

    def step_team(self):
        if self.at("notification", "set_up", "closed") and "team_appointed" not in self.model.facts:
            for role, organisation in (("chair", "CPC-GLA"), ("reviewer", "HB-S08000031")):
                self.judge(self.committee.send("addTeamMember", new_team_member(role=role, organisation=organisation),
                                               id=self.id), self.at("set_up"))
            if self.at("set_up"):
                self.model.facts |= {"team_appointed", "team_multi_agency"}

    def step_engage(self):
        if self.at("notification", "review", "closed"):
            self.judge(self.committee.send("addPractitionerEngagement", new_practitioner_engagement(), id=self.id),
                       self.at("review"), self.fact("practitioners_engaged"))
            self.judge(self.committee.send("addFamilyEngagement", new_family_engagement(**family_answer()),
                                           id=self.id), self.at("review"), self.fact("family_invitations_answered"))

    def step_find(self):
        if self.at("notification", "review", "closed"):
            self.judge(self.committee.send("addFinding", new_finding(), id=self.id), self.at("review"),
                       self.fact("learning_recorded"))

    def step_report(self):
        if self.at("notification", "reporting", "closed"):
            self.judge(self.committee.send("addStrategy", new_strategy(), id=self.id), self.at("reporting"),
                       self.fact("strategies_or_reason"))
            self.put("putReport", new_report(), "getReport", self.at("reporting"),
                     self.fact("report_drafted", "accuracy_checked", "report_agreed"))

    def step_ratify(self):
        ratifies = self.random.random() < 0.7
        if self.model.ratification == "ratified" and self.at("ratification"):
            return
        self.judge(self.officers.send("ratifyReport", new_ratification() if ratifies else changes_requested(),
                                      id=self.id), self.at("ratification"),
                   lambda: self.model.ratified("ratified" if ratifies else "changes_requested"))

    def step_consider_plan(self):
        if self.at("notification", "implementation"):
            self.judge(self.officers.send("considerPlan", new_plan_consideration(), id=self.id),
                       self.at("implementation") and self.model.ratification == "ratified",
                       lambda: setattr(self.model, "plan_considered", True))

    def step_publish(self):
        if "publication_decided" not in self.model.facts:
            self.put("putPublication", not_published(), "getPublication",
                     self.model.stage != "closed" and self.model.ratification == "ratified",
                     self.fact("publication_decided", "publication_ended"))

    def step_evaluate(self):
        self.put("putEvaluation", new_evaluation(), "getEvaluation", self.at("evaluation"),
                 lambda: setattr(self.model, "evaluated", True))

    def step_agree_to_discontinue(self):
        if self.random.random() < 0.3:
            self.put("putDiscontinuation", new_discontinuation(), "getDiscontinuation", self.at(*OPEN),
                     lambda: setattr(self.model, "discontinuation", True))

    def step_tell_alternative(self):
        told = self.model.waiting["alternative_outcome"] or self.model.told_alternative
        allowed = self.at("review") and self.model.outcome == "alternative_review"
        if not (allowed and told):
            self.judge(self.committee.send("createNotices", {"kind": "alternative_outcome"}, id=self.id), allowed,
                       lambda: self.model.waiting.update(alternative_outcome=True))

    def step_add_action(self):
        if len(self.model.actions) < 4:
            reply = self.judge(self.committee.send("createAction", new_action(), id=self.id),
                               self.at(*STAGES[3:10]))
            if reply.status == 201:
                self.model.actions[reply["id"]] = "agreed"

    def step_work_on_action(self):
        if not self.model.actions:
            return
        action = self.random.choice(list(self.model.actions))
        status = self.model.actions[action]
        what = self.random.choice(["complete", "verify", "verify_own", "return", "give_up"])
        if what == "complete":
            self.judge(self.agency.send("completeAction", completion(), id=action), status in ("agreed", "in_progress"),
                       lambda: self.model.actions.update({action: "completed"}))
        elif what == "verify_own":
            reply = self.agency.send("verifyAction", verification(), id=action)
            assert reply.status in (403, 404)
        elif what in ("verify", "return"):
            outcome, then = ("verified", "verified") if what == "verify" else ("returned", "in_progress")
            self.judge(self.second.send("verifyAction", verification(outcome=outcome), id=action),
                       status == "completed", lambda: self.model.actions.update({action: then}))
        else:
            self.judge(self.committee.send("changeAction", {"status": "not_achieved", "reason": "Closed."}, id=action,
                                           if_match=tag_of(self.committee, "getAction", id=action)),
                       status not in ("verified", "not_achieved", "superseded"),
                       lambda: self.model.actions.update({action: "not_achieved"}))

    def step_impact(self):
        for action, status in self.model.actions.items():
            if status != "verified":
                continue
            self.judge(self.second.send("addImpactReview", new_impact_review(), id=action), True,
                       lambda one=action: self.model.impact.add(one))

    def step_hold(self):
        stages = self.random.sample(["review", "reporting"], self.random.randint(1, 2))
        holds = [one for one in self.committee.send("listHolds", id=self.id)["items"] if one["lifted_on"] is None]
        if not holds:
            self.judge(self.committee.send("addHold", new_hold(stages=stages), id=self.id), self.at(*OPEN),
                       lambda: setattr(self.model, "holds", set(stages)))
        elif self.random.random() < 0.7:
            place = {"id": self.id, "hold_id": holds[0]["id"]}
            self.judge(self.committee.send("changeHold", {"lifted_on": today()}, **place,
                                           if_match=tag_of(self.committee, "getHold", **place)), self.at(*OPEN),
                       lambda: setattr(self.model, "holds", set()))

    def step_proceeding(self):
        found = [one for one in self.committee.send("listCaseProceedings", id=self.id)["items"]
                 if one["ended_on"] is None]
        if not found:
            self.judge(self.committee.send("addProceeding", new_proceeding(kind="complaint"), id=self.id),
                       self.at(*OPEN), self.fact("proceeding_open", "proceeding_without_contact"))
            return
        place = {"id": self.id, "proceeding_id": found[0]["id"]}
        ends = self.random.random() < 0.6
        change = {"ended_on": today()} if ends else {"contact_made_on": today()}

        def learn():
            self.model.facts.discard("proceeding_without_contact")
            if ends:
                self.model.facts.discard("proceeding_open")
        self.judge(self.committee.send("changeCaseProceeding", change, **place,
                                       if_match=tag_of(self.committee, "getCaseProceeding", **place)),
                   self.at(*OPEN), learn)

    STEPS = ["move", "go_on", "go_on", "go_on", "ask", "answer", "recommend", "decide", "send", "send", "set_up",
             "team", "engage", "find", "report", "ratify", "consider_plan", "publish", "evaluate",
             "agree_to_discontinue", "tell_alternative", "add_action", "work_on_action", "work_on_action", "impact",
             "hold", "proceeding"]

    # Steps that lead out of a stage: most steps are of these, so that walks get far.
    HELPFUL = {"notification": ["go_on"], "information_gathering": ["answer", "go_on"],
               "recommendation": ["recommend", "go_on"], "decision": ["decide", "send", "go_on"],
               "set_up": ["set_up", "team", "proceeding", "go_on"],
               "review": ["engage", "find", "hold", "tell_alternative", "send", "work_on_action", "go_on"],
               "reporting": ["report", "proceeding", "hold", "go_on"], "ratification": ["ratify", "go_on"],
               "implementation": ["consider_plan", "publish", "work_on_action", "go_on"],
               "evaluation": ["evaluate", "impact", "send", "work_on_action", "go_on"], "closed": ["go_on"]}

    def step(self):
        helps = self.random.random() < 0.6
        name = self.random.choice(self.HELPFUL[self.model.stage] if helps else self.STEPS)
        self.done.append(f"{name} in {self.model.stage}")
        getattr(self, f"step_{name}")()
        self.compare()

    def compare(self):
        """Checks that the register shows the same as the model."""
        case = self.committee.send("getCase", id=self.id, query="expand=transitions").expect(200)
        last = self.done[-12:]
        assert (case["stage"], case["decision_outcome"]) == (self.model.stage, self.model.outcome), last
        offered = {(one["to"], one["way"]): {blocker["guard"] for blocker in one["blocked_by"]}
                   for one in case["transitions"]}
        assert offered == self.model.moves(), last
        assert all(one["possible"] == (not one["blocked_by"]) for one in case["transitions"])
        assert case["clock_stopped"] == (self.model.stage in self.model.holds), last
        counts = case["counts"]
        ended = sum(one in ("verified", "not_achieved", "superseded") for one in self.model.actions.values())
        assert (counts["actions"], counts["actions_open"]) == (len(self.model.actions),
                                                               len(self.model.actions) - ended), last
        assert case["version"] >= self.versions
        self.versions = case["version"]


@pytest.fixture(scope="module")
def second(caller):
    return caller("CPC-GLA", "quality-assurance")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_register_and_the_model_agree_at_every_step(committee, second, chief_officers, agency, watch, seed):
    walk = Walk(committee, second, chief_officers, agency, seed)
    for _ in range(STEPS):
        walk.step()
        watch(walk.id)


def test_the_walks_reach_every_stage(committee, second, chief_officers, agency, cluster):
    reached = set(cluster.execute("select distinct stage from register.case_stage"))
    assert {stage for (stage,) in reached} == set(STAGES)
