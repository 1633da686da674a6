"""A model of one case: the rules of the guidance, written independently of the register.

The model has facts (sets of words) and knows which facts each move requires. It shares nothing with the register but
the names of stages and guards.
"""

STAGES = ["notification", "information_gathering", "recommendation", "decision", "set_up", "review", "reporting",
          "ratification", "implementation", "evaluation", "closed"]
OPEN = STAGES[:-1]
AFTER_DECISION = STAGES[4:10]
PROCEEDING = STAGES[4:10]


class Model:
    def __init__(self, stage="notification"):
        self.stage = stage
        self.outcome = None            # of the current decision
        self.facts = set()
        self.waiting = {"decision": False, "outcome": False, "alternative_outcome": False}
        self.told = set()              # outcomes that notices of the current decision have reported
        self.told_outcome = self.told_alternative = False
        self.visits = self.decision = 0  # visits of the stage decision, and the visit of the current decision
        self.told_by = None            # the decision whose outcome was reported
        self.requests = 0              # open information requests
        self.holds = set()             # stages of open holds
        self.actions = {}              # id -> status
        self.impact = set()            # verified actions whose impact is known
        self.ratification = None       # of the current report
        self.plan_considered = False
        # These count from a day on (the entry into the stage, the last re-opening); in a walk everything happens on one
        # day.
        self.evaluated = self.discontinuation = False

    def missing(self, to, way):
        """Returns the guards that block a move; None when there is no such move."""
        needs = self._moves().get((to, way))
        return None if needs is None else {guard for guard, held in needs.items() if not held}

    def moves(self):
        return {move: self.missing(*move) for move in self._moves()}

    def _decided(self, outcome, *more):
        return {"decision_recorded": self.outcome is not None, f"decided_{outcome}": self._is(outcome),
                **{guard: True for guard in more}}

    def _is(self, outcome):
        return self.outcome == {"to_proceed": "proceed", "not_to_proceed": "do_not_proceed"}.get(outcome, outcome)

    def _has(self, *facts):
        return {fact: fact in self.facts for fact in facts}

    def _ended(self):
        return {"actions_ended": all(status in ("verified", "not_achieved", "superseded")
                                     for status in self.actions.values())}

    def _moves(self):
        told = {"notices_sent": not self.waiting["decision"], "family_informed": "decided_ever" in self.facts}
        not_held = {"not_on_hold": self.stage not in self.holds}
        stop = {("closed", "discontinue"): {"discontinuation_agreed": self.discontinuation}
                if self.stage in AFTER_DECISION else {}}
        forward = {
            "notification": {("information_gathering", "ordinary"): {}},
            "information_gathering": {("recommendation", "ordinary"): {
                "information_returned": self.requests == 0}},
            "recommendation": {("decision", "ordinary"): self._has("recommendation_made")},
            "decision": {
                ("information_gathering", "return"): self._decided("more_information"),
                ("set_up", "ordinary"): {**self._decided("to_proceed"), **told},
                ("review", "ordinary"): {**self._decided("alternative_review"), **told},
                ("closed", "ordinary"): {**self._decided("not_to_proceed"), **told, "hub_submitted": True}},
            "set_up": {("review", "ordinary"): {
                **self._has("mandate_agreed", "staff_support_planned", "team_appointed", "team_multi_agency",
                            "family_liaison_agreed"),
                "prosecution_contacted": "proceeding_without_contact" not in self.facts}},
            "review": {
                ("reporting", "ordinary"): {
                    "decided_to_proceed": self._is("to_proceed"), **not_held,
                    **self._has("practitioners_engaged", "family_invitations_answered")},
                ("closed", "ordinary"): {
                    "decided_alternative_review": self._is("alternative_review"),
                    **self._has("learning_recorded"), **self._ended(),
                    "alternative_outcome_notified":
                        self.told_alternative and not self.waiting["alternative_outcome"]}},
            "reporting": {("ratification", "ordinary"): {
                **self._has("report_drafted", "accuracy_checked", "report_agreed", "strategies_or_reason"),
                "findings_or_reason": "learning_recorded" in self.facts,
                "prosecution_consulted": "proceeding_open" not in self.facts, "draft_unrestricted": True,
                **not_held}},
            "ratification": {
                ("reporting", "return"): {"changes_requested": self.ratification == "changes_requested"},
                ("implementation", "ordinary"): {"report_ratified": self.ratification == "ratified"}},
            "implementation": {("evaluation", "ordinary"): {
                "plan_considered": self.plan_considered, **self._has("publication_decided"), **self._ended()}},
            "evaluation": {("closed", "ordinary"): {
                **self._ended(), **self._has("publication_ended"), "hub_submitted": True,
                "impact_reviewed": all(
                    status != "verified" or one in self.impact for one, status in self.actions.items()),
                "evaluation_recorded": self.evaluated,
                "outcome_notified": self.told_outcome and not self.waiting["outcome"]}},
            "closed": {(stage, "reopen"): {"not_merged": True, **(
                {} if stage in ("information_gathering", "decision")
                else {"decided_to_proceed": self._is("to_proceed")}), **(
                {"report_ratified": self.ratification == "ratified"} if stage == "implementation" else {})}
                for stage in ("information_gathering", "decision", "set_up", "review", "reporting",
                              "implementation")},
        }[self.stage]
        return forward if self.stage in ("decision", "closed") else {**forward, **stop}

    # ---- Events.

    def moved(self, to, way):
        if to == "information_gathering":
            self.outcome = None
        if way == "reopen":
            self.facts.discard("recommendation_made")
        if to == "decision":
            self.told = set()
            self.visits += 1
        if to == "reporting":
            self.facts.discard("report_agreed")
            self.ratification, self.plan_considered = None, False
        if to == "closed":
            self.requests = 0
            if way == "discontinue":
                self.facts.add("discontinued_notices")
        self.stage = to

    def decided(self, outcome):
        self.outcome = outcome
        self.decision = self.visits
        self.facts.add("decided_ever")
        # A pending notice reports the current outcome; an outcome that this decision has already reported is not
        # reported again.
        self.waiting["decision"] = outcome != "more_information" and (
            self.waiting["decision"] or outcome not in self.told)
        self.told_alternative = False

    def ratified(self, outcome):
        self.ratification, self.plan_considered = outcome, False
        if outcome == "ratified":
            # On the same day and for the same decision there is nothing new to report.
            self.waiting["outcome"] = self.waiting["outcome"] or self.told_by != self.decision
            self.told_outcome = not self.waiting["outcome"]

    def sent(self):
        if self.waiting["decision"]:
            self.told.add(self.outcome)
        if self.waiting["outcome"]:
            self.told_outcome, self.told_by = True, self.decision
        self.told_alternative = self.told_alternative or self.waiting["alternative_outcome"]
        self.waiting = dict.fromkeys(self.waiting, False)
