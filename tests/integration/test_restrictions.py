"""Restrictions agreed with the bodies that lead proceedings: they forbid steps until lifted. Guidance 2024, annex 2."""
import pytest

from payloads import days_ago, days_ahead, new_family_liaison, new_report, today
from scenarios import engage, invite, make_case, make_proceeding, move, prepare
from test_proceedings import change, give_access

PROTOCOL = ["no_witness_interviews", "no_family_contact", "no_draft_circulation", "no_publication"]


def put(client, operation, case, document):
    """Replaces a part of a case, or makes it."""
    seen = client.send(operation.replace("put", "get"), id=case["id"])
    condition = {"if_match": seen.etag} if seen.status == 200 else {"none_match": "*"}
    return client.send(operation, document, id=case["id"], **condition)


def publish(committee, case, **members):
    return put(committee, "putPublication", case, {"form": "full_report", "decided_on": today(), **members})


# Each step: the stage in which it is taken, the restrictions that forbid it, the member that takes it, and the request.
STEPS = {
    "interview": ("review", {"no_witness_interviews"}, "/held_on", lambda c, case: engage(
        c, case["id"], kind="individual")),
    "learning event": ("review", set(), None, lambda c, case: engage(c, case["id"], kind="learning_event")),
    "invitation": ("review", {"no_family_contact"}, "/invited_on", lambda c, case: invite(c, case["id"])),
    "no invitation": ("review", set(), None, lambda c, case: invite(
        c, case["id"], invited_on=None, not_invited_reason="The person is a witness.", response="not_invited")),
    "leaflet": ("review", {"no_family_contact"}, "/leaflet_given_on", lambda c, case: put(
        c, "putFamilyLiaison", case, new_family_liaison())),
    "plan of liaison": ("review", set(), None, lambda c, case: put(
        c, "putFamilyLiaison", case, new_family_liaison(leaflet_given_on=None))),
    "draft": ("reporting", set(), None, lambda c, case: put(
        c, "putReport", case, new_report(accuracy_checked_on=None, committee_agreed_on=None))),
    "check of accuracy": ("reporting", {"no_draft_circulation"}, "/accuracy_checked_on", lambda c, case: put(
        c, "putReport", case, new_report(committee_agreed_on=None))),
    "feedback of the family": ("reporting", {"no_draft_circulation", "no_family_contact"}, "/family_feedback_on",
                               lambda c, case: put(c, "putReport", case, new_report(
                                   accuracy_checked_on=None, committee_agreed_on=None, family_feedback_on=today()))),
    "decision to publish": ("implementation", set(), None, publish),
    "information about publication": ("implementation", {"no_family_contact"}, "/family_told_on", lambda c, case: publish(
        c, case, family_told_on=today())),
}


# A request that takes back the days that the steps of a stage set.
BEFORE = {"review": STEPS["plan of liaison"][-1], "reporting": STEPS["draft"][-1], "implementation": publish}


@pytest.fixture(scope="module")
def cases(committee):
    """Returns a case in a stage; one for all tests of the stage, because a refused step changes nothing."""
    made = {}

    def of(stage):
        if stage not in made:
            made[stage] = make_case(committee, stage, opened_on=days_ago(60))
        return made[stage]
    return of


@pytest.fixture
def restricted(committee, cases):
    """Adds proceedings with restrictions to a case; the end of the test ends them."""
    made = []

    def of(stage, *restrictions):
        made.append(make_proceeding(committee, cases(stage), restrictions=list(restrictions), permitted=[]))
        return cases(stage)
    yield of
    for one in made:
        change(committee, one, ended_on=today()).expect(200)


@pytest.mark.parametrize("restriction", PROTOCOL)
@pytest.mark.parametrize("step", STEPS)
def test_a_restriction_forbids_its_steps_and_no_others(committee, restricted, step, restriction):
    stage, forbidding, pointer, take = STEPS[step]
    case = restricted(stage, restriction)
    if stage in BEFORE:
        BEFORE[stage](committee, case).expect(200, 201)
    reply = take(committee, case)
    if restriction in forbidding:
        assert (reply.status, reply.code, reply.rules, reply.pointers) == (
            409, "state_conflict", {restriction}, {pointer})
    else:
        assert reply.status in (200, 201)


@pytest.mark.parametrize("restriction", PROTOCOL)
def test_a_restriction_forbids_publication_or_not(committee, restricted, restriction):
    case = restricted("implementation", restriction)
    reply = publish(committee, case, published_on=today(), reporting_restrictions_checked=True)
    # Without the restriction the rules of publication answer: this report is not checked.
    assert (reply.status, reply.rules) == (409, {restriction}) if restriction == "no_publication" \
        else reply.status == 422


def test_the_refusal_says_who_set_the_restriction_until_when_and_where(committee, cases):
    case = cases("review")
    made = make_proceeding(committee, case, restrictions=["no_witness_interviews"])
    error = engage(committee, case["id"], kind="individual")["errors"][0]
    assert error["link"] == f"/v1/proceedings/{made['id']}"
    for words in ("CPC-GLA set on " + today(), "for COPFS", "criminal prosecution ends", days_ahead(60)):
        assert words in error["message"]
    change(committee, made, ended_on=today()).expect(200)


def test_lifting_takes_effect_at_once(committee, cases):
    case = cases("review")
    made = make_proceeding(committee, case, restrictions=["no_witness_interviews", "no_publication"])
    assert engage(committee, case["id"], kind="individual").status == 409
    change(committee, made, restrictions=["no_publication"]).expect(200)
    assert engage(committee, case["id"], kind="individual").status == 201
    change(committee, made, ended_on=today()).expect(200)


def test_a_step_before_the_restriction_can_still_be_recorded(committee, cases, cluster):
    case = cases("review")
    made = make_proceeding(committee, case, restrictions=["no_witness_interviews"])
    assert engage(committee, case["id"], kind="individual").rules == {"no_witness_interviews"}
    cluster.execute("update register.proceeding set restriction_origins = jsonb_set(restriction_origins,"
                    " '{no_witness_interviews,on}', to_jsonb(%s::text)) where id = %s", (days_ahead(1), made["id"]))
    assert engage(committee, case["id"], kind="individual").status == 201
    change(committee, made, ended_on=today()).expect(200)


def test_a_draft_does_not_go_to_the_chief_officers_while_it_may_not_circulate(committee):
    case = make_case(committee, "reporting")
    prepare(committee, case)
    made = make_proceeding(committee, case, restrictions=["no_draft_circulation"])
    change(committee, made, position="no_effect", restrictions=[]).expect(200)
    put(committee, "putReport", case, new_report(prosecution_consulted_on=today())).expect(200)
    change(committee, made, position="should_wait", restrictions=["no_draft_circulation"]).expect(200)
    assert move(committee, case["id"], "ratification").rules == {"draft_unrestricted"}
    offered = committee.send("listTransitions", id=case["id"])["items"]
    assert "draft_unrestricted" in {one["guard"] for move in offered for one in move["blocked_by"]}
    change(committee, made, restrictions=[]).expect(200)
    move(committee, case["id"], "ratification").expect(201)


def test_restrictions_are_listed_and_shown_with_the_plans(committee, restricted):
    case = restricted("implementation", *PROTOCOL)
    items = committee.send("listCaseRestrictions", id=case["id"]).expect(200)["items"]
    assert [one["restriction"] for one in items] == PROTOCOL
    assert {(one["set_by"], *one["recorded_for"]) for one in items} == {("CPC-GLA", "COPFS")}
    shown = {operation: {one["restriction"] for one in committee.send(operation, id=case["id"])["restrictions"]}
             for operation in ("getMandate", "getFamilyLiaison", "getReport")}
    assert shown == {"getMandate": set(PROTOCOL), "getFamilyLiaison": {"no_family_contact"},
                     "getReport": {"no_family_contact", "no_draft_circulation"}}


def test_a_restriction_of_the_prosecution_is_its_own(committee, caller, cluster):
    case = make_case(committee, "review", opened_on=days_ago(60))
    made = make_proceeding(committee, case, restrictions=[])
    give_access(cluster, case, "COPFS", "proceedings_liaison")
    prosecution = caller("COPFS", "prosecution-restricting", "proceedings.read proceedings.write")
    change(prosecution, made, restrictions=["no_witness_interviews"]).expect(200)
    item, = committee.send("listCaseRestrictions", id=case["id"])["items"]
    assert (item["set_by"], item["recorded_for"]) == ("COPFS", [])
    reply = change(committee, made, restrictions=[])
    assert (reply.status, reply.rules, reply.pointers) == (422, {"set_by_another"}, {"/restrictions"})
    assert engage(committee, case["id"], kind="individual").status == 409
    change(prosecution, made, restrictions=[]).expect(200)
    assert engage(committee, case["id"], kind="individual").status == 201


def test_a_restriction_binds_reviewers_too(committee, caller, cluster, restricted):
    case = restricted("review", "no_witness_interviews")
    give_access(cluster, case, "INDEPENDENT", "reviewer", "reviewer-restricted", days_ahead(30))
    reviewer = caller("INDEPENDENT", "reviewer-restricted", "cases.read reviews.write proceedings.read")
    assert engage(reviewer, case["id"], kind="individual").rules == {"no_witness_interviews"}
    assert len(reviewer.send("listCaseRestrictions", id=case["id"])["items"]) == 1
