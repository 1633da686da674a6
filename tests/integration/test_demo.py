"""The demonstration data: shows everything that the register can record, and follows its rules.

The tests load it as deploy/run does, into a separate database.
"""
import collections
import functools
import pathlib
import subprocess

import pytest

import contract_reader
from client import Client
from cluster import DATABASE, Cluster
from service import ROOT, Instance, Secrets

OPERATIONS = contract_reader.operations()
LONGEST_SECONDS = 30  # of processor time; it takes a few on a machine without other work


def load(cluster):
    """Loads the files as one script; returns its output and the processor time."""
    script = "".join(path.read_text() for path in sorted((ROOT / "sql" / "demo").glob("*.sql")))
    script += "\nselect pg_backend_pid() as pid \\gset\n\\setenv PID :pid\n"
    script += "\\! cut -d' ' -f14,15 /proc/$PID/stat\n"
    done = subprocess.run(
        [str(cluster.programs / "psql"), "-X", "-q", "-h", str(cluster.folder), "-U", "postgres", "-d", DATABASE,
         "-f", "-"], input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
        timeout=120)
    lines = done.stdout.decode().splitlines()
    ticks = lines[-1].split() if lines and lines[-1].replace(" ", "").isdigit() else ["0"]
    return lines, sum(map(int, ticks)) / 100


class Demo:
    def __init__(self):
        self.cluster, self.keys = Cluster(), Secrets()
        self.cluster.folder.chmod(0o755)
        self.instance = Instance(self.cluster, self.keys)
        self.said, self.seconds = load(self.cluster)
        self.instance.start()

    def rows(self, statement):
        return self.cluster.execute(statement)

    def client(self, role):
        return Visitor(self.instance.url, self.instance.run("token", "--role", role))

    def remove(self):
        self.instance.stop()
        self.cluster.remove()
        self.keys.remove()


class Visitor(Client):
    """A client that checks every answer against the contract."""

    def __init__(self, url, token):
        super().__init__(url, token, self)
        self.faults, self.answers = collections.Counter(), collections.Counter()

    def add(self, request, reply):
        operation = contract_reader.operation_of("GET", request.target.partition("?")[0])
        self.answers[operation.id, reply.status] += 1
        if reply.status == 200:
            for fault in contract_reader.faults(schema_of(operation.id), reply.json):
                self.faults[operation.id, fault] += 1


@functools.lru_cache(maxsize=None)
def schema_of(operation):
    return contract_reader.validator(
        OPERATIONS[operation].responses["200"]["content"]["application/json"]["schema"])


@pytest.fixture(scope="module")
def demo():
    made = Demo()
    yield made
    made.remove()


def test_it_loads_quickly(demo):
    assert [line for line in demo.said if "ERROR" in line] == []
    assert 0 < demo.seconds <= LONGEST_SECONDS


def test_loading_it_again_changes_nothing(demo):
    before = demo.rows("select count(*), max(updated_at) from review_case")
    said, _ = load(demo.cluster)
    assert "There are cases already: no demonstration data loaded." in said
    assert demo.rows("select count(*), max(updated_at) from review_case") == before
    assert demo.rows("select count(*) from pg_trigger where tgenabled = 'D'") == [(0,)]


# ---- Contents. Each statement must find something; :gla are cases of the committee of the examples.

STAGES = ("notification", "information_gathering", "recommendation", "decision", "set_up", "review", "reporting",
          "ratification", "implementation", "evaluation", "closed")
CLOSURES = ("completed", "did_not_proceed", "alternative_completed", "discontinued", "merged")
DISCONTINUED = [stage for stage in STAGES if stage not in ("decision", "closed")]
FORMS = ("full_report", "executive_summary", "learning_summary", "published_anonymously_elsewhere", "not_published")
ACTIONS = ("proposed", "agreed", "in_progress", "completed", "verified", "not_achieved", "superseded")
TO_SEE = {
    **{f"a case in {one}": f"review_case where {{gla}} and stage = '{one}'" for one in STAGES},
    **{f"a case {one}": f"review_case where {{gla}} and closure = '{one}'" for one in CLOSURES},
    **{f"discontinued from {one}": "case_stage s join case_stage t on t.case_id = s.case_id and t.sequence = "
       f"s.sequence + 1 where s.{{gla}} and s.stage = '{one}' and t.reason = 'discontinued'"
       for one in DISCONTINUED},
    **{f"re-opened for {one}": f"case_stage where {{gla}} and reason = '{one}'"
       for one in ("new_information", "proceedings_ended", "fai_determination", "error")},
    "closed twice": "review_case c where {gla} and stage = 'closed' and 1 < "
                    "(select count(*) from case_stage s where s.case_id = c.id and s.stage = 'closed')",
    **{f"decided: {one}": f"case_decision where {{gla}} and outcome = '{one}'"
       for one in ("proceed", "do_not_proceed", "alternative_review", "more_information")},
    "a decision superseded": "case_decision where {gla} and not current",
    "not decided yet": "review_case where {gla} and stage = 'decision' and decision_outcome is null",
    "a criterion without bearing": "case_decision where cardinality(criteria_no_bearing) > 0",
    "the family waits": "case_decision where {gla} and family_wait_reason is not null",
    "recommended otherwise": "recommendation r join case_decision d using (case_id) where d.current "
                             "and d.outcome <> r.recommended",
    **{f"a request {one}": f"information_request where status = '{one}'"
       for one in ("open", "answered", "nothing_held", "declined", "waived", "withdrawn")},
    "a request overdue": "information_request where {gla} and status = 'open' and due_on < today()",
    "an answer too late": "information_request where {gla} and answered_on > due_on",
    **{f"notices: {one}": f"notice where {{gla}} and kind = '{one}'"
       for one in ("decision", "outcome", "alternative_outcome", "discontinued", "other_committee")},
    **{f"notices to {one}": f"notice where recipient = '{one}' and sent_on is not null"
       for one in ("chief_officers_group", "care_inspectorate", "referrer", "national_hub", "copfs", "scra",
                   "other_committee")},
    "a notice in time": "notice where {gla} and kind = 'outcome' and sent_on <= due_on",
    "a notice too late": "notice where {gla} and kind = 'outcome' and sent_on > due_on",
    "a notice that waits": "notice where {gla} and sent_on is null and withdrawn_on is null",
    "a notice withdrawn": "notice where withdrawn_on is not null",
    "observations": "notice where {gla} and observations is not null",
    "a mandate not agreed": "mandate where agreed_on is null",
    "a chair who handed over": "team_member where role = 'chair' and ended_on is not null",
    **{f"the family {one}": f"family_engagement where response = '{one}'"
       for one in ("took_part", "declined", "no_reply", "not_invited")},
    "the family has not answered": "family_engagement where response is null",
    **{f"practitioners: {one}": f"practitioner_engagement where kind = '{one}'"
       for one in ("individual", "learning_event", "feedback_event", "not_held")},
    "effective practice": "finding where {gla} and kind = 'effective_practice'",
    "no strategy": "report where no_strategies_reason is not null",
    "changes requested": "ratification where {gla} and outcome = 'changes_requested'",
    "ratified": "ratification where {gla} and outcome = 'ratified'",
    **{f"published: {one}": f"publication where {{gla}} and form = '{one}'" for one in FORMS},
    **{f"publication {one}": f"publication p where publication_status(p) = '{one}'"
       for one in ("not_decided", "awaiting_hold", "decided", "published", "not_published", "removed")},
    "a publication for a hold": "publication p where {gla} and publication_status(p) = 'awaiting_hold'",
    "disseminated nationally": "dissemination where {gla} and level = 'national'",
    "a discontinuation with one agreement": "discontinuation where chief_officers_agreed_on is null",
    "an evaluation": "evaluation where {gla}",
    **{f"a hold on {one}": f"case_hold where {{gla}} and lifted_on is null and '{one}' = any (stages)"
       for one in ("set_up", "review")},
    **{f"an open hold on {one}": f"case_hold where {{gla}} and lifted_on is null and '{one}' = any (tracks)"
       for one in ("publication", "dissemination")},
    "a stopped clock": "review_case where {gla} and clock_stopped",
    "a hold lifted": "case_hold where {gla} and lifted_on is not null",
    "holds overlapping": "case_hold a join case_hold b using (case_id) where a.id < b.id and a.stages && b.stages "
                         "and a.held_from < b.lifted_on and b.held_from < a.lifted_on",
    "a due day moved by a hold": "case_stage where {gla} and due_on > original_due_on",
    "a due day revised": "review_case where {gla} and revised_due_on is not null",
    "a hold with a missed review": "case_hold where lifted_on is null and review_on < today()",
    **{f"proceedings {one}": f"proceeding where {{gla}} and position = '{one}'"
       for one in ("no_effect", "may_proceed_in_part", "should_wait")},
    "proceedings open": "proceeding where {gla} and ended_on is null",
    "proceedings ended": "proceeding where {gla} and ended_on is not null",
    **{f"an action {one}": f"action where {{gla}} and status = '{one}'" for one in ACTIONS},
    "an action overdue": "action where {gla} and status in ('agreed', 'in_progress') and due_on < today()",
    "an action slipped": "action where {gla} and due_on > original_due_on",
    "an action late": "action where {gla} and completed_on > original_due_on",
    "an action whose owner asks for more time": "action where {gla} and requested_due_on > due_on",
    **{f"a note for: {one}": f"note where visibility = '{one}'" for one in ("committee", "review_team", "case")},
    "an impact review due": "action where {gla} and impact_review_due_on < today() + 365",
    "a task overdue": "task where {gla} and status = 'open' and due_on < today()",
    "a document released": "document_release where {gla} and withdrawn_on is null",
    "a task done": "task where {gla} and done_on is not null",
    "a dependent action": "action a where {gla} and exists (select from action d where d.id = any (a.depends_on) "
                            "and not action_has_ended(d.status))",
    "an action that replaces another": "action where cardinality(replaces) > 0",
    "an action returned": "action_update where kind = 'returned'",
    "resources refused": "action where resource_issue = 'refused' and cog_note is not null",
    **{f"impact: {one}": f"impact_review where outcome = '{one}'"
       for one in ("achieved", "partly_achieved", "not_achieved", "too_early")},
    **{f"a transfer {one}": f"case_transfer where status = '{one}' and 'GLA' in (from_committee, to_committee)"
       for one in ("proposed", "accepted", "refused", "withdrawn")},
    "a transfer to answer": "case_transfer where status = 'proposed' and to_committee = 'GLA'",
    "a transferred referral": "referral where transferred_from is not null",
    "a joint review": "case_access where {gla} and role = 'joint_committee' and ended_on is null",
    "a part in a joint review": "case_access where organisation = 'CPC-GLA' and ended_on is null",
    "a reviewer with access": "case_access where {gla} and client = 'reviewer-1' and ended_on is null "
                              "and ends_on >= today()",
    "a liaison": "case_access where {gla} and role = 'proceedings_liaison' and ended_on is null",
    "access that ended": "case_access where {gla} and ended_on is not null",
    **{f"the edition {one}": f"review_case where guidance_edition = '{one}' and {two}" for one, two in
       (("scr_2015", "true"), ("child_2021", "true"), ("child_2024", "stage <> 'closed'"))},
    "open cases of an older edition": "review_case where stage <> 'closed' and guidance_edition <> 'child_2024'",
    "past its retention": "review_case c where {gla} and retain_until(c) < today() and not legal_hold",
    "past its retention, held": "review_case c where {gla} and retain_until(c) < today() and legal_hold",
    "a referral past its retention": "referral r where {gla} and referral_retain_until(r) < today()",
    "an anonymous review": "anonymous_review where {gla}",
    "an announced erasure": "erasure where {gla} and status = 'announced' and case_id is not null",
    "an announced erasure of a referral": "erasure where {gla} and status = 'announced' and referral_id is not null",
    "an erasure that was stopped": "erasure where {gla} and status = 'stopped'",
    "a timescale of the committee": "timescale where {gla}",
    "a holiday of the committee": "local_holiday where {gla}",
    "a retention rule of its own": "retention_rule where committee is not null",
    "a pending retention rule": "retention_rule where {gla} and valid_from > today()",
    "a death": "child where {gla} and outcome = 'died' and national_hub_submitted_on is not null",
    **{f"a review {one}": f"review_case where review_type = '{one}'"
       for one in ("single", "sibling_group", "thematic", "joint")},
}


@pytest.mark.parametrize("what", TO_SEE)
def test_it_shows(demo, what):
    statement = TO_SEE[what].format(gla="committee = 'GLA'")
    assert demo.rows(f"select count(*) > 0 from {statement}") == [(True,)]


def test_every_committee_has_a_case(demo):
    assert demo.rows("select code from committee where code not in (select committee from review_case)") == []


# ---- The moves of the cases: each guard's condition was met on the day on which the stage was left.

# c: the case; s: the stage that was left; n: the next one; d: the decision in force then.
OPEN_THEN = "p.started_on <= s.left_on and coalesce(p.ended_on > s.left_on, true)"
IN_TEAM = ("from team_member m where m.case_id = c.id and m.appointed_on <= s.left_on "
           "and coalesce(m.ended_on > s.left_on, true)")
LATER = "exists (select from case_stage z where z.case_id = c.id and z.stage = s.stage and z.sequence > s.sequence)"
REPORT = "exists (select from report r where r.case_id = c.id and {})"
RATIFICATION = ("exists (select from ratification r where r.case_id = c.id and r.stage_sequence = s.sequence "
                "and r.outcome = '{}' and r.decided_on between s.entered_on and s.left_on)")
IN_HINDSIGHT = {
    "child_recorded": "guard_child_recorded(c)",
    "criteria_supported": "guard_criteria_supported(c)",
    "referrers_acknowledged": "not exists (select from referral r where r.case_id = c.id "
                              "and r.decided_on <= s.left_on and coalesce(r.acknowledged_on > s.left_on, true))",
    "information_returned": "not exists (select from information_request r where r.case_id = c.id "
                            "and r.asked_on between s.entered_on and s.left_on "
                            "and (r.status = 'open' or r.answered_on > s.left_on))",
    "recommendation_made": f"{LATER} or exists (select from recommendation r where r.case_id = c.id "
                           "and r.current_circumstances_recorded and r.made_on between s.entered_on and s.left_on)",
    "decision_recorded": "d.visit = s.sequence and d.decided_on between s.entered_on and s.left_on",
    "decided_to_proceed": "d.outcome = 'proceed'",
    "decided_not_to_proceed": "d.outcome = 'do_not_proceed'",
    "decided_alternative_review": "d.outcome = 'alternative_review'",
    "decided_more_information": "d.outcome = 'more_information'",
    "notices_sent": "(select bool_and(coalesce(n.sent_on <= s.left_on, n.withdrawn_on is not null)) "
                    "and bool_or(n.recipient = 'care_inspectorate') and bool_or(n.recipient = 'chief_officers_group') "
                    "from notice n where n.case_id = c.id and n.kind = 'decision' and n.decision_id = d.id)",
    "family_informed": "coalesce(d.family_informed_on <= s.left_on, d.family_wait_reason is not null)",
    "mandate_agreed": "exists (select from mandate m where m.case_id = c.id and m.agreed_on <= s.left_on)",
    "team_appointed": f"(select count(distinct m.role) = 2 {IN_TEAM} and m.role in ('chair', 'reviewer'))",
    "team_multi_agency": f"(select count(distinct m.organisation) > 1 {IN_TEAM})",
    "family_liaison_agreed": "exists (select from family_liaison f where f.case_id = c.id "
                             "and f.strategy_agreed_on <= s.left_on)",
    "staff_support_planned": "guard_staff_support_planned(c)",
    "prosecution_contacted": f"not exists (select from proceeding p where p.case_id = c.id and {OPEN_THEN} "
                             "and coalesce(p.contact_made_on > s.left_on, true))",
    "not_on_hold": "not exists (select from case_hold h where h.case_id = c.id and s.stage = any (h.stages) "
                   "and h.held_from < s.left_on and coalesce(h.lifted_on > s.left_on, true))",
    "practitioners_engaged": "exists (select from practitioner_engagement e where e.case_id = c.id "
                             "and coalesce(e.held_on, scottish_day(e.created_at)) <= s.left_on)",
    "family_invitations_answered": "(select bool_and(e.response is not null and coalesce(e.responded_on "
                                   "<= s.left_on, true)) from family_engagement e where e.case_id = c.id)",
    "learning_recorded": "exists (select from finding f where f.case_id = c.id "
                         "and scottish_day(f.created_at) <= s.left_on)",
    "alternative_outcome_notified": "(select bool_and(n.sent_on <= s.left_on) from notice n where n.case_id = c.id "
                                    "and n.kind = 'alternative_outcome' and n.decision_id = d.id)",
    "report_drafted": REPORT.format("r.drafted_on <= s.left_on") + " and guard_report_drafted(c)",
    "accuracy_checked": REPORT.format("r.accuracy_checked_on <= s.left_on"),
    "report_agreed": f"{LATER} or " + REPORT.format("r.committee_agreed_on between s.entered_on and s.left_on"),
    "findings_or_reason": "guard_findings_or_reason(c)",
    "strategies_or_reason": "guard_strategies_or_reason(c)",
    "prosecution_consulted": f"not exists (select from proceeding p where p.case_id = c.id and {OPEN_THEN}) or "
                             + REPORT.format("r.prosecution_consulted_on <= s.left_on"),
    "report_ratified": RATIFICATION.format("ratified") + " or s.stage = 'closed' and exists (select from ratification r "
                       "where r.case_id = c.id and r.outcome = 'ratified' and r.decided_on <= s.left_on)",
    "changes_requested": RATIFICATION.format("changes_requested"),
    "plan_considered": "exists (select from ratification r where r.case_id = c.id "
                       "and r.plan_considered_on between r.decided_on and s.left_on)",
    "actions_ended": "not exists (select from action a where a.case_id = c.id "
                     "and scottish_day(a.created_at) <= s.left_on "
                     "and (not action_has_ended(a.status) or a.verified_on > s.left_on))",
    "impact_reviewed": "not exists (select from action a where a.case_id = c.id and a.verified_on <= s.left_on "
                       "and not exists (select from impact_review i where i.action_id = a.id "
                       "and i.outcome <> 'too_early' and i.reviewed_on <= s.left_on))",
    "draft_unrestricted": "true",  # a restriction could be set after the draft went to the chief officers
    "publication_decided": "exists (select from publication p where p.case_id = c.id and p.decided_on <= s.left_on)",
    "publication_ended": "exists (select from publication p where p.case_id = c.id and (p.published_on <= s.left_on "
                         "or p.form = 'not_published' and p.decided_on <= s.left_on))",
    "outcome_notified": "exists (select from ratification r join notice n using (case_id) where r.case_id = c.id "
                        "and r.outcome = 'ratified' and n.kind = 'outcome' and n.sent_on between r.decided_on "
                        "and s.left_on)",
    "hub_submitted": "not exists (select from child k where k.case_id = c.id and k.outcome = 'died' "
                     "and coalesce(k.national_hub_submitted_on > s.left_on, true))",
    "evaluation_recorded": f"{LATER} or exists (select from evaluation e where e.case_id = c.id "
                           "and e.evaluated_on between s.entered_on and s.left_on)",
    "discontinuation_agreed": "exists (select from discontinuation x where x.case_id = c.id "
                              "and x.committee_agreed_on <= s.left_on and x.chief_officers_agreed_on <= s.left_on)",
    "not_merged": "c.merged_into is null",
}
MOVES = """
    from review_case c
    join case_stage s on s.case_id = c.id
    join case_stage n on n.case_id = c.id and n.sequence = s.sequence + 1
    left join stage_transition t on t.from_stage = s.stage and t.to_stage = n.stage
        and (t.way = 'discontinue') = (n.reason is not distinct from 'discontinued')
    left join lateral (select * from case_decision x where x.case_id = c.id and x.visit <= s.sequence
        order by x.visit desc limit 1) d on true
"""


def test_every_move_is_one_of_the_guidance(demo):
    assert demo.rows(f"select c.reference, s.stage, n.stage, n.reason {MOVES} where not (n.stage = 'closed' "
                     "and c.closure = 'merged') and (t.to_stage is null or cardinality(t.reasons) > 0 "
                     "and coalesce(n.reason <> all (t.reasons), true) or cardinality(t.reasons) = 0 "
                     "and n.reason is not null or n.entered_on <> s.left_on)") == []


def test_the_last_closure_is_that_of_the_last_move(demo):
    assert demo.rows(f"select c.reference, c.closure, t.closure {MOVES} where n.left_on is null "
                     "and c.closure <> 'merged' and c.closure is distinct from t.closure") == []


def test_all_guards_are_known(demo):
    asked = {code for code, in demo.rows("select distinct unnest(guards) from stage_transition")}
    assert asked - set(IN_HINDSIGHT) == set()


@pytest.mark.parametrize("guard", IN_HINDSIGHT)
def test_each_guard_was_met_when_the_stage_was_left(demo, guard):
    moves = f"{MOVES} where '{guard}' = any (t.guards) and c.closure is distinct from 'merged'"
    assert demo.rows(f"select count(*) > 0 {moves}") == [(True,)]
    assert demo.rows(f"select c.reference, s.stage, s.left_on, n.stage {moves} "
                     f"and not coalesce({IN_HINDSIGHT[guard]}, false)") == []


def test_the_registers_own_guards_are_met_for_the_last_move_of_each_case(demo):
    found = demo.rows(f"""
        select c.reference, s.stage, n.stage, g.code {MOVES}
        cross join lateral jsonb_populate_record(c, jsonb_build_object('stage', s.stage, 'stage_entered_on',
            s.entered_on, 'decision_outcome', d.outcome, 'closed_on', null, 'closure', null)) was
        cross join unnest(t.guards) g(code)
        where n.left_on is null and t.way <> 'return' and c.closure is distinct from 'merged'
            and not guard_holds(was, g.code)""")
    # The clock may be stopped now; the test above checks that it was running then. A restriction may be newer.
    assert [one for one in found if one[3] not in ("not_on_hold", "draft_unrestricted")] == []


# ---- The rules of single rows, as the register itself checks them.

RULES = {
    "referral": ("array(select json_array_elements(referral_faults(jsonb_populate_record(null::referral_input, "
                 "to_jsonb(x)))))", "not exists (select from case_transfer t where t.case_id = x.case_id "
                 "and t.status = 'accepted')"),
    "child": ("child_faults(to_jsonb(x), '')", "true"),
    "case_decision": ("decision_faults(c, x, s.entered_on) || informing_faults(x)",
                      "not exists (select from case_stage y where y.case_id = c.id and y.sequence > x.visit "
                      "and y.stage = 'recommendation')"),
    "recommendation": ("criteria_faults(c, x.recommended, x.criteria_met) || future_fault('', x.made_on)", "true"),
    "proceeding": ("proceeding_faults(x)", "true"),
    "case_hold": ("hold_faults(c, x)", "true"),
    "mandate": ("mandate_faults(c, x)", "true"),
    "team_member": ("team_member_faults(c, x)", "true"),
    "family_liaison": ("review_day_faults('', x.strategy_agreed_on, c) || review_day_faults('', x.leaflet_given_on, "
                       "c)", "true"),
    "family_engagement": ("family_invitation_faults(c, x) || family_answer_faults(c, x)", "true"),
    "practitioner_engagement": ("practitioner_engagement_faults(c, x)", "true"),
    "strategy": ("strategy_faults(c, x)", "true"),
    "report": ("report_faults(c, x, x)", "true"),
    "ratification": ("ratification_faults(x, s.entered_on)", "true"),
    "publication": ("publication_faults(x, (select min(r.decided_on) from ratification r where r.case_id = x.case_id "
                    "and r.outcome = 'ratified'))", "true"),
    "action": ("action_faults(null, x, '') || action_dependency_faults(x, '') "
               "|| early_fault('', x.due_on, c.opened_on, '')", "true"),
    "case_access": ("access_faults(x)", "true"),
}
NO_CASE = {"referral", "child", "proceeding", "case_access"}


@pytest.mark.parametrize("table", RULES)
def test_no_row_breaks_a_rule(demo, table):
    rule, where = RULES[table]
    sequence = {"case_decision": "x.visit", "ratification": "x.stage_sequence"}.get(table, "null")
    found = demo.rows(f"""
        select c.reference, f::text from {table} x left join review_case c on c.id = x.case_id
        left join case_stage s on s.case_id = x.case_id and s.sequence = {sequence}
        cross join unnest({rule}) f where f is not null and {where} limit 5""")
    assert found == []
    assert demo.rows(f"select count(*) > 0 from {table}") == [(True,)]


DAYS = """
    select c.table_name, c.column_name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'register' and t.table_type = 'BASE TABLE' and c.data_type = 'date'
        and c.table_name not like 'statistic_%' -- periods, and days from which something counts
        and c.column_name not in ('due_on', 'original_due_on', 'revised_due_on', 'stage_due_on', 'stage_due_or_never',
            'review_on', 'next_review_on', 'planned_until', 'ends_on', 'target_completion_on', 'intended_on', 'day',
            'requested_due_on', 'impact_review_due_on', 'valid_from', 'not_before')"""


def test_nothing_happened_in_the_future(demo):
    days = demo.rows(DAYS)
    assert len(days) > 40
    assert [(table, column) for table, column in days
            if demo.rows(f"select count(*) from {table} where {column} > today()") != [(0,)]] == []
    instants = demo.rows(DAYS.split("and c.column_name not in")[0].replace("'date'", "'timestamp with time zone'"))
    assert [(table, column) for table, column in instants
            if demo.rows(f"select count(*) from {table} where {column} > now()") != [(0,)]] == []


def test_due_days_equal_the_registers_calculation(demo):
    stages = "select id, due_on, held_since, version from case_stage order by id"
    cases = "select id, stage_due_on, original_due_on, revised_due_on, held_since, version from review_case order by id"
    before = demo.rows(stages), demo.rows(cases)
    demo.rows("select count(case_clock_refresh(id)) from review_case")
    assert (demo.rows(stages), demo.rows(cases)) == before
    assert demo.rows("select reference from review_case c join case_stage s on s.case_id = c.id and s.left_on is null "
                     "where (c.stage, c.stage_entered_on, c.original_due_on) is distinct from (s.stage, s.entered_on, "
                     "s.original_due_on)") == []


def test_due_days_follow_the_timescales(demo):
    assert demo.rows("""
        select c.reference, s.stage, s.entered_on, s.original_due_on
        from review_case c join case_stage s on s.case_id = c.id
        left join lateral stage_timescale(s.stage, right(s.recorded_by, 3), s.entered_on) t on true
        where s.original_due_on is distinct from due_date(s.entered_on, t.amount, t.unit, right(s.recorded_by, 3))
            or (s.amount, s.unit) is distinct from (t.amount, t.unit)""") == []


def test_decisions_are_as_the_register_would_leave_them(demo):
    assert demo.rows("""
        select c.reference from review_case c
        left join case_decision d on d.case_id = c.id and d.current
            and not exists (select from case_stage s where s.case_id = c.id and s.stage = 'information_gathering'
                and s.sequence > d.visit)
        where c.decision_outcome is distinct from d.outcome
        union all select r.reference from referral r join review_case c on c.id = r.case_id
        where (r.case_stage, r.case_decision, r.case_reference) is distinct from (c.stage, c.decision_outcome,
            c.reference)""") == []


def test_notices_go_to_every_recipient_that_the_register_names(demo):
    assert demo.rows("""
        select c.reference, r.recipient from review_case c join case_decision d on d.case_id = c.id
        cross join lateral notice_recipients(jsonb_populate_record(c, jsonb_build_object('decision_outcome',
            d.outcome)), 'decision') r
        where not exists (select from notice n where n.decision_id = d.id and n.kind = 'decision'
            and n.recipient = r.recipient and n.to_organisation = r.organisation and n.withdrawn_on is null)""") == []


def test_nothing_was_published_or_disseminated_while_held(demo):
    held = "h.case_id = x.case_id and {day} >= h.held_from and coalesce({day} < h.lifted_on, true)"
    assert demo.rows("select x.case_id from publication x join case_hold h on "
                     + held.format(day="x.published_on") + " where h.tracks <> '{}' union all "
                     "select x.case_id from dissemination x join case_hold h on "
                     + held.format(day="x.disseminated_on") + " where 'dissemination' = any (h.tracks)") == []


def test_the_dependencies_of_a_complete_action_have_ended(demo):
    assert demo.rows("select a.id from action a join action d on d.id = any (a.depends_on) where a.completed_on "
                     "is not null and (not action_has_ended(d.status) or d.verified_on > a.completed_on)") == []


def test_different_people_wrote_and_checked(demo):
    assert demo.rows("select case_id from publication where anonymisation_checked_by = written_by union all "
                     "select case_id from report where agreed_by = written_by") == []


def test_the_record_of_changes_has_every_row_in_order(demo):
    for table, subject in (("review_case", "case"), ("case_stage", "stage"), ("finding", "finding"),
                           ("notice", "notice"), ("action", "action")):
        assert demo.rows(f"select x.id from {table} x left join (select subject_id, count(*) as times from change "
                         f"where subject = '{subject}' and kind = 'created' group by 1) c on c.subject_id = x.id "
                         f"where c.times is distinct from 1 limit 3") == []
    assert demo.rows("select count(*) from change a join change b on b.id = a.id + 1 "
                     "where b.recorded_at < a.recorded_at") == [(0,)]
    assert demo.rows("select c.reference from review_case c where (select h.changes -> 'stage' ->> 'after' "
                     "from change h where h.subject = 'case' and h.case_id = c.id and h.changes ? 'stage' "
                     "order by h.id desc limit 1) is distinct from c.stage") == []


# ---- Every answer is valid by the contract.

ROLES = ("committee", "records-officer", "committee-member", "chief-officers", "reviewer", "agency", "health", "police",
         "prosecution", "reporter", "inspectorate", "national-hub", "other-committee")
FEED = {"listChanges", "listPresent"}  # endless, and tested elsewhere
CONTENT = {"getDocumentContent", "getReleasedContent"}  # bytes, not JSON
RELEASES = {"listDocumentReleases", "getDocumentRelease"}  # two levels below a case; the recipient reads its own
WEBHOOKS = {"getWebhook", "listDeliveries", "getDelivery"}  # the demonstration has no receiver


def readable(scopes, below=""):
    """Returns the GET operations that these scopes allow at addresses with as many parameters as `below` has, and below
    it."""
    return [one for one in OPERATIONS.values() if one.method == "GET" and one.path.startswith(below or "/v1/")
            and one.id not in FEED | CONTENT and set(one.scopes) <= scopes and one.path.count("{") == below.count("{")]


def look(client, operation, **path):
    """Returns all pages of one operation: its items, or nothing."""
    query = "limit=200" if operation.has_parameter("limit", "query") else None
    reply = client.send(operation.id, query=query, **path)
    assert reply.status == 200 or reply.status == 404 and path, (operation.id, path, reply)
    items = reply["items"] if reply.status == 200 and "items" in reply.json else []
    while reply.status == 200 and reply.json.get("next"):
        reply = client.follow(reply["next"]).expect(200)
        items = items + reply["items"]
    return [item for item in items if isinstance(item, dict)]


def one_of_each(items):
    """Returns one item of each kind: of each stage, closure, status, …"""
    kinds = ("stage", "closure", "kind", "status", "outcome", "clock_stopped")
    return {tuple(str(item.get(member)) for member in kinds): item for item in items}.values()


def look_closer(client, scopes, listing, item, **path):
    """Reads the item itself, below its list and at the target of its link; returns the latter, or nothing."""
    below = [one for one in OPERATIONS.values() if one.method == "GET" and set(one.scopes) <= scopes
             and one.path.rpartition("/{")[0] == listing.path and one.path.endswith("}")]
    for one in below:
        name = one.path.rpartition("{")[2].rstrip("}")
        client.send(one.id, **{**path, name: item.get("id") or item.get("code") or item["name"]}).expect(200)
    address = item.get("links", {}).get("self")
    operation = address and contract_reader.operation_of("GET", address)
    if not operation or not set(operation.scopes) <= scopes:
        return None
    if operation not in below:
        client.request("GET", address).expect(200)
    return operation


def walk_everything(client):
    """Reads every list, one item of each kind in detail, and everything inside those."""
    scopes = set(client.send("getPrincipal").expect(200)["scopes"])
    for operation in readable(scopes):
        for item in one_of_each(look(client, operation)):
            its_own = look_closer(client, scopes, operation, item)
            for inner in readable(scopes, its_own.path + "/") if its_own and "{id}" in its_own.path else ():
                for part in one_of_each(look(client, inner, id=item["id"])):
                    look_closer(client, scopes, inner, part, id=item["id"])
    return scopes


def read_own_figures(client):
    """Reads every table of statistics, in the exact view, for the committee itself."""
    for one in client.send("listStatistics").expect(200)["tables"]:
        client.send("getStatistics", query="view=live&committee=GLA", table=one["table"]).expect(200)


@pytest.mark.parametrize("role", ROLES)
def test_every_document_is_valid_by_the_contract(demo, role):
    client = demo.client(role)
    scopes = walk_everything(client)
    if role == "committee":
        read_own_figures(client)
    assert client.faults == {}
    assert {status for _, status in client.answers} <= {200, 404}
    if role == "committee":
        seen = {operation for operation, status in client.answers if status == 200}
        assert {one.id for one in OPERATIONS.values() if one.method == "GET" and one.scopes
                and set(one.scopes) <= scopes} - seen - FEED - WEBHOOKS - CONTENT - RELEASES == set()


def test_other_organisations_find_their_own_documents(demo):
    assert len(demo.client("agency").send("listInformationRequests", query="status=open").expect(200)["items"]) > 0
    assert len(demo.client("inspectorate").send("listNotices").expect(200)["items"]) > 0
    assert len(demo.client("national-hub").send("listNotices").expect(200)["items"]) > 0
    assert len(demo.client("prosecution").send("listProceedings", query="open=true").expect(200)["items"]) > 0
    assert len(demo.client("reviewer").send("listCases", query="shared=true").expect(200)["items"]) > 0
    assert len(demo.client("chief-officers").send("listCases").expect(200)["items"]) > 0
