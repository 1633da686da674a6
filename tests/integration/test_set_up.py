"""Setting up a review: its mandate, team and family liaison, and the blockers of the review."""
import concurrent.futures

import pytest

from client import new_key
from payloads import (days_ago, days_ahead, new_family_liaison, new_mandate, new_team_member,
                      today)
from scenarios import (agree_family_liaison, agree_mandate, appoint, appoint_team, decide,
                       decide_and_tell, discontinue, make_case, move, tag_of)

PUTS = {"putMandate": (new_mandate, "getMandate"),
        "putFamilyLiaison": (new_family_liaison, "getFamilyLiaison")}


@pytest.fixture(scope="module")
def ready(committee):
    """A case in the stage set_up; tests add to it and none moves it."""
    return make_case(committee, "set_up")


@pytest.fixture
def case(committee):
    return make_case(committee, "set_up")


def put(client, case, operation, tag="*", **members):
    """Records the first one, or replaces the one with the tag."""
    condition = {"none_match": "*"} if tag == "*" else {"if_match": tag}
    return client.send(operation, PUTS[operation][0](**members), id=case["id"], **condition)


def change(client, member, /, **members):
    path = {"id": member["case_id"], "member_id": member["id"]}
    return client.send("changeTeamMember", members, **path,
                       if_match=tag_of(client, "getTeamMember", **path))


def refusal(reply):
    return reply.status, reply.code, reply.rules


def conflict(rule):
    return 409, "state_conflict", {rule}


def rule_at(rule, pointer):
    return 422, {rule}, {pointer}


def broken_rule(reply):
    return reply.status, reply.rules, reply.pointers


def changes_of(cluster, case, subject):
    """Returns the kinds of the recorded changes and the members that each changed."""
    rows = cluster.execute("select kind, changes from register.change where case_id = %s"
                           " and subject = %s order by id", (case["id"], subject))
    return [(kind, set(members)) for kind, members in rows]


# --- mandate and family liaison: a case has one of each

@pytest.mark.parametrize("operation", PUTS)
def test_the_first_one_is_recorded_in_full(committee, case, operation):
    build, read = PUTS[operation]
    reply = put(committee, case, operation)
    assert (reply.status, reply["version"], reply["case_id"]) == (201, 1, case["id"])
    assert {name: reply[name] for name in build()} == build()
    again = committee.send(read, id=case["id"])
    assert (again.json, again.etag) == (reply.json, reply.etag)


@pytest.mark.parametrize("operation", PUTS)
def test_reading_before_recording_is_not_found(committee, ready, operation):
    assert committee.send(PUTS[operation][1], id=ready["id"]).status == 404


@pytest.mark.parametrize("operation, left_out, value", [
    ("putMandate", "agreed_on", None), ("putMandate", "media_plan", False),
    ("putFamilyLiaison", "leaflet_given_on", None),
    ("putFamilyLiaison", "coordinated_with_police", False)])
def test_it_is_replaced_as_a_whole(committee, case, operation, left_out, value):
    tag = put(committee, case, operation).expect(201).etag
    body = {name: each for name, each in PUTS[operation][0]().items() if name != left_out}
    reply = committee.send(operation, body, id=case["id"], if_match=tag)
    assert (reply.status, reply["version"], reply[left_out]) == (200, 2, value)


@pytest.mark.parametrize("operation", PUTS)
def test_a_second_first_one_is_refused(committee, case, operation):
    put(committee, case, operation).expect(201)
    reply = put(committee, case, operation)
    assert (reply.status, reply.code) == (412, "version_stale")


@pytest.mark.parametrize("operation", PUTS)
def test_replacing_needs_the_present_version(committee, case, operation):
    first = put(committee, case, operation).expect(201).etag
    put(committee, case, operation, first).expect(200)
    reply = put(committee, case, operation, first)
    assert (reply.status, reply.code) == (412, "version_stale")
    assert committee.send(PUTS[operation][1], id=case["id"])["version"] == 2


@pytest.mark.parametrize("operation", PUTS)
def test_replacing_before_recording_is_refused(committee, ready, operation):
    assert put(committee, ready, operation, '"1-x"').status == 412


@pytest.mark.parametrize("operation", PUTS)
def test_exactly_one_precondition_is_required(committee, ready, operation):
    body = PUTS[operation][0]()
    neither = committee.send(operation, body, id=ready["id"])
    both = committee.send(operation, body, id=ready["id"], if_match='"1-x"', none_match="*")
    assert (neither.status, both.status, both.code) == (428, 400, "invalid_header")


@pytest.mark.parametrize("operation", PUTS)
@pytest.mark.parametrize("stage", ["notification", "recommendation", "decision"])
def test_a_review_is_not_set_up_before_the_decision(committee, operation, stage):
    reply = put(committee, make_case(committee, stage), operation)
    assert refusal(reply) == conflict("before_set_up")


@pytest.mark.parametrize("outcome", ["do_not_proceed", "more_information", "alternative_review"])
def test_setting_up_is_refused_when_no_review_takes_place(committee, outcome):
    case = make_case(committee, "decision")
    decide(committee, case["id"], outcome).expect(201)
    assert refusal(put(committee, case, "putMandate")) == conflict("before_set_up")


@pytest.mark.parametrize("operation", PUTS)
def test_setting_up_may_begin_as_soon_as_a_review_is_decided(committee, operation):
    case = make_case(committee, "decision")
    decide(committee, case["id"]).expect(201)
    assert put(committee, case, operation).status == 201


def test_an_alternative_review_can_have_a_mandate_and_a_team(committee):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], "alternative_review")
    move(committee, case["id"], "review").expect(201)
    assert put(committee, case, "putMandate").status == 201
    assert appoint(committee, case["id"]).status == 201


@pytest.mark.parametrize("operation", PUTS)
def test_it_does_not_change_in_a_closed_case(committee, case, operation):
    tag = put(committee, case, operation).expect(201).etag
    discontinue(committee, case["id"]).expect(201)
    assert refusal(put(committee, case, operation, tag)) == conflict("case_closed")
    assert committee.send(PUTS[operation][1], id=case["id"]).etag == tag


@pytest.mark.parametrize("operation", PUTS)
def test_recording_it_needs_the_scope(caller, ready, operation):
    reader = caller("CPC-GLA", "reader", "cases.read decisions.write reviews.write")
    reply = put(reader, ready, operation)
    assert (reply.status, reply.code) == (403, "scope_missing")


def test_the_mandate_may_change_until_the_report_goes_to_the_chief_officers(committee):
    case = make_case(committee, "reporting")
    tag = tag_of(committee, "getMandate", id=case["id"])
    tag = put(committee, case, "putMandate", tag, media_plan=False).expect(200).etag
    case = make_case(committee, "ratification")
    tag = tag_of(committee, "getMandate", id=case["id"])
    assert refusal(put(committee, case, "putMandate", tag)) == conflict("after_reporting")
    assert tag_of(committee, "getMandate", id=case["id"]) == tag


@pytest.mark.parametrize("members, rule, pointer", [
    ({"agreed_on": days_ahead(2), "target_completion_on": None}, "date_in_future", "/agreed_on"),
    ({"agreed_on": days_ago(3)}, "date_order", "/agreed_on"),
    ({"period_to": days_ahead(2)}, "date_in_future", "/period_to"),
    ({"period_to": days_ago(701)}, "date_order", "/period_to"),
    ({"target_completion_on": days_ago(1)}, "date_order", "/target_completion_on"),
    ({"agreed_on": None, "target_completion_on": days_ago(1)}, "date_order",
     "/target_completion_on"),
    ({"agencies": ["LA-S12000049", "LA-S12999999"]}, "unknown_code", "/agencies/1")])
def test_a_mandate_must_follow_the_rules(committee, ready, members, rule, pointer):
    reply = put(committee, ready, "putMandate", **members)
    assert broken_rule(reply) == rule_at(rule, pointer)
    assert committee.send("getMandate", id=ready["id"]).status == 404


def test_the_period_must_not_begin_in_the_future(committee, ready):
    reply = put(committee, ready, "putMandate", period_from=days_ahead(2), period_to=days_ahead(3))
    assert broken_rule(reply) == (422, {"date_in_future"}, {"/period_from", "/period_to"})


def test_all_faults_of_a_mandate_are_reported_at_once(committee, ready):
    reply = put(committee, ready, "putMandate", agreed_on=days_ago(3), period_to=days_ago(701),
                agencies=["XX-1"])
    assert reply.pointers == {"/agreed_on", "/period_to", "/agencies/0"}


def test_the_period_may_end_on_its_first_day_and_today(committee, case):
    assert put(committee, case, "putMandate", period_from=today(), period_to=today()).status == 201


@pytest.mark.parametrize("members, pointer", [
    ({"questions": []}, "/questions"), ({"questions": ["Why?"] * 21}, "/questions"),
    ({"questions": [""]}, "/questions/0"), ({"questions": ["y" * 1001]}, "/questions/0"),
    ({"agencies": []}, "/agencies"), ({"agencies": ["POL-G", "POL-G"]}, "/agencies/1"),
    ({"period_from": None}, "/period_from"), ({"chair": "A"}, "/chair")])
def test_a_mandate_must_follow_the_contract(committee, ready, members, pointer):
    reply = put(committee, ready, "putMandate", **members)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_former_versions_of_the_mandate_are_kept(committee, case, cluster):
    tag = put(committee, case, "putMandate", agreed_on=None).etag
    tag = put(committee, case, "putMandate", tag).expect(200).etag
    tag = put(committee, case, "putMandate", tag, target_completion_on=days_ahead(200)).etag
    put(committee, case, "putMandate", tag, target_completion_on=days_ahead(200),
        questions=["Who listened to the child?"]).expect(200)
    kinds = changes_of(cluster, case, "mandate")
    assert kinds[0][0] == "created"
    assert kinds[1:] == [("changed", {"agreed_on"}), ("changed", {"target_completion_on"}),
                         ("corrected", {"questions"})]


@pytest.mark.parametrize("member", ["strategy_agreed_on", "leaflet_given_on"])
@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(3), "date_order")])
def test_the_dates_of_the_family_liaison_must_be_possible(committee, ready, member, day, rule):
    reply = put(committee, ready, "putFamilyLiaison", **{member: day})
    assert broken_rule(reply) == rule_at(rule, f"/{member}")
    assert committee.send("getFamilyLiaison", id=ready["id"]).status == 404


def test_the_family_liaison_may_change_during_implementation(committee):
    case = make_case(committee, "implementation")
    tag = tag_of(committee, "getFamilyLiaison", id=case["id"])
    reply = put(committee, case, "putFamilyLiaison", tag, lead_role="social_worker")
    assert (reply.status, reply["lead_role"]) == (200, "social_worker")


# --- team

def test_a_member_of_the_team_is_appointed(committee, ready):
    document = new_team_member(role="expert_adviser", client="adviser.3", independence="external",
                               organisation="INDEPENDENT")
    reply = committee.send("addTeamMember", document, id=ready["id"])
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/cases/{ready['id']}/team/{reply['id']}"
    assert {name: reply[name] for name in document} == document
    assert (reply["ended_on"], reply["ended_reason"], reply["version"]) == (None, None, 1)


def test_a_member_can_be_read_at_its_address(committee, ready):
    member = appoint(committee, ready["id"])
    reply = committee.send("getTeamMember", id=ready["id"], member_id=member["id"])
    assert (reply.json, reply.etag) == (member.json, member.etag)


def test_the_whole_team_is_listed_with_former_members(committee, case):
    former = appoint(committee, case["id"])
    change(committee, former, ended_on=today()).expect(200)
    present = appoint(committee, case["id"])
    reply = committee.send("listTeamMembers", id=case["id"])
    assert (reply.ids, reply["next"]) == ([former["id"], present["id"]], None)


def test_a_case_without_a_team_has_an_empty_list(committee):
    reply = committee.send("listTeamMembers", id=make_case(committee)["id"])
    assert (reply.status, reply.json) == (200, {"items": [], "next": None})


def test_appointing_again_with_the_same_key_replays(committee, case):
    document, key = new_team_member(), new_key()
    first, second = [committee.send("addTeamMember", document, id=case["id"], key=key)
                     for _ in range(2)]
    assert (first.status, second.status, second.bytes) == (201, 201, first.bytes)
    assert len(committee.send("listTeamMembers", id=case["id"])["items"]) == 1


def test_a_review_has_one_chair_at_a_time(committee, case):
    chair = appoint(committee, case["id"], role="chair").expect(201)
    member = appoint(committee, case["id"]).expect(201)
    second = appoint(committee, case["id"], role="chair")
    promoted = change(committee, member, role="chair")
    assert refusal(second) == conflict("chair_appointed") and second.pointers == {"/role"}
    assert refusal(promoted) == conflict("chair_appointed")
    change(committee, chair, ended_on=today(), ended_reason="Took up another post.").expect(200)
    assert change(committee, member, role="chair")["role"] == "chair"
    assert refusal(change(committee, chair, ended_on=None, ended_reason=None)) == conflict(
        "chair_appointed")


def test_one_of_ten_concurrent_chairs_is_appointed(committee, case):
    with concurrent.futures.ThreadPoolExecutor(max_workers=10) as pool:
        replies = list(pool.map(lambda _: appoint(committee, case["id"], role="chair"), range(10)))
    assert sorted(one.status for one in replies) == [201] + [409] * 9
    assert {rule for one in replies if one.status == 409 for rule in one.rules} == {
        "chair_appointed"}


def test_the_entry_of_the_chair_can_be_changed(committee, case):
    chair = appoint(committee, case["id"], role="chair").expect(201)
    reply = change(committee, chair, client="chair-system")
    assert (reply.status, reply["client"]) == (200, "chair-system")


def test_several_reviewers_may_work_at_once(committee, case):
    replies = [appoint(committee, case["id"], role="reviewer") for _ in range(2)]
    assert [one.status for one in replies] == [201, 201]


@pytest.mark.parametrize("members, rule, pointer", [
    ({"appointed_on": days_ahead(2)}, "date_in_future", "/appointed_on"),
    ({"conflict_statement_on": days_ahead(2)}, "date_in_future", "/conflict_statement_on"),
    ({"appointed_on": days_ago(3)}, "date_order", "/appointed_on"),
    ({"organisation": "LA-S12999999"}, "unknown_code", "/organisation")])
def test_an_appointment_must_follow_the_rules(committee, case, members, rule, pointer):
    assert broken_rule(appoint(committee, case["id"], **members)) == rule_at(rule, pointer)
    assert committee.send("listTeamMembers", id=case["id"])["items"] == []


@pytest.mark.parametrize("members, rule, pointer", [
    ({"ended_on": days_ago(1)}, "date_order", "/ended_on"),
    ({"ended_on": days_ahead(2)}, "date_in_future", "/ended_on"),
    ({"ended_reason": "Moved away."}, "only_when_ended", "/ended_reason"),
    ({"organisation": "XX-1"}, "unknown_code", "/organisation"),
    ({"appointed_on": days_ahead(2)}, "date_in_future", "/appointed_on")])
def test_a_change_of_a_member_must_follow_the_rules(committee, ready, members, rule, pointer):
    member = appoint(committee, ready["id"]).expect(201)
    reply = change(committee, member, **members)
    assert broken_rule(reply) == rule_at(rule, pointer)
    assert committee.send("getTeamMember", id=ready["id"], member_id=member["id"]).json == (
        member.json)


@pytest.mark.parametrize("members, pointer", [
    ({"client": "two words"}, "/client"), ({"client": "x" * 65}, "/client"),
    ({"role": None}, "/role"), ({"appointed_on": None}, "/appointed_on"),
    ({"name": "A"}, "/name"), ({}, "")])
def test_a_change_of_a_member_must_follow_the_contract(committee, ready, members, pointer):
    reply = change(committee, appoint(committee, ready["id"]).expect(201), **members)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_a_mistaken_end_can_be_cleared(committee, ready):
    member = appoint(committee, ready["id"]).expect(201)
    change(committee, member, ended_on=today(), ended_reason="A mistake.").expect(200)
    reply = change(committee, member, ended_on=None, ended_reason=None)
    assert (reply.status, reply["ended_on"], reply["ended_reason"]) == (200, None, None)


def test_a_change_of_a_member_needs_the_present_version(committee, ready):
    member = appoint(committee, ready["id"]).expect(201)
    change(committee, member, client="first").expect(200)
    reply = committee.send("changeTeamMember", {"client": "second"}, id=ready["id"],
                           member_id=member["id"], if_match=member.etag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_a_team_is_not_appointed_before_the_decision(committee):
    reply = appoint(committee, make_case(committee, "recommendation")["id"])
    assert refusal(reply) == conflict("before_set_up")


def test_the_team_of_a_closed_case_does_not_change(committee, case):
    member = appoint(committee, case["id"]).expect(201)
    discontinue(committee, case["id"]).expect(201)
    assert refusal(appoint(committee, case["id"])) == conflict("case_closed")
    assert refusal(change(committee, member, ended_on=today())) == conflict("case_closed")


def test_a_member_is_not_found_under_another_case(committee, case, ready):
    member = appoint(committee, ready["id"]).expect(201)
    path = {"id": case["id"], "member_id": member["id"]}
    assert committee.send("getTeamMember", **path).status == 404
    reply = committee.send("changeTeamMember", {"role": "reviewer"}, **path, if_match=member.etag)
    assert reply.status == 404


def test_an_end_is_a_change_and_another_role_a_correction(committee, case, cluster):
    member = appoint(committee, case["id"]).expect(201)
    change(committee, member, ended_on=today()).expect(200)
    change(committee, member, role="reviewer").expect(200)
    assert changes_of(cluster, case, "team_member")[1:] == [("changed", {"ended_on"}),
                                                            ("corrected", {"role"})]


# --- blockers of the review

def blockers(committee, case):
    items = committee.send("listTransitions", id=case["id"])["items"]
    move_on = next(one for one in items if one["to"] == "review")
    return {one["guard"]: one["by"] for one in move_on["blocked_by"]}


def test_a_review_does_not_start_before_it_is_set_up(committee, case):
    guards = {"mandate_agreed", "team_appointed", "team_multi_agency", "family_liaison_agreed",
              "staff_support_planned"}
    assert blockers(committee, case) == dict.fromkeys(guards, "committee")
    reply = move(committee, case["id"], "review")
    assert refusal(reply) == (409, "transition_not_possible", guards)


def test_a_review_starts_after_it_is_set_up(committee, case):
    for step in (agree_mandate, appoint_team, agree_family_liaison):
        step(committee, case)
    assert blockers(committee, case) == {}
    assert move(committee, case["id"], "review").status == 201


@pytest.fixture
def almost(committee, case):
    """A case that is set up."""
    for step in (agree_mandate, appoint_team, agree_family_liaison):
        step(committee, case)
    return case


@pytest.mark.parametrize("operation, members, guard", [
    ("putMandate", {"agreed_on": None}, "mandate_agreed"),
    ("putMandate", {"staff_support_plan": False}, "staff_support_planned"),
    ("putFamilyLiaison", {"strategy_agreed_on": None}, "family_liaison_agreed")])
def test_a_draft_mandate_blocks_the_review(committee, almost, operation, members, guard):
    tag = tag_of(committee, PUTS[operation][1], id=almost["id"])
    put(committee, almost, operation, tag, **members).expect(200)
    assert set(blockers(committee, almost)) == {guard}


@pytest.mark.parametrize("role", ["chair", "reviewer"])
def test_a_review_needs_a_present_chair_and_a_present_reviewer(committee, almost,
                                                               role):
    appoint(committee, almost["id"], organisation="POL-G").expect(201)
    member = next(one for one in committee.send("listTeamMembers", id=almost["id"])["items"]
                  if one["role"] == role)
    change(committee, member, ended_on=today()).expect(200)
    assert "team_appointed" in blockers(committee, almost)
    appoint(committee, almost["id"], role=role).expect(201)
    assert blockers(committee, almost) == {}


def test_a_team_needs_present_members_from_two_organisations(committee, case):
    agree_mandate(committee, case)
    agree_family_liaison(committee, case)
    for role in ("chair", "reviewer"):
        appoint(committee, case["id"], role=role).expect(201)
    assert set(blockers(committee, case)) == {"team_multi_agency"}
    other = appoint(committee, case["id"], organisation="POL-G").expect(201)
    assert blockers(committee, case) == {}
    change(committee, other, ended_on=today()).expect(200)
    assert set(blockers(committee, case)) == {"team_multi_agency"}
