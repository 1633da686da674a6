"""Engagement: which members of the family and practitioners a review heard, and who may record it."""
import pytest

from client import new_key
from payloads import (days_ago, days_ahead, family_answer, new_family_engagement, new_number,
                      new_practitioner_engagement, not_held, today)
from scenarios import decide, discontinue, engage, make_case, invite, move, tag_of

KINDS = {"Family": ("family-engagements", "family_engagement_id", new_family_engagement),
         "Practitioner": ("practitioner-engagements", "practitioner_engagement_id",
                          new_practitioner_engagement)}
# A change of either kind that is always possible.
CHANGES = {"Family": {"relation": "sibling"}, "Practitioner": {"participants_count": 3}}
NO_INVITATION = {"invited_on": None, "not_invited_reason": "A witness in the trial.",
                 "response": "not_invited"}
NOT_HELD = not_held(held_on=None, participants_count=None, organisations=[])
REVIEWER = "INDEPENDENT"


@pytest.fixture(scope="module")
def case(committee):
    """A case in the stage review; tests add to it and none moves it."""
    return make_case(committee, "review")


def add(client, case, kind, **members):
    return client.send(f"add{kind}Engagement", KINDS[kind][2](**members), id=case["id"])


def place(kind, one):
    return {"id": one["case_id"], KINDS[kind][1]: one["id"]}


def change(client, kind, one, tag=None, /, **members):
    path = place(kind, one)
    return client.send(f"change{kind}Engagement", members, **path,
                       if_match=tag or tag_of(client, f"get{kind}Engagement", **path))


def refusal(reply):
    return reply.status, reply.code, reply.rules


def conflict(rule):
    return 409, "state_conflict", {rule}


def broken_rules(reply):
    errors = reply.json.get("errors", [])
    return reply.status, {(one["rule"], one["pointer"]) for one in errors}


@pytest.mark.parametrize("kind", KINDS)
def test_an_engagement_is_recorded(committee, case, kind):
    document = KINDS[kind][2]()
    reply = committee.send(f"add{kind}Engagement", document, id=case["id"])
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/cases/{case['id']}/{KINDS[kind][0]}/{reply['id']}"
    assert {name: reply[name] for name in document} == document
    assert (reply["case_id"], reply["version"]) == (case["id"], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_engagement_can_be_read_at_its_address(committee, case, kind):
    made = add(committee, case, kind)
    reply = committee.send(f"get{kind}Engagement", **place(kind, made))
    assert (reply.json, reply.etag) == (made.json, made.etag)


@pytest.mark.parametrize("kind", KINDS)
def test_all_engagements_of_a_case_are_listed(committee, kind):
    case = make_case(committee, "set_up")
    assert committee.send(f"list{kind}Engagements", id=case["id"])["items"] == []
    made = [add(committee, case, kind)["id"] for _ in range(2)]
    reply = committee.send(f"list{kind}Engagements", id=case["id"])
    assert (reply.ids, reply["next"]) == (made, None)


@pytest.mark.parametrize("kind", KINDS)
def test_recording_an_engagement_again_with_the_same_key_replays(committee, kind):
    case, document, key = make_case(committee, "set_up"), KINDS[kind][2](), new_key()
    first, second = [committee.send(f"add{kind}Engagement", document, id=case["id"], key=key)
                     for _ in range(2)]
    assert (first.status, second.status, second.bytes) == (201, 201, first.bytes)
    assert len(committee.send(f"list{kind}Engagements", id=case["id"])["items"]) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage", ["notification", "information_gathering", "decision"])
def test_engagement_is_refused_before_the_decision(committee, kind, stage):
    case = make_case(committee, stage)
    assert refusal(add(committee, case, kind)) == conflict("before_set_up")
    assert committee.send(f"list{kind}Engagements", id=case["id"])["items"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_engagement_may_begin_as_soon_as_a_review_is_decided(committee, kind):
    case = make_case(committee, "decision")
    decide(committee, case["id"]).expect(201)
    assert add(committee, case, kind).status == 201


@pytest.mark.parametrize("kind", KINDS)
def test_engagement_continues_while_the_chief_officers_have_the_report(committee, kind):
    assert add(committee, make_case(committee, "ratification"), kind).status == 201


@pytest.mark.parametrize("kind", KINDS)
def test_the_engagements_of_a_closed_case_do_not_change(committee, kind):
    case = make_case(committee, "set_up")
    made = add(committee, case, kind).expect(201)
    discontinue(committee, case["id"]).expect(201)
    assert refusal(add(committee, case, kind)) == conflict("case_closed")
    assert refusal(change(committee, kind, made, **CHANGES[kind])) == conflict("case_closed")
    assert committee.send(f"get{kind}Engagement", **place(kind, made)).json == made.json


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_an_engagement_needs_the_present_version(committee, case, kind):
    made = add(committee, case, kind).expect(201)
    change(committee, kind, made, **CHANGES[kind]).expect(200)
    reply = change(committee, kind, made, made.etag, **CHANGES[kind])
    assert (reply.status, reply.code) == (412, "version_stale")


@pytest.mark.parametrize("kind", KINDS)
def test_an_engagement_is_not_found_under_another_case(committee, case, kind):
    made = add(committee, case, kind).expect(201).json
    elsewhere = {**made, "case_id": make_case(committee, "set_up")["id"]}
    assert committee.send(f"get{kind}Engagement", **place(kind, elsewhere)).status == 404
    assert change(committee, kind, elsewhere, '"1-x"', **CHANGES[kind]).status == 404


# --- the family

def test_the_familys_response_is_recorded_later(committee, case):
    made = invite(committee, case["id"]).expect(201)
    assert (made["response"], made["responded_on"]) == (None, None)
    reply = change(committee, "Family", made, **family_answer())
    assert (reply.status, reply["version"]) == (200, 2)
    assert {name: reply[name] for name in family_answer()} == family_answer()


@pytest.mark.parametrize("members", [
    NO_INVITATION,
    {"response": "declined", "responded_on": today()},
    {"response": "declined", "responded_on": today(), "response_reason": "Too painful now."},
    {"response": "no_reply", "response_reason": "Two letters and a visit."},
    {"response": "took_part", "responded_on": today()},
    {"response": "declined", "responded_on": today(), "feedback_before_publication_on": today()},
    {**NO_INVITATION, "feedback_before_publication_on": today()},
    family_answer(method="through_advocate", feedback_before_publication_on=today())])
def test_every_response_of_the_family_is_accepted(committee, case, members):
    reply = invite(committee, case["id"], **members)
    assert reply.status == 201
    assert {name: reply[name] for name in members} == members


INVITATION_FAULTS = [
    ({"invited_on": None}, {("invitation_or_reason", "/invited_on")}),
    ({"not_invited_reason": "A witness."}, {("only_when_not_invited", "/not_invited_reason")}),
    ({**NO_INVITATION, "response": None}, {("not_invited", "/response")}),
    ({**NO_INVITATION, "response": "declined", "responded_on": today()},
     {("not_invited", "/response")}),
    ({"response": "not_invited"}, {("not_invited", "/response")}),
    ({"invited_on": days_ahead(2)}, {("date_in_future", "/invited_on")}),
    ({"invited_on": days_ago(3)}, {("date_order", "/invited_on")})]
ANSWER_FAULTS = [
    ({"response": "took_part"}, {("required_when_answered", "/responded_on")}),
    ({"response": "declined"}, {("required_when_answered", "/responded_on")}),
    ({"responded_on": today()}, {("only_when_answered", "/responded_on")}),
    ({"response": "no_reply", "response_reason": "A letter.", "responded_on": today()},
     {("only_when_answered", "/responded_on")}),
    ({"response": "no_reply"}, {("reason_required", "/response_reason")}),
    ({"response_reason": "Too painful."}, {("only_when_not_taking_part", "/response_reason")}),
    (family_answer(response_reason="Wanted to."),
     {("only_when_not_taking_part", "/response_reason")}),
    ({"response": "declined", "responded_on": today(), "views_taken_on": today(),
      "method": "written"}, {("only_when_taking_part", "/views_taken_on")}),
    (family_answer(method=None), {("method_required", "/method")}),
    (family_answer(responded_on=days_ago(1)), {("date_order", "/responded_on")}),
    (family_answer(responded_on=days_ahead(2)), {("date_in_future", "/responded_on")}),
    (family_answer(views_taken_on=days_ago(1)), {("date_order", "/views_taken_on")}),
    (family_answer(views_taken_on=days_ahead(2)), {("date_in_future", "/views_taken_on")}),
    ({"feedback_before_publication_on": days_ago(1)},
     {("date_order", "/feedback_before_publication_on")}),
    ({**NO_INVITATION, "feedback_before_publication_on": days_ago(3)},
     {("date_order", "/feedback_before_publication_on")}),
    ({"feedback_before_publication_on": days_ahead(2)},
     {("date_in_future", "/feedback_before_publication_on")})]


@pytest.mark.parametrize("members, faults", INVITATION_FAULTS + ANSWER_FAULTS)
def test_an_invitation_must_follow_the_rules(committee, case, members, faults):
    before = committee.send("listFamilyEngagements", id=case["id"]).json
    assert broken_rules(invite(committee, case["id"], **members)) == (422, faults)
    assert committee.send("listFamilyEngagements", id=case["id"]).json == before


@pytest.mark.parametrize("members, faults", INVITATION_FAULTS + ANSWER_FAULTS)
def test_a_change_of_an_invitation_must_follow_the_rules(committee, case, members, faults):
    made = invite(committee, case["id"]).expect(201)
    assert broken_rules(change(committee, "Family", made, **members)) == (422, faults)
    assert committee.send("getFamilyEngagement", **place("Family", made)).json == made.json


@pytest.mark.parametrize("members, pointer", [
    ({"relation": None}, "/relation"), ({"relation": "neighbour"}, "/relation"),
    ({"response": "maybe"}, "/response"), ({"method": "e_mail"}, "/method"),
    ({"not_invited_reason": ""}, "/not_invited_reason"), ({"name": "A"}, "/name"), ({}, "")])
def test_a_change_of_an_invitation_must_follow_the_contract(committee, case, members, pointer):
    reply = change(committee, "Family", invite(committee, case["id"]).expect(201), **members)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_null_clears_a_response(committee, case):
    made = invite(committee, case["id"], **family_answer()).expect(201)
    reply = change(committee, "Family", made, **dict.fromkeys(family_answer()))
    assert (reply.status, {reply[name] for name in family_answer()}) == (200, {None})


def test_a_late_response_is_progress_and_another_date_a_correction(committee, cluster):
    case = make_case(committee, "set_up")
    made = invite(committee, case["id"], response="no_reply", response_reason="A letter.")
    change(committee, "Family", made, **family_answer(response_reason=None)).expect(200)
    change(committee, "Family", made, method="home_visit").expect(200)
    rows = cluster.execute("select kind from register.change where case_id = %s and"
                           " subject = 'family_engagement' order by id", (case["id"],))
    assert rows == [("created",), ("changed",), ("corrected",)]


# --- practitioners

@pytest.mark.parametrize("members", [
    {"kind": "individual", "participants_count": 1, "organisations": ["POL-G"]},
    {"kind": "feedback_event", "support_offered": False}, NOT_HELD,
    {**NOT_HELD, "organisations": ["POL-G"]}])
def test_every_kind_of_practitioner_engagement_is_accepted(committee, case, members):
    reply = engage(committee, case["id"], **members)
    assert reply.status == 201
    assert {name: reply[name] for name in members} == members


def test_an_engagement_that_was_not_held_needs_only_a_reason(committee, case):
    reply = committee.send("addPractitionerEngagement", not_held(), id=case["id"])
    assert (reply.status, reply["organisations"], reply["support_offered"]) == (201, [], False)


PRACTITIONER_FAULTS = [
    ({"held_on": None}, {("required_when_held", "/held_on")}),
    ({"participants_count": None}, {("required_when_held", "/participants_count")}),
    ({"organisations": []}, {("required_when_held", "/organisations")}),
    ({"organisations": ["POL-G", "XX-1"]}, {("unknown_code", "/organisations/1")}),
    ({"reason": "No time."}, {("only_when_not_held", "/reason")}),
    ({**NOT_HELD, "reason": None}, {("reason_required", "/reason")}),
    ({**NOT_HELD, "held_on": today()}, {("only_when_held", "/held_on")}),
    ({**NOT_HELD, "participants_count": 4}, {("only_when_held", "/participants_count")}),
    ({"held_on": days_ahead(2)}, {("date_in_future", "/held_on")}),
    ({"held_on": days_ago(3)}, {("date_order", "/held_on")}),
    ({"kind": "not_held"}, {("only_when_held", "/held_on"), ("reason_required", "/reason"),
                            ("only_when_held", "/participants_count")})]


@pytest.mark.parametrize("members, faults", PRACTITIONER_FAULTS)
def test_a_practitioner_engagement_must_follow_the_rules(committee, case, members, faults):
    before = committee.send("listPractitionerEngagements", id=case["id"]).json
    assert broken_rules(engage(committee, case["id"], **members)) == (422, faults)
    assert committee.send("listPractitionerEngagements", id=case["id"]).json == before


@pytest.mark.parametrize("members, faults", PRACTITIONER_FAULTS)
def test_a_change_of_practitioner_engagement_must_follow_the_rules(committee, case, members,
                                                                   faults):
    made = engage(committee, case["id"]).expect(201)
    assert broken_rules(change(committee, "Practitioner", made, **members)) == (422, faults)
    assert committee.send("getPractitionerEngagement", **place("Practitioner", made)).json == (
        made.json)


@pytest.mark.parametrize("members, pointer", [
    ({"participants_count": 0}, "/participants_count"), ({"kind": None}, "/kind"),
    ({"organisations": None}, "/organisations"), ({"support_offered": None}, "/support_offered"),
    ({"participants_count": 1001}, "/participants_count"), ({"names": []}, "/names"), ({}, "")])
def test_a_change_of_practitioner_engagement_must_follow_the_contract(committee, case, members,
                                                                      pointer):
    reply = change(committee, "Practitioner", engage(committee, case["id"]).expect(201), **members)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_a_cancelled_engagement_becomes_a_reason(committee, case):
    made = engage(committee, case["id"]).expect(201)
    reply = change(committee, "Practitioner", made, **NOT_HELD)
    assert (reply.status, reply["kind"], reply["held_on"]) == (200, "not_held", None)


# --- other clients that may record engagement

@pytest.fixture
def reviewer(caller, cluster):
    """Makes a reviewer with access to a case; days count from today."""
    def make(case, starts=0, ends=30, role="reviewer", scope="cases.read reviews.write"):
        client = new_number("reviewer")[:40]
        cluster.execute(
            "insert into register.case_access (id, committee, case_id, organisation, client, role,"
            " starts_on, ends_on) select gen_random_uuid(), committee, id, %s, %s, %s, %s, %s"
            " from register.review_case where id = %s",
            (REVIEWER, client, role, days_ahead(starts), days_ahead(ends), case["id"]))
        return caller(REVIEWER, client, scope)
    return make


@pytest.mark.parametrize("kind", KINDS)
def test_a_reviewer_records_and_changes_engagement(committee, case, reviewer, kind):
    client = reviewer(case)
    made = add(client, case, kind)
    assert made.status == 201
    assert change(client, kind, made, **CHANGES[kind]).status == 200
    seen = committee.send(f"get{kind}Engagement", **place(kind, made))
    assert (seen.status, seen["version"]) == (200, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_reviewer_changes_an_engagement_of_the_committee(committee, case, reviewer, kind):
    made = add(committee, case, kind).expect(201)
    assert change(reviewer(case), kind, made, **CHANGES[kind]).status == 200


def test_a_reviewer_reads_the_set_up_of_the_review_and_does_not_change_it(committee, case,
                                                                          reviewer):
    client = reviewer(case, scope="cases.read cases.write reviews.write")
    member = client.send("listTeamMembers", id=case["id"])["items"][0]
    assert client.send("getMandate", id=case["id"]).status == 200
    replies = [
        client.send("putMandate", {"questions": ["Why?"], "period_from": days_ago(9),
                                   "period_to": days_ago(8), "agencies": ["POL-G"]}, id=case["id"],
                    if_match=tag_of(client, "getMandate", id=case["id"])),
        client.send("putFamilyLiaison", {"lead_role": "other"}, id=case["id"],
                    if_match=tag_of(client, "getFamilyLiaison", id=case["id"])),
        client.send("addTeamMember", {"role": "member", "organisation": "POL-G",
                                      "independence": "internal", "appointed_on": today()},
                    id=case["id"]),
        client.send("changeTeamMember", {"client": "mine"}, id=case["id"], member_id=member["id"],
                    if_match=tag_of(client, "getTeamMember", id=case["id"],
                                    member_id=member["id"]))]
    assert [one.status for one in replies] == [404] * 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("starts, ends, role", [
    (1, 30, "reviewer"), (-30, -1, "reviewer"), (0, 30, "proceedings_liaison")])
def test_recording_engagement_needs_access_to_the_review(committee, case, reviewer, kind, starts,
                                                         ends, role):
    made = add(committee, case, kind).expect(201)
    client = reviewer(case, starts, ends, role)
    assert client.send(f"list{kind}Engagements", id=case["id"]).status == 404
    assert add(client, case, kind).status == 404
    assert change(client, kind, made, made.etag, **CHANGES[kind]).status == 404
    assert committee.send(f"get{kind}Engagement", **place(kind, made)).json == made.json


@pytest.mark.parametrize("kind", KINDS)
def test_a_reviewer_of_one_case_does_not_see_another(committee, case, reviewer, kind):
    made = add(committee, case, kind).expect(201)
    client = reviewer(make_case(committee, "set_up"))
    assert client.send(f"get{kind}Engagement", **place(kind, made)).status == 404
    assert add(client, case, kind).status == 404


@pytest.mark.parametrize("kind", KINDS)
def test_the_chief_officers_read_engagement_and_do_not_record_it(committee, case, caller, kind):
    made = add(committee, case, kind).expect(201)
    officers = caller("COG-GLA", "chief-officers-system")
    assert officers.send(f"get{kind}Engagement", **place(kind, made)).json == made.json
    assert add(officers, case, kind).status == 404


@pytest.mark.parametrize("kind", KINDS)
def test_recording_engagement_needs_its_own_scope(caller, case, kind):
    clerk = caller("CPC-GLA", "clerk", "cases.read cases.write")
    reply = add(clerk, case, kind)
    assert (reply.status, reply.code) == (403, "scope_missing")
    assert "reviews.write" in reply["detail"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_alone_accepts_no_engagement_without_the_scope(database_only, caller, committee,
                                                                    case, kind):
    made = add(committee, case, kind).expect(201)
    clerk = caller("CPC-GLA", "clerk-alone", "cases.read cases.write", database_only)
    assert add(clerk, case, kind).status == 404
    assert change(clerk, kind, made, **CHANGES[kind]).status == 404


# --- blockers of the report

def blockers(committee, case):
    items = committee.send("listTransitions", id=case["id"])["items"]
    move_on = next(one for one in items if one["to"] == "reporting")
    return {one["guard"]: one["by"] for one in move_on["blocked_by"]}


def test_the_report_needs_engagement(committee):
    case = make_case(committee, "review")
    guards = {"practitioners_engaged", "family_invitations_answered"}
    assert blockers(committee, case) == dict.fromkeys(guards, "review_team")
    reply = move(committee, case["id"], "reporting")
    assert refusal(reply) == (409, "transition_not_possible", guards)


@pytest.mark.parametrize("practitioners", [{}, NOT_HELD])
@pytest.mark.parametrize("family", [family_answer(), NO_INVITATION,
                                    {"response": "no_reply", "response_reason": "Two letters."}])
def test_the_report_is_written_after_engagement_or_with_a_reason(committee, practitioners, family):
    case = make_case(committee, "review")
    engage(committee, case["id"], **practitioners).expect(201)
    assert set(blockers(committee, case)) == {"family_invitations_answered"}
    invite(committee, case["id"], **family).expect(201)
    assert move(committee, case["id"], "reporting").status == 201


def test_every_invitation_needs_a_response(committee):
    case = make_case(committee, "review")
    engage(committee, case["id"]).expect(201)
    invite(committee, case["id"], **family_answer()).expect(201)
    waiting = invite(committee, case["id"], relation="carer").expect(201)
    assert set(blockers(committee, case)) == {"family_invitations_answered"}
    change(committee, "Family", waiting, response="declined", responded_on=today()).expect(200)
    assert blockers(committee, case) == {}
