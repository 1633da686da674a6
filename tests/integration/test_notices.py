"""Notices: created, corrected and sent by the committee, and read only by their recipients."""
import pytest

from client import new_key
from payloads import (days_ago, days_ahead, dead_child, new_answer, new_case, new_child, new_decision,
                      new_observations, new_sending, new_transfer, today)
from scenarios import (advance, decide, decide_and_tell, make_accepted_referral, make_case, make_proceeding,
                       make_request, move, recommend, record_finding, send_notices, submit_to_hub, tag_of, walk)

READ = "notices.read"


@pytest.fixture
def case(committee):
    return make_case(committee, "decision")


def notices(committee, case, **members):
    """Returns the notices of a case that have these members."""
    items = committee.send("listCaseNotices", id=case["id"]).expect(200)["items"]
    return [one for one in items if all(one[name] == value for name, value in members.items())]


def told(committee, case, kind="decision"):
    return {(one["to"], one["to_organisation"]) for one in notices(committee, case, kind=kind)
            if one["withdrawn_on"] is None}


def send(committee, case, notice, **overrides):
    return committee.send("sendNotice", new_sending(**overrides), id=case["id"],
                          notice_id=notice["id"])


def replace(committee, case, **members):
    return committee.send("putDecision", new_decision(**members), id=case["id"],
                          if_match=tag_of(committee, "getDecision", id=case["id"]))


ALWAYS = {("chief_officers_group", "COG-GLA"), ("care_inspectorate", "CI")}


def test_a_decision_has_notices_to_the_chief_officers_and_the_inspectorate(committee, case):
    decide(committee, case["id"]).expect(201)
    assert told(committee, case) == ALWAYS
    assert {one["due_on"] for one in notices(committee, case)} == {today()}


def test_every_referrer_gets_one_notice(committee, agency, health):
    accepted = make_accepted_referral(agency, committee)
    make_accepted_referral(agency, committee, accepted["case_id"])
    make_accepted_referral(health, committee, accepted["case_id"])
    case = advance(committee, {"id": accepted["case_id"], "stage": "notification"}, "decision")
    decide(committee, case["id"]).expect(201)
    assert told(committee, case) == ALWAYS | {("referrer", "LA-S12000049"),
                                              ("referrer", "HB-S08000031")}


def test_a_death_has_notices_to_the_national_hub_and_the_prosecution(committee):
    case = make_case(committee, "decision", children=[dead_child()])
    decide(committee, case["id"]).expect(201)
    assert told(committee, case) == ALWAYS | {("national_hub", "HIS"), ("copfs", "COPFS")}


@pytest.mark.parametrize("status, recipients", [
    ("compulsory_supervision_order", {("scra", "SCRA")}), ("looked_after_home", {("scra", "SCRA")}),
    ("looked_after_kinship", set())])
def test_a_child_whom_the_reporter_knows_has_a_notice_to_the_reporter(committee, status, recipients):
    case = make_case(committee, "decision", children=[new_child(legal_status=status)])
    decide(committee, case["id"]).expect(201)
    assert told(committee, case) == ALWAYS | recipients


def test_a_reporter_keeps_its_notice_when_the_hearing_has_ended(committee, case):
    make_proceeding(committee, case, kind="childrens_hearing", ended_on=today())
    decide(committee, case["id"]).expect(201)
    assert told(committee, case) == ALWAYS | {("scra", "SCRA")}


@pytest.mark.parametrize("outcome, to", [("do_not_proceed", "closed"), ("alternative_review", "review")])
def test_every_decision_needs_a_word_to_the_family(committee, case, outcome, to):
    decide_and_tell(committee, case["id"], outcome, family_wait_reason=None)
    assert move(committee, case["id"], to).rules == {"family_informed"}


def test_a_death_without_a_review_is_submitted_to_the_hub(committee):
    case = make_case(committee, "decision", children=[dead_child()])
    decide_and_tell(committee, case["id"], "do_not_proceed")
    assert move(committee, case["id"], "closed").rules == {"hub_submitted"}
    submit_to_hub(committee, case)
    move(committee, case["id"], "closed").expect(201)


@pytest.mark.parametrize("process, recipients", [
    ("childrens_hearing", {("scra", "SCRA")}), ("police_investigation", {("copfs", "COPFS")}),
    ("complaint", set())])
def test_parallel_processes_create_notices(agency, committee, process, recipients):
    accepted = make_accepted_referral(agency, committee, parallel_processes=[process])
    case = advance(committee, {"id": accepted["case_id"], "stage": "notification"}, "decision")
    decide(committee, case["id"]).expect(201)
    assert told(committee, case) == ALWAYS | {("referrer", "LA-S12000049")} | recipients


def test_proceedings_known_to_an_agency_create_a_notice(committee, agency):
    request = make_request(committee)
    agency.send("answerInformationRequest", new_answer(criminal_proceedings=True),
                id=request["id"]).expect(201)
    case = advance(committee, {"id": request["case_id"], "stage": "information_gathering"},
                   "decision")
    decide(committee, case["id"]).expect(201)
    assert ("copfs", "COPFS") in told(committee, case)


def test_a_decision_for_more_information_creates_no_notice(committee, case):
    decide(committee, case["id"], "more_information").expect(201)
    assert notices(committee, case) == []


def test_the_scope_to_decide_is_enough_to_notify_referrers(agency, committee, caller):
    accepted = make_accepted_referral(agency, committee)
    case = advance(committee, {"id": accepted["case_id"], "stage": "notification"}, "decision")
    decide(caller("CPC-GLA", "chair", "decisions.write"), case["id"]).expect(201)
    assert ("referrer", "LA-S12000049") in told(committee, case)
    assert agency.send("getReferral", id=accepted["id"])["case_decision"] == "proceed"


def test_a_notice_reports_the_decision_without_naming_a_child(committee, case):
    decide(committee, case["id"], note="The chair had doubts.").expect(201)
    child = committee.send("listChildren", id=case["id"])["items"][0]
    reply = committee.send("listCaseNotices", id=case["id"])
    snapshot = reply["items"][0]["snapshot"]
    assert (snapshot["case_reference"], snapshot["outcome"]) == (case["reference"], "proceed")
    assert snapshot["children"] == [{name: child[name] for name in (
        "outcome", "age_band", "sex", "register_status", "legal_status")}]
    assert b"doubts" not in reply.bytes
    assert child["child_ref"].encode() not in reply.bytes and child["id"].encode() not in reply.bytes


def told_of(committee, case, kind="decision"):
    """Returns the age bands of the children in each notice; the children of these tests differ by them."""
    return {one["to_organisation"]: sorted(child["age_band"] for child in one["snapshot"]["children"])
            for one in notices(committee, case, kind=kind)}


def test_each_notice_lists_only_children_known_to_its_recipient(agency, health, committee):
    both = new_child(age_band="11_15")
    accepted = make_accepted_referral(agency, committee, children=[new_child(age_band="1_4"), both])
    make_accepted_referral(agency, committee, accepted["case_id"], children=[both, new_child(age_band="16_17")])
    make_accepted_referral(health, committee, accepted["case_id"], children=[dead_child(age_band="under_1")])
    case = advance(committee, {"id": accepted["case_id"], "stage": "notification"}, "decision")
    committee.send("addChild", dead_child(age_band="18_25"), id=case["id"]).expect(201)
    decide(committee, case["id"]).expect(201)
    everyone = ["11_15", "16_17", "18_25", "1_4", "under_1"]
    assert told_of(committee, case) == {
        "COG-GLA": everyone, "CI": everyone, "COPFS": everyone, "HIS": ["18_25", "under_1"],
        "LA-S12000049": ["11_15", "16_17", "1_4"], "HB-S08000031": ["under_1"]}


def test_a_referrer_gets_a_notice_about_its_children_after_a_merger(agency, health, committee, other_committee):
    first, second = (make_accepted_referral(sender, committee, children=[new_child(age_band=band)])
                     for sender, band in ((agency, "1_4"), (health, "16_17")))
    committee.send("mergeCase", {"into_case_id": second["case_id"], "merged_on": today()}, id=first["case_id"],
                   if_match=tag_of(committee, "getCase", id=first["case_id"])).expect(201)
    transfer = committee.send("proposeTransfer", new_transfer(), id=second["case_id"]).expect(201)
    other_committee.send("acceptTransfer", {"decided_on": today(), "local_authority": "S12000036"},
                         id=transfer["id"], if_match=transfer.etag).expect(201)
    case = advance(other_committee, {"id": second["case_id"], "stage": "notification"}, "decision")
    decide(other_committee, case["id"]).expect(201)
    assert told_of(other_committee, case) == {
        "COG-EDH": ["16_17", "1_4"], "CI": ["16_17", "1_4"], "LA-S12000049": ["1_4"], "HB-S08000031": ["16_17"]}


def test_a_correction_of_the_decision_updates_an_unsent_notice(committee, case):
    decide(committee, case["id"], "do_not_proceed").expect(201)
    before = {one["id"] for one in notices(committee, case)}
    replace(committee, case).expect(200)
    after = notices(committee, case)
    assert {one["id"] for one in after} == before
    assert {one["snapshot"]["outcome"] for one in after} == {"proceed"}


def test_a_correction_after_sending_creates_another_notice(committee, case):
    decide(committee, case["id"], "do_not_proceed").expect(201)
    sent = notices(committee, case, to="care_inspectorate")[0]
    send(committee, case, sent).expect(201)
    replace(committee, case).expect(200)
    outcomes = [(one["snapshot"]["outcome"], one["sent_on"])
                for one in notices(committee, case, to="care_inspectorate")]
    assert outcomes == [("do_not_proceed", today()), ("proceed", None)]


def test_members_that_no_notice_reports_create_no_notice(committee, case):
    decide_and_tell(committee, case["id"])
    replace(committee, case, unanimous=False).expect(200)
    assert len(notices(committee, case)) == len(ALWAYS)


def test_a_notice_without_a_reason_is_withdrawn(committee, case):
    decide(committee, case["id"]).expect(201)
    replace(committee, case, outcome="more_information", criteria_met=[],
            reasons=["insufficient_information"]).expect(200)
    assert {one["withdrawn_on"] for one in notices(committee, case)} == {today()}
    reply = send(committee, case, notices(committee, case)[0])
    assert (reply.status, reply.rules) == (409, {"notice_withdrawn"})


def test_a_notice_is_sent_once(committee, case):
    decide(committee, case["id"]).expect(201)
    notice = notices(committee, case)[0]
    first = send(committee, case, notice, method="portal")
    assert (first.status, first["sent_on"], first["method"]) == (201, today(), "portal")
    again = send(committee, case, notice)
    assert (again.status, again.rules) == (409, {"already_sent"})


def test_sending_again_with_the_same_key_gets_the_same_bytes(committee, case):
    decide(committee, case["id"]).expect(201)
    path, key = {"id": case["id"], "notice_id": notices(committee, case)[0]["id"]}, new_key()
    first, second = [committee.send("sendNotice", new_sending(), **path, key=key)
                     for _ in range(2)]
    assert (first.status, second.status) == (201, 201) and second.bytes == first.bytes


@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(1), "date_order")])
def test_the_date_of_sending_must_be_possible(committee, case, day, rule):
    decide(committee, case["id"]).expect(201)
    reply = send(committee, case, notices(committee, case)[0], sent_on=day)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/sent_on"}, {rule})
    assert notices(committee, case)[0]["sent_on"] is None


@pytest.mark.parametrize("outcome, to", [("proceed", "set_up"), ("do_not_proceed", "closed"),
                                         ("alternative_review", "review")])
def test_a_case_moves_on_after_its_notices_are_sent(committee, case, outcome, to):
    decide(committee, case["id"], outcome).expect(201)
    blocked = move(committee, case["id"], to)
    assert (blocked.status, blocked.rules) == (409, {"notices_sent"})
    send_notices(committee, case["id"])
    assert move(committee, case["id"], to).status == 201


def outcome_becomes(committee, case, outcome):
    place = {"id": case["id"], "child_id": committee.send("listChildren", id=case["id"])["items"][0]["id"]}
    committee.send("changeChild", {"outcome": outcome}, **place,
                   if_match=tag_of(committee, "getChild", **place)).expect(200)


def merge_into(committee, case, **referral):
    other = make_accepted_referral(referral.pop("agency"), committee, **referral)["case_id"]
    committee.send("mergeCase", {"into_case_id": case["id"], "merged_on": today()}, id=other,
                   if_match=tag_of(committee, "getCase", id=other)).expect(201)


def hand_over(committee, case):
    transfer = committee.send("proposeTransfer", new_transfer(), id=case["id"]).expect(201)
    committee.of("CPC-EDH", "other-committee-system").send(
        "acceptTransfer", {"decided_on": today(), "local_authority": "S12000036"}, id=transfer["id"],
        if_match=transfer.etag).expect(201)


def clerk(committee):
    """A caller that may record proceedings and nothing else."""
    return committee.others("CPC-GLA", "liaison-desk", "proceedings.write")


HUB, COPFS, SCRA = ("national_hub", "HIS"), ("copfs", "COPFS"), ("scra", "SCRA")
COUNCIL = ("referrer", "LA-S12000049")
LATER = {
    "a child dies": (lambda c, a, case: outcome_becomes(c, case, "died"), {HUB, COPFS}),
    "a child who died is added": (lambda c, a, case: c.send("addChild", dead_child(), id=case["id"]).expect(201),
                                  {HUB, COPFS}),
    "a referral joins": (lambda c, a, case: make_accepted_referral(a, c, case["id"]), {COUNCIL}),
    "a referral brings a hearing": (lambda c, a, case: make_accepted_referral(
        a, c, case["id"], parallel_processes=["childrens_hearing"]), {COUNCIL, SCRA}),
    "a case is merged into it": (lambda c, a, case: merge_into(c, case, agency=a, children=[dead_child()]),
                                 {COUNCIL, HUB, COPFS}),
    "somebody is prosecuted": (lambda c, a, case: make_proceeding(clerk(c), case), {COPFS}),
    "a hearing begins": (lambda c, a, case: make_proceeding(clerk(c), case, kind="childrens_hearing"), {SCRA}),
    "a complaint is made": (lambda c, a, case: make_proceeding(c, case, kind="complaint"), set()),
    "nothing that calls for more": (lambda c, a, case: outcome_becomes(c, case, "none"), set()),
}


@pytest.mark.parametrize("later, more", LATER.values(), ids=LATER)
def test_facts_recorded_after_the_decision_create_notices(committee, agency, case, later, more):
    decide_and_tell(committee, case["id"])
    first = notices(committee, case)
    later(committee, agency, case)
    fresh = [one for one in notices(committee, case) if one not in first]
    assert {(one["to"], one["to_organisation"]) for one in fresh} == more
    assert len(notices(committee, case)) == len(first) + len(more)
    assert all((one["kind"], one["due_on"], one["sent_on"]) == ("decision", today(), None) for one in fresh)
    blocked = move(committee, case["id"], "set_up")
    assert (blocked.status, blocked.code and blocked.rules) == ((409, {"notices_sent"}) if more else (201, None))
    if more:
        send_notices(committee, case["id"])
        later_still = len(notices(committee, case))
        assert move(committee, case["id"], "set_up").status == 201
        assert len(notices(committee, case)) == later_still


def test_an_answer_that_reports_proceedings_after_the_decision_creates_a_notice(committee, agency, case):
    request = make_request(committee, case)
    decide_and_tell(committee, case["id"])
    agency.send("answerInformationRequest", new_answer(criminal_proceedings=True), id=request["id"]).expect(201)
    assert told(committee, case) == ALWAYS | {COPFS}


def test_a_pending_notice_includes_later_facts(committee, case):
    decide(committee, case["id"]).expect(201)
    first = notices(committee, case)
    outcome_becomes(committee, case, "died")
    after = notices(committee, case)
    assert {one["snapshot"]["children"][0]["outcome"] for one in after} == {"died"}
    assert {one["id"] for one in first} < {one["id"] for one in after} and len(after) == 4


def test_facts_create_notices_until_the_case_is_closed(committee, agency, case):
    decide_and_tell(committee, case["id"])
    move(committee, case["id"], "set_up").expect(201)
    make_accepted_referral(agency, committee, case["id"])
    assert told(committee, case) == ALWAYS | {COUNCIL}
    assert [one["to"] for one in notices(committee, case, sent_on=None)] == ["referrer"]


def test_a_superseded_decision_creates_no_notices(committee, agency, case):
    decide(committee, case["id"], "more_information").expect(201)
    move(committee, case["id"], "information_gathering", way="return").expect(201)
    outcome_becomes(committee, case, "died")
    make_accepted_referral(agency, committee, case["id"])
    assert notices(committee, case) == []


def test_the_chief_officers_of_the_receiving_committee_get_a_notice(committee, other_committee, case):
    decide_and_tell(committee, case["id"])
    hand_over(committee, case)
    assert told(other_committee, case) == ALWAYS | {("chief_officers_group", "COG-EDH")}
    send_notices(other_committee, case["id"])
    assert move(other_committee, case["id"], "set_up").status == 201


def test_a_missing_notice_of_the_decision_blocks_the_case(committee, agency, case, cluster):
    """Cases of an earlier version may be like this; recording the decision again creates the missing notices."""
    decide_and_tell(committee, case["id"])
    cluster.execute("delete from register.notice where case_id = %s and recipient = 'care_inspectorate'", (case["id"],))
    blocked = move(committee, case["id"], "set_up")
    assert (blocked.status, blocked.rules) == (409, {"notices_sent"})
    replace(committee, case).expect(200)
    send_notices(committee, case["id"])
    assert told(committee, case) == ALWAYS
    assert move(committee, case["id"], "set_up").status == 201


def recipients(caller):
    return {one: caller(one, "recipient-system", READ)
            for one in ("CI", "HIS", "COPFS", "LA-S12000049", "COG-GLA")}


def test_each_recipient_reads_only_its_own_notice_after_sending(committee, agency, caller):
    accepted = make_accepted_referral(agency, committee, children=[dead_child()])
    case = advance(committee, {"id": accepted["case_id"], "stage": "notification"}, "decision")
    decide(committee, case["id"]).expect(201)
    made = {one["to_organisation"]: one["id"] for one in notices(committee, case)}
    clients = recipients(caller)
    assert set(made) == set(clients)
    outsiders = set(clients) - {"COG-GLA"}  # the chief officers read all notices of their area
    assert {clients[one].send("getNotice", id=made[one]).status for one in outsiders} == {404}
    send_notices(committee, case["id"])
    for one in outsiders:
        seen = clients[one].send("getNotice", id=made[one])
        assert (seen.status, seen["case_id"], seen["links"]["case"]) == (200, None, None)
        assert case["id"].encode() not in seen.bytes
        mine = set(clients[one].send("listNotices", query="limit=200").ids) & set(made.values())
        assert mine == {made[one]}
        assert {clients[one].send("getNotice", id=each).status
                for each in made.values() if each != made[one]} == {404}
    assert clients["COG-GLA"].send("getNotice", id=made["COG-GLA"]).status == 200


def test_a_recipient_does_not_read_the_case(committee, case, caller):
    decide_and_tell(committee, case["id"])
    reader = caller("CI", "curious-system")
    for operation in ("getCase", "getDecision", "listCaseNotices", "listChildren"):
        assert reader.send(operation, id=case["id"]).status == 404


def test_the_inspectorate_records_observations_and_the_committee_reads_them(committee, inspectorate, case):
    decide_and_tell(committee, case["id"])
    notice = notices(committee, case, to="care_inspectorate")[0]
    reply = inspectorate.send("observeNotice", new_observations(), id=notice["id"])
    assert (reply.status, reply["case_id"]) == (201, None)
    seen = committee.send("getNotice", id=notice["id"])
    assert (seen["observations_received_on"], seen["observations"]) == (
        today(), new_observations()["observations"])
    again = inspectorate.send("observeNotice", new_observations(), id=notice["id"])
    assert (again.status, again.rules) == (409, {"already_observed"})


@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(1), "date_order")])
def test_the_date_of_observations_must_be_possible(committee, inspectorate, case, day, rule):
    decide_and_tell(committee, case["id"])
    notice = notices(committee, case, to="care_inspectorate")[0]
    reply = inspectorate.send("observeNotice", new_observations(received_on=day), id=notice["id"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/received_on"}, {rule})


def test_only_the_inspectorate_records_observations(committee, caller, case):
    decide_and_tell(committee, case["id"])
    for to, organisation in (("chief_officers_group", "COG-GLA"), ("care_inspectorate", "CPC-GLA")):
        notice = notices(committee, case, to=to)[0]
        reply = caller(organisation, "observing-system").send("observeNotice", new_observations(),
                                                             id=notice["id"])
        assert reply.status == 404


def alternative(committee):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], "alternative_review")
    return move(committee, case["id"], "review").expect(201).json


def ask(committee, case, kind="alternative_outcome", **members):
    return committee.send("createNotices", {"kind": kind, **members}, id=case["id"])


@pytest.mark.parametrize("members, told", [
    ({}, True), ({"ended_on": today()}, False), ({"kind": "complaint"}, False)])
def test_the_prosecution_gets_a_notice_while_its_proceedings_are_open(committee, members, told):
    case = make_case(committee, "decision")
    make_proceeding(committee, case, **members)
    decide(committee, case["id"]).expect(201)
    recipients = {one["to"] for one in committee.send("listCaseNotices", id=case["id"])["items"]}
    assert ("copfs" in recipients) == told


def test_the_outcome_of_an_alternative_review_is_sent_before_the_case_is_closed(committee):
    case = alternative(committee)
    record_finding(committee, case)
    blocked = move(committee, case["id"], "closed")
    assert (blocked.status, blocked.rules) == (409, {"alternative_outcome_notified"})
    made = ask(committee, case)
    assert made.status == 201
    assert {(one["to"], one["to_organisation"]) for one in made["items"]} == ALWAYS
    assert {one["due_on"] for one in made["items"]} == {days_ahead(7)}
    assert move(committee, case["id"], "closed").rules == {"alternative_outcome_notified"}
    send_notices(committee, case["id"])
    assert move(committee, case["id"], "closed")["closure"] == "alternative_completed"


def test_pending_notices_are_not_created_again(committee):
    case = alternative(committee)
    ask(committee, case).expect(201)
    assert (ask(committee, case).status, ask(committee, case).rules) == (409, {"notices_waiting"})
    send_notices(committee, case["id"])
    again = ask(committee, case)
    assert (again.status, again.rules) == (409, {"already_told"})


def test_an_outcome_notice_of_an_alternative_review_needs_such_a_review(committee, case):
    reply = ask(committee, case)
    assert (reply.status, reply.rules) == (409, {"not_in_alternative_review"})


def test_an_outcome_notice_needs_a_ratified_report(committee):
    reply = ask(committee, make_case(committee, "ratification"), "outcome")
    assert (reply.status, reply.rules) == (409, {"report_not_ratified"})


def test_another_committee_gets_a_notice(committee, other_committee, case):
    made = ask(committee, case, "other_committee", to_organisation="CPC-EDH")
    assert [(one["kind"], one["to"], one["due_on"]) for one in made["items"]] == [
        ("other_committee", "other_committee", today())]
    notice = made["items"][0]
    assert other_committee.send("getNotice", id=notice["id"]).status == 404
    send(committee, case, notice, method="register").expect(201)
    seen = other_committee.send("getNotice", id=notice["id"])
    assert (seen["case_id"], seen["committee"], seen["snapshot"]["outcome"]) == (None, "GLA", None)


@pytest.mark.parametrize("members, rule", [
    ({"kind": "other_committee"}, "required_for_other_committee"),
    ({"kind": "other_committee", "to_organisation": "CPC-GLA"}, "unknown_code"),
    ({"kind": "other_committee", "to_organisation": "LA-S12000036"}, "unknown_code"),
    ({"kind": "outcome", "to_organisation": "CPC-EDH"}, "only_for_other_committee")])
def test_another_committee_must_be_named_correctly(committee, case, members, rule):
    reply = ask(committee, case, **members)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/to_organisation"}, {rule})
    assert notices(committee, case) == []


def test_a_closed_case_creates_no_notices_but_its_pending_ones_are_sent(committee):
    case = make_case(committee, "decision")
    decide(committee, case["id"]).expect(201)
    ask(committee, case, "other_committee", to_organisation="CPC-EDH").expect(201)
    replace(committee, case, outcome="do_not_proceed", criteria_met=[],
            reasons=["criteria_not_met"]).expect(200)
    for notice in notices(committee, case, kind="decision"):
        send(committee, case, notice).expect(201)
    move(committee, case["id"], "closed").expect(201)
    assert ask(committee, case, "other_committee",
               to_organisation="CPC-FIF").rules == {"case_closed"}
    assert send(committee, case, notices(committee, case, kind="other_committee")[0]).status == 201


def test_a_notice_is_not_found_under_another_case(committee, case):
    decide(committee, case["id"]).expect(201)
    path = {"id": make_case(committee)["id"], "notice_id": notices(committee, case)[0]["id"]}
    assert committee.send("getCaseNotice", **path).status == 404
    assert committee.send("sendNotice", new_sending(), **path).status == 404


def test_notices_are_filtered_by_kind_recipient_and_delay(committee):
    case = committee.send("openCase", new_case()).expect(201).json
    for stage in ("information_gathering", "recommendation"):
        move(committee, case["id"], stage, occurred_on=days_ago(9)).expect(201)
    recommend(committee, case["id"], made_on=days_ago(8)).expect(201)
    move(committee, case["id"], "decision", occurred_on=days_ago(8)).expect(201)
    decide(committee, case["id"], decided_on=days_ago(8)).expect(201)

    def listed(query):
        return {one["to"] for one in walk(committee, "listNotices", query + "&limit=200")
                if one["case_reference"] == case["reference"]}
    everybody = {"care_inspectorate", "chief_officers_group"}
    assert listed("overdue=true") == listed("kind=decision") == everybody
    assert listed("to=care_inspectorate") == {"care_inspectorate"}
    assert listed("kind=outcome") == listed("overdue=false") == set()
    send_notices(committee, case["id"])
    assert listed("overdue=false") == everybody


def test_the_data_of_a_death_must_be_with_the_national_hub_before_completion(committee):
    case = make_case(committee, "evaluation", children=[dead_child()])
    blocked = move(committee, case["id"], "closed")
    assert blocked.status == 409 and "hub_submitted" in blocked.rules
    assert advance(committee, case, "closed")["closure"] == "completed"


def ratified(cluster, case, statements):
    """Runs statements as the chief officers, as if they had ratified the report today; then rolls back."""
    return cluster.execute("""begin;
        set local register.organisation = 'COG-GLA';
        set local register.kind = 'chief_officers_group';
        set local register.committee = '';
        set local register.area = 'GLA';
        set local register.scopes = ' ratification.write ';
        create or replace function case_ratified_on(c review_case) returns date
            language plpgsql stable as 'begin return today(); end';
        set local role register_service;
        """ + statements, {"case": case["id"]})


def test_the_outcome_must_be_sent_before_completion_of_a_ratified_report(committee, cluster):
    """Calls the same functions as the operation that ratifies."""
    case = make_case(committee, "evaluation")
    rows = ratified(cluster, case, """
        select notices_make(c, 'outcome', today() + 7) from review_case c where c.id = %(case)s;
        select (select string_agg(n.recipient, ',' order by n.recipient) from notice n
                where n.case_id = c.id and n.kind = 'outcome'),
            guard_outcome_notified(c),
            (select snapshot ->> 'ratified_on' from notice n
                where n.case_id = c.id and n.kind = 'outcome' limit 1)
        from review_case c where c.id = %(case)s""")
    assert rows == [("care_inspectorate,chief_officers_group", False, today())]


def test_a_case_can_be_completed_after_its_outcome_was_sent(committee, cluster):
    case = make_case(committee, "evaluation")
    rows = ratified(cluster, case, """
        select notices_make(c, 'outcome', today() + 7) from review_case c where c.id = %(case)s;
        reset role;
        update notice set sent_on = today(), method = 'letter'
            where case_id = %(case)s and kind = 'outcome';
        select guard_outcome_notified(c) from review_case c where c.id = %(case)s""")
    assert rows == [(True,)]


def test_a_discontinuation_creates_notices_to_recipients_of_the_decision(agency, committee, cluster):
    accepted = make_accepted_referral(agency, committee, children=[dead_child()])
    rows = ratified(cluster, {"id": accepted["case_id"]}, """
        select notices_make(c, 'discontinued', today()) from review_case c where c.id = %(case)s;
        select recipient from notice where case_id = %(case)s order by recipient""")
    assert rows == [("care_inspectorate",), ("chief_officers_group",), ("referrer",)]
