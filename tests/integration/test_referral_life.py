"""The lifecycle of a referral: corrected, withdrawn, acknowledged, accepted, rejected, listed."""
import pytest

from client import new_key
from payloads import days_ago, days_ahead, dead_child, new_child, new_number, new_referral, today
from scenarios import make_accepted_referral, make_case, make_referral, move, tag_of, walk

STEPS = {
    "withdrawReferral": lambda: {"reason": "other"},
    "acknowledgeReferral": lambda: {"acknowledged_on": today()},
    "acceptReferral": lambda: {"accepted_on": today(), "case_id": None},
    "rejectReferral": lambda: {"reason": "not_a_child", "note": "The person is an adult.",
                               "rejected_on": today()},
}
ENDS = {"accepted": "acceptReferral", "rejected": "rejectReferral", "withdrawn": "withdrawReferral"}


def amend(agency, referral, **change):
    tag = tag_of(agency, "getReferral", id=referral["id"])
    return agency.send("changeReferral", change, id=referral["id"], if_match=tag)


def acknowledge(committee, referral, **change):
    return committee.send("acknowledgeReferral", {"acknowledged_on": today(), **change},
                          id=referral["id"])


def take(agency, committee, operation, referral, key=None):
    """Sends the request of a step, as the caller who may take it."""
    client = agency if operation == "withdrawReferral" else committee
    return client.send(operation, STEPS[operation](), id=referral["id"], key=key)


def test_the_sender_corrects_a_referral(agency):
    referral = make_referral(agency)
    reply = amend(agency, referral, basis="A better outline.", incident_on=days_ago(11))
    assert reply.status == 200
    assert (reply["basis"], reply["incident_on"]) == ("A better outline.", days_ago(11))
    assert reply["version"] == 2


def test_null_clears_a_member_and_absent_members_do_not_change(agency):
    referral = make_referral(agency, incident_on=days_ago(11))
    reply = amend(agency, referral, incident_on=None)
    assert reply["incident_on"] is None
    assert reply["basis"] == referral["basis"]


def test_a_list_in_a_change_replaces_the_list(agency):
    referral = make_referral(agency, agencies_involved=["police", "prosecution"])
    reply = amend(agency, referral, agencies_involved=["health_board"])
    assert reply["agencies_involved"] == ["health_board"]


def test_a_child_sent_again_keeps_its_reference(agency):
    child = new_child()
    referral = make_referral(agency, children=[child])
    reply = amend(agency, referral, children=[{**child, "sex": "male"}])
    assert reply["children"][0]["sex"] == "male"
    assert reply["children"][0]["child_ref"] == referral["children"][0]["child_ref"]


def test_children_in_a_change_get_their_defaults(agency):
    referral = make_referral(agency)
    reply = amend(agency, referral, children=[new_child()])
    assert reply["children"][0]["harm_types"] == []


def test_a_change_must_follow_the_rules(agency):
    reply = amend(agency, make_referral(agency), aware_on=today(), notified_on=days_ago(1))
    assert (reply.status, reply.rules, reply.pointers) == (422, {"date_order"}, {"/aware_on"})


@pytest.mark.parametrize("member", ["source_system", "source_reference", "committee", "status"])
def test_immutable_members_never_change(agency, member):
    reply = amend(agency, make_referral(agency), **{member: "GLA"})
    assert (reply.status, reply.pointers) == (400, {f"/{member}"})


def test_the_committee_cannot_correct_the_senders_referral(agency, committee):
    referral = make_referral(agency)
    reply = amend(committee, referral, basis="The committee's own text.")
    assert reply.status == 404


def test_an_acknowledged_referral_can_still_be_corrected(agency, committee):
    referral = make_referral(agency)
    acknowledge(committee, referral)
    assert amend(agency, referral, basis="A better outline.").status == 200


def test_the_sender_withdraws_a_referral(agency):
    reply = agency.send("withdrawReferral", {"reason": "duplicate", "note": "Sent twice."},
                        id=make_referral(agency)["id"])
    assert reply.status == 201
    assert (reply["status"], reply["reason"], reply["note"]) == ("withdrawn", "duplicate",
                                                                 "Sent twice.")
    assert reply["decided_on"] == today()


def test_the_committee_cannot_withdraw_the_senders_referral(agency, committee):
    reply = committee.send("withdrawReferral", {"reason": "duplicate"},
                           id=make_referral(agency)["id"])
    assert reply.status == 404


def test_the_committee_acknowledges_a_referral(agency, committee):
    reply = acknowledge(committee, make_referral(agency))
    assert reply.status == 201
    assert (reply["status"], reply["acknowledged_on"]) == ("acknowledged", today())


def test_a_referral_is_acknowledged_once(agency, committee):
    referral = make_referral(agency)
    acknowledge(committee, referral)
    reply = acknowledge(committee, referral)
    assert (reply.status, reply.rules) == (409, {"already_acknowledged"})


@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(2), "date_order")])
def test_the_date_of_an_acknowledgement_must_be_possible(agency, committee, day, rule):
    reply = acknowledge(committee, make_referral(agency), acknowledged_on=day)
    assert (reply.status, reply.rules) == (422, {rule})


def test_the_committee_accepts_a_referral_into_a_new_case(agency, committee):
    referral = make_referral(agency)
    reply = take(agency, committee, "acceptReferral", referral)
    case = committee.send("getCase", id=reply["case_id"], query="expand=children,referrals")
    assert reply.status == 201
    assert (reply["status"], reply["case_stage"]) == ("accepted", "notification")
    assert reply.headers["Location"] == f"/v1/cases/{case['id']}"
    assert case["criteria"] == referral["criteria_claimed"]
    assert case["earliest_referral_received_on"] == referral["received_on"]
    assert [one["child_ref"] for one in case["children"]] == [
        one["child_ref"] for one in referral["children"]]
    assert [one["id"] for one in case["referrals"]] == [referral["id"]]


def test_a_new_case_has_the_type_named_in_the_acceptance(agency, committee):
    reply = committee.send("acceptReferral", {"accepted_on": today(), "review_type": "thematic"},
                           id=make_referral(agency)["id"])
    assert committee.send("getCase", id=reply["case_id"])["review_type"] == "thematic"


def test_a_second_referral_joins_the_case_with_its_other_child(agency, police, committee):
    first, second = new_child(), new_child()
    case_id = make_accepted_referral(agency, committee, children=[first])["case_id"]
    make_accepted_referral(agency, committee, case_id, children=[first, second])
    counts = committee.send("getCase", id=case_id)["counts"]
    assert (counts["referrals"], counts["children"]) == (2, 2)


def test_a_referral_cannot_join_the_case_of_another_committee(agency, committee, other_committee):
    case = make_case(other_committee, local_authority="S12000036")
    reply = committee.send("acceptReferral", {"accepted_on": today(), "case_id": case["id"]},
                           id=make_referral(agency)["id"])
    assert (reply.status, reply.rules) == (422, {"unknown_case"})


def test_a_referral_cannot_join_a_closed_case(agency, committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = committee.send("acceptReferral", {"accepted_on": today(), "case_id": case["id"]},
                           id=make_referral(agency)["id"])
    assert (reply.status, reply.rules) == (409, {"case_closed"})


def test_an_accepted_referral_counts_as_acknowledged(agency, committee):
    assert make_accepted_referral(agency, committee)["acknowledged_on"] == today()


def test_the_committee_rejects_a_referral_and_the_sender_sees_why(agency, committee):
    referral = make_referral(agency)
    reply = take(agency, committee, "rejectReferral", referral)
    seen = agency.send("getReferral", id=referral["id"])
    assert reply.status == 201
    assert (seen["status"], seen["reason"], seen["note"]) == (
        "rejected", "not_a_child", "The person is an adult.")


@pytest.mark.parametrize("operation", STEPS)
@pytest.mark.parametrize("end", ENDS)
def test_a_decided_referral_does_not_change(agency, committee, operation, end):
    referral = make_referral(agency)
    take(agency, committee, ENDS[end], referral).expect(201)
    reply = take(agency, committee, operation, referral)
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict", {"referral_decided"})


def test_a_decided_referral_cannot_be_corrected(agency, committee):
    reply = amend(agency, make_accepted_referral(agency, committee), basis="A better outline.")
    assert (reply.status, reply.rules) == (409, {"referral_decided"})


def test_the_sender_sees_the_progress_but_not_the_case(agency, committee):
    accepted = make_accepted_referral(agency, committee, children=[dead_child()])
    move(committee, accepted["case_id"], "information_gathering").expect(201)
    seen = agency.send("getReferral", id=accepted["id"])
    assert (seen["case_id"], seen["links"]["case"]) == (None, None)
    assert (seen["case_reference"], seen["case_stage"]) == (accepted["case_reference"],
                                                            "information_gathering")


def test_another_agency_does_not_see_the_referral(agency, health):
    assert health.send("getReferral", id=make_referral(agency)["id"]).status == 404


def test_another_committee_does_not_see_the_referral(agency, other_committee):
    assert other_committee.send("getReferral", id=make_referral(agency)["id"]).status == 404


def test_the_sender_finds_a_referral_by_its_own_number(agency):
    system = new_number("system")
    mine = make_referral(agency, source_system=system, source_reference="2026/1")
    make_referral(agency, source_system=system, source_reference="2026/2")
    query = f"source_system={system}&source_reference=2026%2F1"
    assert agency.send("listReferrals", query=query).ids == [mine["id"]]


def test_referrals_are_sorted_newest_first_or_oldest_first(agency):
    system = new_number("system")
    ids = [make_referral(agency, source_system=system)["id"] for _ in range(5)]
    newest = walk(agency, "listReferrals", f"source_system={system}&limit=2")
    oldest = walk(agency, "listReferrals", f"source_system={system}&limit=2&sort=received_at")
    assert [one["id"] for one in newest] == ids[::-1]
    assert [one["id"] for one in oldest] == ids


def test_referrals_are_filtered_by_status_committee_and_day(agency, committee):
    system = new_number("system")
    here = make_referral(agency, source_system=system)
    there = make_referral(agency, source_system=system, committee="EDH",
                          local_authority="S12000036")
    acknowledge(committee, here).expect(201)

    def listed(query):
        return set(agency.send("listReferrals", query=f"source_system={system}&{query}").ids)
    assert listed("status=acknowledged") == listed("committee=GLA") == {here["id"]}
    assert listed("status=submitted") == {there["id"]}
    assert listed(f"received_from={today()}") == {here["id"], there["id"]}
    assert listed(f"received_to={today()}") == set()


@pytest.mark.parametrize("operation", STEPS)
def test_a_step_again_with_the_same_key_gets_the_same_bytes(agency, committee, operation):
    referral, key = make_referral(agency), new_key()
    first, second = [take(agency, committee, operation, referral, key=key) for _ in range(2)]
    assert first.status == second.status == 201
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"
