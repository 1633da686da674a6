"""The members of requests: a response and a later read show each member exactly as a request set it.

Two tables hold the values. RESOURCES has the documents that make a resource; CHANGES has the changes of one or a few
members, each made alone and then undone. A new member of the contract needs one line in each table: two tests compare
the tables with the contract.
"""
import collections
import functools
import re

import pytest

import contract_reader
from payloads import (days_ago, days_ahead, full_child, full_referral, new_access, new_action, new_case, new_decision,
                      new_discontinuation, new_document, new_evaluation, new_family_engagement, new_family_liaison, new_finding,
                      new_hold, new_mandate, new_note, new_practitioner_engagement, new_proceeding,
                      new_recommendation, new_report, new_strategy, new_task, new_team_member, new_transfer, not_held,
                      today)
from scenarios import advance, make_case, move, prepare, tag_of

OPERATIONS = contract_reader.operations()
# Members that the service itself changes with each change.
OWN = {"version", "etag", "updated_at"}
# The register stores only keyed hashes of the identifiers of a child, and shows these.
IDENTIFIERS = {"child_id", "family_id", "child_ref", "family_ref"}

Made = collections.namedtuple("Made", "operation")  # represents the identifier of a new resource of the same case
EXCHANGE = {"exchanged_on": days_ago(8), "direction": "given", "material": "chronology"}

# The documents that make a resource, by operation. CHANGES starts from the first of them; Made takes the last.
RESOURCES = {
    "pushReferral": [functools.partial(full_referral, committee="CLS", local_authority="S12000030")],
    "openCase": [functools.partial(new_case, summary="Found by an audit.", review_type="joint",
                                   guidance_edition="child_2021", children=[full_child()])],
    "addChild": [full_child],
    "addProceeding": [
        functools.partial(new_proceeding, contact_made_on=days_ago(9), contact_with="prosecution",
                          liaison_meeting_on=days_ago(8), exchanges=[EXCHANGE], note="The trial is in May."),
        functools.partial(new_proceeding, ended_on=days_ago(1)),
        new_proceeding],
    "addHold": [
        functools.partial(new_hold, tracks=["publication"], held_from=days_ago(3), planned_until=days_ahead(30),
                          reason_text="The prosecution asked for it.", proceeding_id=Made("addProceeding")),
        functools.partial(new_hold, lifted_on=today())],
    "addTeamMember": [functools.partial(new_team_member, client="reviewer-7", skills="Reviews of neglect.",
                                        prior_involvement=True, manages_practitioners=True,
                                        conflict_statement_on=days_ago(2))],
    "addFamilyEngagement": [
        functools.partial(new_family_engagement, invited_on=days_ago(6), response="took_part", method="meeting",
                          responded_on=days_ago(5), views_taken_on=days_ago(4),
                          feedback_before_publication_on=days_ago(3)),
        functools.partial(new_family_engagement, invited_on=None, not_invited_reason="The address is not known.",
                          response="not_invited"),
        functools.partial(new_family_engagement, response="declined", responded_on=today(),
                          response_reason="The loss is too recent.")],
    "addPractitionerEngagement": [functools.partial(new_practitioner_engagement, held_on=days_ago(3)), not_held],
    "addFinding": [new_finding],
    "addStrategy": [functools.partial(new_strategy, learning_orientation="Joint sessions.",
                                      findings=[Made("addFinding")])],
    "addDocument": [functools.partial(new_document, replaces=Made("addDocument")), new_document],
    "addNote": [new_note],
    "addTask": [functools.partial(new_task, details="For sixty people.")],
    "createAction": [
        functools.partial(new_action, status="proposed", priority="high", scope="national",
                          resource_issue="raised_with_cog", cog_note="A post is needed.",
                          strategy_id=Made("addStrategy"), owner_role="head_of_service", contributors=["POL-G"],
                          depends_on=[Made("createAction")]),
        new_action],
    "putRecommendation": [functools.partial(new_recommendation, support_needed="A worker for the family.",
                                            proposed_scope="The two years before the death.")],
    "putEvaluation": [functools.partial(new_evaluation, next_review_on=days_ahead(90))],
    "putMandate": [functools.partial(new_mandate, budget_pounds=12000)],
    "putFamilyLiaison": [functools.partial(new_family_liaison, note="The family asked for one contact.",
                                           interpreter_needed=True, advocacy_needed=True)],
    "putDecision": [
        functools.partial(new_decision, outcome="alternative_review", reasons=["better_met_by_other_review"],
                          alternative_kind="case_file_audit", alternative_owner="HB-S08000031",
                          criteria_no_bearing=["care_experienced"], no_bearing_reason="The placement had ended.",
                          note="Decided at a special meeting.", chief_officers_informed_on=today()),
        functools.partial(new_decision, family_wait_reason=None, family_informed_on=today())],
    "putReport": [functools.partial(
        new_report, drafted_on=days_ago(1), family_feedback_on=today(), prosecution_consulted_on=today(),
        no_findings_reason="Nothing was left to learn.", no_strategies_reason="The practice has changed already.",
        delay_reasons=["capacity"], document_digest="0123456789abcdef" * 4)],
    "putDiscontinuation": [new_discontinuation],
    "grantAccess": [new_access],
}

# Stage of the case in which an operation is possible; the others are possible in the stage review.
STAGES = {"putRecommendation": "recommendation",
          "putDecision": "decision", "putReport": "reporting", "putEvaluation": "evaluation"}

# Members that are optional in the contract, and that the rules require for the rest of the shortest document.
REQUIRED_BY_RULES = {
    "addProceeding": {"review_on"}, "addHold": {"stages"}, "addFamilyEngagement": {"invited_on"},
    "addPractitionerEngagement": {"held_on", "participants_count", "organisations"},
    "pushReferral": {"passed_to_organisation"}, "putRecommendation": {"criteria_met"},
    "putDecision": {"reasons", "alternative_kind", "alternative_owner", "family_wait_reason"},
    "grantAccess": {"client_id", "ends_on"},
}

# Members that the response does not show: a case shows its children only when it is expanded.
NOT_SHOWN = {"openCase": {"children"}}

PROCEEDING_CHANGES = [
    {"kind": "complaint"},
    {"started_on": days_ago(21)},
    {"ended_on": days_ago(1)},
    {"contact_made_on": days_ago(10)},
    {"contact_made_on": None},
    {"contact_with": "police"},
    {"contact_with": None},
    {"liaison_meeting_on": days_ago(7)},
    {"liaison_meeting_on": None},
    {"position": "may_proceed_in_part"},
    {"position": "no_effect", "restrictions": [], "review_on": None},
    {"agreed_with": ["POL-G", "COPFS"]},
    {"agreed_with": []},
    {"restrictions": ["no_publication", "no_draft_circulation"]},
    {"permitted": ["drafting", "practitioner_sessions"]},
    {"exchanges": [EXCHANGE, {"exchanged_on": days_ago(2), "direction": "received", "material": "statements"}]},
    {"exchanges": []},
    {"review_on": days_ahead(70)},
    {"note": "The trial was postponed."},
    {"note": None},
]

# By operation: the operation that makes the resource, and the changes. Each differs from the document of RESOURCES.
CHANGES = {
    "changeReferral": ("pushReferral", [
        {"source_role": "cpc_member"},
        {"local_authority": "S12000005"},
        {"notified_on": days_ago(4)},
        {"aware_on": days_ago(9)},
        {"incident_on": days_ago(11)},
        {"incident_on": None},
        {"incident_kind": "accumulation"},
        {"children": [full_child(sex="male"), full_child(age_band="under_1", age_years=0)]},
        {"criteria_claimed": ["care_experienced"]},
        {"basis": "A better outline of the same events."},
        {"immediate_concerns": "acted_on"},
        {"immediate_concerns": "none", "passed_to_organisation": None},
        {"passed_to_organisation": "HB-S08000031"},
        {"agencies_involved": ["third_sector"]},
        {"agencies_involved": []},
        {"parallel_processes": ["complaint", "mappa_review"]},
        {"parallel_processes": []},
        {"other_committees": ["FIF", "GLA"]},
        {"other_committees": []},
        {"discussed_with_partners": False},
        {"guidance_edition": "child_2024"},
    ]),
    "changeCase": ("openCase", [
        {"review_type": "thematic"},
        {"criteria": ["care_experienced", "child_protection_register"]},
        {"summary": "Found by a complaint."},
        {"summary": None},
    ]),
    "changeChild": ("addChild", [
        {"outcome": "significant_harm", "cause_of_death_group": None},
        {"age_band": "11_15", "age_years": 12},
        {"age_band": "16_17", "age_years": None},
        {"age_years": 8},
        {"age_years": None},
        {"sex": "male"},
        {"ethnic_group": "african"},
        {"disability": "no"},
        {"legal_status": "aftercare"},
        {"register_status": "previous"},
        {"siblings_count_band": "3_plus"},
        {"siblings_count_band": None},
        {"known_to": ["third_sector", "childrens_reporter"]},
        {"known_to": []},
        {"cause_of_death_group": "accident"},
        {"cause_of_death_group": None},
        {"harm_types": ["online_harm"]},
        {"harm_types": []},
        {"carm": False},
        {"national_hub_submitted_on": days_ago(1)},
    ]),
    "changeProceeding": ("addProceeding", PROCEEDING_CHANGES),
    "changeCaseProceeding": ("addProceeding", PROCEEDING_CHANGES),
    "changeHold": ("addHold", [
        {"stages": ["reporting", "ratification"]},
        {"stages": []},
        {"tracks": ["dissemination"]},
        {"tracks": []},
        {"held_from": days_ago(2)},
        {"planned_until": days_ahead(40)},
        {"planned_until": None},
        {"reason": "other"},
        {"reason_text": "The witnesses need protection."},
        {"reason_text": None},
        {"agreed_with": ["POL-G", "CI"]},
        {"review_on": days_ahead(70)},
        {"lifted_on": days_ago(1)},
    ]),
    "changeTeamMember": ("addTeamMember", [
        {"skills": "Reviews of deaths."},
        {"skills": None},
        {"prior_involvement": False},
        {"manages_practitioners": False},
        {"conflict_statement_on": days_ago(1)},
        {"conflict_statement_on": None},
        {"role": "expert_adviser"},
        {"organisation": "POL-G"},
        {"client": "reviewer-8"},
        {"client": None},
        {"independence": "other_scottish_area"},
        {"appointed_on": days_ago(2)},
        {"ended_on": today()},
        {"ended_on": today(), "ended_reason": "Took up another post."},
    ]),
    "changeFamilyEngagement": ("addFamilyEngagement", [
        {"relation": "carer"},
        {"invited_on": days_ago(7)},
        {"invited_on": None, "not_invited_reason": "The address is not known.", "response": "not_invited",
         "responded_on": None, "views_taken_on": None},
        {"response": None, "responded_on": None, "views_taken_on": None},
        {"response": "declined", "response_reason": "The loss is too recent.", "views_taken_on": None},
        {"responded_on": days_ago(4)},
        {"method": "video"},
        {"method": None, "views_taken_on": None},
        {"views_taken_on": days_ago(5)},
        {"feedback_before_publication_on": days_ago(2)},
        {"feedback_before_publication_on": None},
    ]),
    "changePractitionerEngagement": ("addPractitionerEngagement", [
        {"kind": "individual"},
        {"held_on": days_ago(2)},
        {"organisations": ["POL-G"]},
        {"participants_count": 16},
        {"kind": "not_held", "held_on": None, "participants_count": None, "reason": "All are witnesses."},
        {"support_offered": False},
    ]),
    "changeFinding": ("addFinding", [
        {"kind": "effective_practice"},
        {"statement": "One worker saw the whole history."},
        {"practice_area": "good_practice"},
        {"themes": ["supervision_and_oversight", "child_voice"]},
        {"themes": []},
        {"factors": ["housing", "isolation"]},
        {"factors": []},
    ]),
    "changeStrategy": ("addStrategy", [
        {"case_for_change": "Nobody had the whole history."},
        {"learning_orientation": "A shared exercise."},
        {"learning_orientation": None},
        {"evidence": "A study of four areas."},
        {"responsible_organisation": "HB-S08000031"},
        {"review_on": days_ahead(300)},
        {"findings": [Made("addFinding"), Made("addFinding")]},
        {"findings": []},
    ]),
    "changeNote": ("addNote", [{"text": "The health board sends its chronology by Monday."}]),
    "changeTask": ("addTask", [
        {"title": "Book two rooms"},
        {"details": "For eighty people."},
        {"details": None},
        {"owner_role": "lead_officer"},
        {"due_on": days_ahead(9)},
        {"status": "done"},
    ]),
    "changeAction": ("createAction", [
        {"title": "Agree on one chronology"},
        {"owner_organisation": "HB-S08000031", "owner_accepted_on": days_ago(1)},
        {"due_on": days_ahead(80)},
        {"success_measure": "All files have one chronology."},
        {"success_measure": None},
        {"themes": ["thresholds", "transitions"]},
        {"themes": []},
        {"priority": "low"},
        {"scope": "local"},
        {"resource_issue": "refused"},
        {"cog_note": "The post is refused."},
        {"cog_note": None},
        {"strategy_id": Made("addStrategy")},
        {"strategy_id": None},
        {"owner_role": "team_leader"},
        {"owner_role": None},
        {"contributors": ["HB-S08000031", "COPFS"]},
        {"contributors": []},
        {"owner_accepted_on": days_ago(1)},
        {"owner_accepted_on": None},
        {"depends_on": [Made("createAction"), Made("createAction")]},
        {"depends_on": []},
    ]),
}

# Members of a change that the resource does not have, or that no later change can undo. test_actions.py tests them.
TESTED_ELSEWHERE = {"changeAction": {"status", "reason", "due_change_reason"}}

# Members that the service derives from a changed one, and that change with it.
DERIVED = {("changeAction", "due_on"): {"slippage_days": -10},
           ("changeTask", "status"): {"done_on": today()}}


def schema_of(operation):
    body = OPERATIONS[operation].body["content"]
    return contract_reader.inline(next(iter(body.values()))["schema"])


def allows_null(schema):
    return "null" in schema.get("type", ())


def comparable(value):
    """A value without the members that differ between a request and its response, or with each change."""
    if isinstance(value, dict):
        return {name: comparable(one) for name, one in value.items() if name not in IDENTIFIERS | OWN}
    return [comparable(one) for one in value] if isinstance(value, list) else value


class Maker:
    """Makes resources with the documents of RESOURCES."""

    def __init__(self, agency, committee):
        self.agency, self.committee, self.cases = agency, committee, {}

    def client(self, operation):
        return self.agency if operation == "pushReferral" else self.committee

    def case(self, stage):
        """A case in the stage; the decision of each is some days old, so that the days of a review can differ."""
        if stage not in self.cases:
            case = make_case(self.committee)
            for early in ("information_gathering", "recommendation", "decision"):
                if case["stage"] != stage:
                    prepare(self.committee, case)
                    case = move(self.committee, case["id"], early, occurred_on=days_ago(9)).expect(201).json
            self.cases[stage] = case if case["stage"] == stage else advance(self.committee, case, stage)
        return self.cases[stage]

    def path(self, operation):
        """The values of the places in the address that makes a resource."""
        return {"id": self.case(STAGES.get(operation, "review"))["id"]} if "{" in OPERATIONS[operation].path else {}

    def resolved(self, value):
        """The value with identifiers of new resources in the places of Made."""
        if isinstance(value, Made):
            return self.make(value.operation, RESOURCES[value.operation][-1]())["id"]
        if isinstance(value, dict):
            return {name: self.resolved(one) for name, one in value.items()}
        return [self.resolved(one) for one in value] if isinstance(value, list) else value

    def send(self, operation, document):
        """Makes a resource, or replaces the one of the case; returns the response."""
        client, path = self.client(operation), self.path(operation)
        condition = {}
        if OPERATIONS[operation].method == "PUT":
            present = client.send(reading(operation), **path)
            condition = {"if_match": present.etag} if present.status == 200 else {"none_match": "*"}
        return client.send(operation, document, **path, **condition)

    def make(self, operation, document):
        return self.send(operation, self.resolved(document)).expect(200, 201)

    def read(self, operation, reply):
        """The resource that an operation made."""
        client = self.client(operation)
        if "Location" in reply.headers:
            return client.request("GET", reply.headers["Location"]).expect(200)
        return client.send(reading(operation), **self.path(operation)).expect(200)


def reading(operation):
    """The operation that reads at the address of another one."""
    return contract_reader.operation_of("GET", OPERATIONS[operation].path).id


@pytest.fixture(scope="module")
def maker(agency, committee):
    return Maker(agency, committee)


@pytest.mark.parametrize("operation, build", [
    pytest.param(name, build, id=f"{name}-{number}") for name, builds in RESOURCES.items()
    for number, build in enumerate(builds)])
def test_a_new_resource_shows_each_member_as_it_was_sent(maker, operation, build):
    sent = maker.resolved(build())
    reply = maker.send(operation, sent)
    assert reply.status in (200, 201)
    hidden = IDENTIFIERS | NOT_SHOWN.get(operation, set())
    expected = {name: comparable(value) for name, value in sent.items() if name not in hidden}
    assert {name: comparable(reply.json.get(name, "not shown")) for name in expected} == expected
    assert maker.read(operation, reply).json == reply.json


@pytest.mark.parametrize("operation", RESOURCES)
def test_a_member_that_was_not_sent_has_the_default_of_the_contract(maker, operation):
    schema, document = schema_of(operation), maker.resolved(RESOURCES[operation][0]())
    kept = {*schema["required"], *REQUIRED_BY_RULES.get(operation, ())}
    reply = maker.send(operation, {name: value for name, value in document.items() if name in kept})
    assert reply.status in (200, 201)
    shown = schema["properties"].keys() - kept - IDENTIFIERS - NOT_SHOWN.get(operation, set())
    defaults = {name: contract_reader.defaults_of(schema)[name] for name in shown}
    assert {name: reply.json.get(name, "not shown") for name in defaults} == defaults
    assert maker.read(operation, reply).json == reply.json


@pytest.fixture(scope="module")
def changeable(maker):
    """The resource that the changes of an operation start from: its document, and the places in its address."""
    made = {}

    def start(operation):
        if operation not in made:
            origin = CHANGES[operation][0]
            document = maker.resolved(RESOURCES[origin][0]())
            reply = maker.send(origin, document).expect(201)
            places = re.findall(r"\{(\w+)\}", OPERATIONS[operation].path)
            made[operation] = (document, {"id": reply.json.get("case_id"), places[-1]: reply["id"]})
        return made[operation]
    return start


@pytest.mark.parametrize("operation, change", [
    pytest.param(name, change, id=f"{name}-{'-'.join(change)}") for name, (_, changes) in CHANGES.items()
    for change in changes])
def test_a_change_sets_its_members_and_no_others(maker, changeable, operation, change):
    document, path = changeable(operation)
    client, read = maker.client(CHANGES[operation][0]), reading(operation)

    def send(members, tag):
        reply = client.send(operation, members, **path, if_match=tag)
        assert reply.status == 200
        assert client.send(read, **path).expect(200).json == reply.json
        return reply.json

    sent = maker.resolved(change)
    before = client.send(read, **path).expect(200).json
    assert all(comparable(before[name]) != comparable(value) for name, value in sent.items())
    derived = [DERIVED.get((operation, name), {}) for name in sent]
    after = send(sent, before["etag"])
    assert comparable(after) == comparable(dict(collections.ChainMap(*derived, sent, before)))
    undone = send({name: document.get(name, before[name]) for name in sent}, after["etag"])
    assert comparable(undone) == comparable(before)


def values_of(operation):
    """All values of each member of the changes of an operation, with the one that they start from."""
    origin, changes = CHANGES[operation]
    values, start = collections.defaultdict(list), RESOURCES[origin][0]()
    for change in changes:
        for name, value in change.items():
            values[name] += [value, start.get(name)]
    return values


@pytest.mark.parametrize("operation", CHANGES)
def test_the_table_has_each_member_of_a_change_and_each_null(operation):
    properties = schema_of(operation)["properties"]
    values = values_of(operation)
    assert set(properties) - TESTED_ELSEWHERE.get(operation, set()) == set(values)
    assert [name for name in values if None not in values[name] and allows_null(properties[name])] == []


@pytest.mark.parametrize("operation", RESOURCES)
def test_the_table_has_each_member_of_a_new_resource(operation):
    """With a value that is not the default."""
    properties = schema_of(operation)["properties"]
    set_in_table = {name for build in RESOURCES[operation] for name, value in build().items()
                    if value != properties[name].get("default", "none")}
    assert set_in_table == set(properties)


def test_the_stage_that_a_case_enters_shows_the_note_of_the_transition(committee):
    case, note = make_case(committee), "All referrers were thanked."
    sent = {"to": "information_gathering", "occurred_on": days_ago(2), "note": note}
    committee.send("moveCase", sent, id=case["id"], if_match=tag_of(committee, "getCase", id=case["id"])).expect(201)
    stages = committee.send("listCaseStages", id=case["id"]).expect(200)["items"]
    assert [(one["stage"], one["entered_on"], one["note"]) for one in stages] == [
        ("notification", case["opened_on"], None), ("information_gathering", days_ago(2), note)]


def test_both_committees_see_the_answer_of_an_accepted_transfer(committee, other_committee):
    case, answer = make_case(committee), "The family lives here now."
    transfer = committee.send("proposeTransfer", new_transfer(), id=case["id"]).expect(201)
    sent = {"decided_on": today(), "local_authority": "S12000036", "answer": answer}
    reply = other_committee.send("acceptTransfer", sent, id=transfer["id"], if_match=transfer.etag)
    assert (reply.status, reply["decided_on"], reply["answer"]) == (201, today(), answer)
    for client in (committee, other_committee):
        assert client.send("getTransfer", id=transfer["id"]).expect(200)["answer"] == answer
