"""Random ways through the process, valid and invalid, held against a model at every step."""
import concurrent.futures
import os
import random

import pytest

from documents import (changes_requested, completion, family_answer, new_action, new_case, new_decision,
                       new_discontinuation, new_evaluation, new_family_engagement, new_family_liaison, new_finding,
                       new_hold, new_impact_review, new_mandate, new_plan_consideration,
                       new_practitioner_engagement, new_proceeding, new_ratification, new_recommendation, new_report,
                       new_request, new_strategy, new_team_member, not_published, today, verification, DECISIONS)
from model import AFTER_DECISION, OPEN, PROCEEDING, STAGES, Model
from steps import move, send_notices, tag_of

STEPS = int(os.environ.get("LR_PROPERTY_STEPS", "150"))
SEEDS = range(int(os.environ.get("LR_PROPERTY_SEEDS", "16")))
REASONS = {"discontinue": "discontinued", "reopen": "new_information"}


class Walk:
    """One case of the register and its model, taken the same random way."""

    def __init__(self, committee, second, officers, agency, seed):
        self.committee, self.second, self.officers, self.agency = committee, second, officers, agency
        self.random = random.Random(seed)
        self.model = Model()
        self.id = committee.send("openCase", new_case(opened_on=today())).needed(201)["id"]
        self.done = []
        self.versions = 0

    # Each step returns the reply and whether the model says that it is accepted; it tells the model when it was.

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
            return  # who was told may be completed there
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
                       lambda: setattr(self.model, "impact", True))

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

    # What leads on from a stage: most steps are of these, so that walks get far.
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
        """The register shows what the model says."""
        case = self.committee.send("getCase", id=self.id, query="expand=transitions").needed(200)
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
def test_the_register_and_the_model_agree_at_every_step(committee, second, chief_officers, agency, cluster, seed):
    walk = Walk(committee, second, chief_officers, agency, seed)
    for _ in range(STEPS):
        walk.step()
    assert_invariants(cluster, walk.id)


def assert_invariants(cluster, case_id):
    """What holds whatever happened, asked of the database itself."""
    stages = cluster.execute("""select sequence, entered_on, left_on from register.case_stage
        where case_id = %s order by sequence""", (case_id,))
    assert [one[0] for one in stages] == list(range(1, len(stages) + 1))
    assert all(before[2] == after[1] for before, after in zip(stages, stages[1:]))
    assert stages[-1][2] is None
    assert cluster.execute("""select (stage = 'closed') = (closed_on is not null), (stage = 'closed') = (closure is not null)
        from register.review_case where id = %s""", (case_id,)) == [(True, True)]
    assert cluster.execute("""select count(*) from register.action where case_id = %s and status = 'verified'
        and (evidence is null or completed_on is null or verified_on < completed_on)""", (case_id,)) == [(0,)]
    assert cluster.execute("""select count(*) filter (where current) <= 1 from register.case_decision
        where case_id = %s""", (case_id,)) == [(True,)]
    assert_replayable(cluster, case_id)


def assert_replayable(cluster, case_id):
    """Folding the record of changes gives the present row: nothing was rewritten silently."""
    for table, subject, key in (("review_case", "case", "id"), ("action", "action", "case_id"),
                                ("case_stage", "stage", "case_id"), ("report", "report", "case_id")):
        rows = cluster.execute(f"select coalesce(to_jsonb(t) ->> 'id', to_jsonb(t) ->> 'case_id'), to_jsonb(t) "
                               f"from register.{table} t where {key} = %s", (case_id,))
        for subject_id, row in rows:
            folded = {}
            for (changes,) in cluster.execute("select changes from register.change where case_id = %s "
                                              "and subject = %s and subject_id = %s order by id",
                                              (case_id, subject, subject_id)):
                for member, change in changes.items():
                    assert folded.get(member) == change["before"], (table, member)
                    folded[member] = change["after"]
            assert folded == {**folded, **{member: row[member] for member in folded}}, table
            unrecorded = {member for member, value in row.items() if value is not None and member not in folded}
            assert unrecorded <= {"id", "committee", "case_id", "version", "created_at", "updated_at", "recorded_at",
                                  "recorded_by", "stage_due_or_never"}, (table, unrecorded)


def test_the_walks_reach_every_stage(committee, second, chief_officers, agency, cluster):
    reached = set(cluster.execute("select distinct stage from register.case_stage"))
    assert {stage for (stage,) in reached} == set(STAGES)


@pytest.mark.parametrize("stage, to", [("notification", "information_gathering"), ("decision", "closed")])
def test_of_many_who_move_a_case_at_once_one_wins(committee, cluster, stage, to):
    case_id = committee.send("openCase", new_case()).needed(201)["id"]
    if stage == "decision":
        for nearer in ("information_gathering", "recommendation"):
            move(committee, case_id, nearer).needed(201)
        committee.send("putRecommendation", new_recommendation(), id=case_id, none_match="*").needed(201)
        move(committee, case_id, "decision").needed(201)
        committee.send("putDecision", new_decision(outcome="do_not_proceed", criteria_met=[],
                                                   reasons=["criteria_not_met"]), id=case_id,
                       none_match="*").needed(201)
        send_notices(committee, case_id)
    tag = tag_of(committee, "getCase", id=case_id)
    with concurrent.futures.ThreadPoolExecutor(8) as crowd:
        statuses = [one.status for one in crowd.map(
            lambda _: move(committee, case_id, to, if_match=tag), range(8))]
    assert sorted(statuses) == [201] + [412] * 7
    assert_invariants(cluster, case_id)
