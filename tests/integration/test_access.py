"""Access of other organisations to a case: given, changed and ended by the committee."""
import pytest

from client import ALL_SCOPES, new_key
from payloads import (days_ago, days_ahead, dead_child, new_access, new_child, new_finding, new_number, new_referral,
                      new_strategy, new_transfer, today)
from scenarios import decide_and_tell, make_accepted_referral, make_case, make_referral, move, tag_of


def grant(committee, case, **overrides):
    return committee.send("grantAccess", new_access(**overrides), id=case["id"])


def change(committee, access, **members):
    place = {"id": access["case_id"], "access_id": access["id"]}
    return committee.send("changeAccess", members, **place,
                          if_match=tag_of(committee, "getAccess", **place))


@pytest.fixture
def reviewer(caller):
    """An independent reviewer with its own client."""
    return caller("INDEPENDENT", new_number("reviewer")[:40],
                  "cases.read children.read reviews.write")


def client_id(client):
    return client.send("getPrincipal")["client_id"]


def sees(client, case):
    return client.send("getCase", id=case["id"]).status


def test_a_reviewer_sees_only_the_case_with_access(committee, reviewer):
    case, other = make_case(committee), make_case(committee)
    assert sees(reviewer, case) == 404
    reply = grant(committee, case, client_id=client_id(reviewer))
    assert (reply.status, reply["in_force"]) == (201, True)
    assert reply.headers["Location"] == f"/v1/cases/{case['id']}/access/{reply['id']}"
    assert (sees(reviewer, case), sees(reviewer, other)) == (200, 404)


def test_shared_cases_are_listed_only_with_the_shared_filter(committee, reviewer):
    case = make_case(committee)
    grant(committee, case, client_id=client_id(reviewer)).expect(201)
    assert reviewer.send("listCases", query="shared=true").ids == [case["id"]]
    assert reviewer.send("listCases").ids == []


def test_the_shared_cases_are_listed_in_each_order(committee, reviewer):
    newest, first_due = (make_case(committee, opened_on=days_ago(days)) for days in (1, 20))
    for case in (newest, first_due):
        grant(committee, case, client_id=client_id(reviewer)).expect(201)
    assert reviewer.send("listCases", query="shared=true").ids == [newest["id"], first_due["id"]]
    assert reviewer.send("listCases", query="shared=true&sort=stage_due_on").ids == [first_due["id"], newest["id"]]
    assert reviewer.send("listCases", query="shared=true&sort=stage_due_on&limit=1").ids == [first_due["id"]]


def test_another_client_of_the_same_organisation_sees_nothing(committee, reviewer, caller):
    case = make_case(committee)
    grant(committee, case, client_id=client_id(reviewer)).expect(201)
    assert sees(caller("INDEPENDENT", "somebody-else", "cases.read"), case) == 404


def test_a_reviewer_does_not_see_the_access_of_others(committee, caller):
    """All reviewers belong to one organisation; one reviewer's access is not visible to another."""
    mine, other = (caller("INDEPENDENT", new_number("reviewer")[:40], "cases.read changes.read") for _ in range(2))
    case = make_case(committee)
    access = grant(committee, case, client_id=client_id(other)).expect(201)
    place = {"id": case["id"], "access_id": access["id"]}
    assert (other.send("getAccess", **place).status, mine.send("getAccess", **place).status) == (200, 404)
    seen = {client: [event["subject_id"] for event in client.send("listPresent", query="limit=500")["items"]]
            for client in (mine, other)}
    assert access["id"] in seen[other] and access["id"] not in seen[mine]
    told = {client: client.send("listChanges", query="limit=500&wait=2").bytes.decode() for client in (mine, other)}
    assert access["id"] in told[other] and access["id"] not in told[mine]


def test_a_reviewer_does_not_change_the_case_itself(committee, caller):
    client = caller("INDEPENDENT", new_number("reviewer")[:40], ALL_SCOPES)
    case = make_case(committee)
    grant(committee, case, client_id=client_id(client)).expect(201)
    tag = client.send("getCase", id=case["id"]).etag
    assert client.send("changeCase", {"summary": "Mine."}, id=case["id"], if_match=tag).status == 404
    assert client.send("addChild", new_child(), id=case["id"]).status == 404
    assert move(client, case["id"], "closed", "discontinued", if_match=tag).status == 404
    assert client.send("grantAccess", new_access(), id=case["id"]).status == 404


def test_access_expires(committee, reviewer, cluster):
    case = make_case(committee)
    access = grant(committee, case, client_id=client_id(reviewer), starts_on=days_ago(10),
                   ends_on=days_ago(1)).expect(201)
    assert (access["in_force"], sees(reviewer, case)) == (False, 404)


def test_access_begins_on_its_first_day(committee, reviewer):
    case = make_case(committee)
    grant(committee, case, client_id=client_id(reviewer), starts_on=days_ahead(1)).expect(201)
    assert sees(reviewer, case) == 404


def test_access_can_be_ended_immediately(committee, reviewer):
    case = make_case(committee)
    access = grant(committee, case, client_id=client_id(reviewer)).expect(201)
    reply = change(committee, access, ended_on=today())
    assert (reply.status, reply["ended_on"], reply["in_force"]) == (200, today(), False)
    assert sees(reviewer, case) == 404
    again = change(committee, access, ends_on=days_ahead(9))
    assert (again.status, again.rules) == (409, {"access_ended"})


def test_the_end_date_of_access_can_be_changed(committee, reviewer):
    access = grant(committee, make_case(committee), client_id=client_id(reviewer)).expect(201)
    assert change(committee, access, ends_on=days_ahead(200))["ends_on"] == days_ahead(200)


def test_access_must_not_end_before_it_begins(committee):
    access = grant(committee, make_case(committee)).expect(201)
    early = change(committee, access, ends_on=days_ago(1))
    assert (early.status, early.rules, early.pointers) == (422, {"date_order"}, {"/ends_on"})
    late = change(committee, access, ended_on=days_ahead(1))
    assert (late.status, late.rules, late.pointers) == (422, {"date_in_future"}, {"/ended_on"})


def test_duplicate_access_is_refused(committee, reviewer):
    case = make_case(committee)
    grant(committee, case, client_id=client_id(reviewer)).expect(201)
    reply = grant(committee, case, client_id=client_id(reviewer))
    assert (reply.status, reply.rules) == (409, {"access_there_already"})


def test_giving_access_again_with_the_same_key_replays(committee):
    case, key, document = make_case(committee), new_key(), new_access()
    replies = [committee.send("grantAccess", document, id=case["id"], key=key) for _ in range(2)]
    assert replies[0]["id"] == replies[1]["id"]
    assert len(committee.send("listAccess", id=case["id"])["items"]) == 1


@pytest.mark.parametrize("members, pointer, rule", [
    ({"organisation": "LA-S12999999"}, "/organisation", "unknown_code"),
    ({"client_id": None}, "/client_id", "client_required"),
    ({"ends_on": None}, "/ends_on", "end_required"),
    ({"ends_on": days_ago(1)}, "/ends_on", "date_order"),
    ({"ends_on": days_ahead(800)}, "/ends_on", "too_long"),
    ({"role": "joint_committee"}, "/organisation", "organisation_does_not_fit_role"),
    ({"role": "joint_committee", "organisation": "CPC-GLA"}, "/organisation",
     "access_to_own_case"),
    ({"role": "proceedings_liaison"}, "/organisation", "organisation_does_not_fit_role")])
def test_invalid_access_is_refused(committee, members, pointer, rule):
    case = make_case(committee)
    reply = grant(committee, case, **members)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {pointer})
    assert committee.send("listAccess", id=case["id"])["items"] == []


def test_all_faults_of_an_access_are_reported_at_once(committee):
    reply = grant(committee, make_case(committee), client_id=None, ends_on=None)
    assert reply.rules == {"client_required", "end_required"}


def test_a_committee_with_access_sees_the_case(committee, other_committee):
    case = make_case(committee)
    grant(committee, case, organisation="CPC-EDH", role="joint_committee", client_id=None,
          ends_on=None).expect(201)
    assert sees(other_committee, case) == 200
    tag = other_committee.send("getCase", id=case["id"]).etag
    reply = other_committee.send("changeCase", {"summary": "Ours."}, id=case["id"], if_match=tag)
    assert reply.status == 404


def test_a_committee_that_accepted_a_case_ends_its_former_access(committee, other_committee, cluster):
    """An access from before acceptances ended it."""
    case = make_case(committee)
    access = grant(committee, case, organisation="CPC-EDH", client_id=None, ends_on=None,
                   role="joint_committee").json
    transfer = committee.send("proposeTransfer", new_transfer(), id=case["id"]).expect(201)
    other_committee.send("acceptTransfer", {"decided_on": today(), "local_authority": "S12000036"},
                         id=transfer["id"], if_match=transfer.etag).expect(201)
    cluster.execute("update register.case_access set ended_on = null where id = %s", (access["id"],))
    assert change(other_committee, access, ended_on=today())["in_force"] is False


def test_a_liaison_organisation_does_not_see_the_case_itself(committee, caller):
    case = make_case(committee)
    grant(committee, case, organisation="COPFS", role="proceedings_liaison", client_id=None,
          ends_on=None).expect(201)
    prosecution = caller("COPFS", "case-system", ALL_SCOPES)
    assert sees(prosecution, case) == 404
    assert prosecution.send("listTimeline", id=case["id"]).status == 404


def test_access_to_a_closed_case_is_refused(committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = grant(committee, case)
    assert (reply.status, reply.rules) == (409, {"case_closed"})


def test_without_the_scope_for_children_only_bands_are_shown(caller, committee):
    case = make_case(committee, children=[new_child(age_years=7, family_id="f-1")])
    child = committee.send("listChildren", id=case["id"])["items"][0]
    member = caller("CPC-GLA", "member-portal", "cases.read")
    seen = member.send("listChildren", id=case["id"])["items"][0]
    hidden = {"child_ref", "family_ref", "age_years"}
    assert all(child[name] is not None and seen[name] is None for name in hidden)
    assert {**child, **dict.fromkeys(hidden)} == seen


def ways_to_a_referral(client, case, referral):
    """Returns the referral from each operation that shows it."""
    listed = [client.send(operation, query=query)["items"] for operation, query in [
        ("listReferrals", f"source_reference={referral['source_reference']}"),
        ("listReferrals", f"source_reference={referral['source_reference']}&sort=received_at")]]
    return [client.send("getReferral", id=referral["id"]).json, *(items[0] for items in listed),
            *(client.send("getCase", id=case["id"], query="expand=referrals")["referrals"] if case else [])]


def test_without_the_scope_for_children_a_referral_shows_bands_only(caller, committee, agency):
    referral = make_accepted_referral(agency, committee, children=[new_child(age_years=7, family_id="f-1"),
                                                                   dead_child(age_years=9, family_id="f-1")])
    case = {"id": referral["case_id"]}
    children = agency.send("getReferral", id=referral["id"])["children"]
    hidden = dict.fromkeys(["child_ref", "family_ref", "age_years"])
    assert all(one[name] is not None for one in children for name in hidden)
    bands = [{**one, **hidden} for one in children]
    scopes = "referrals.read cases.read"
    for member in (caller("CPC-GLA", "member-portal", scopes), caller("COG-GLA", "officers-portal", scopes)):
        assert [one["children"] for one in ways_to_a_referral(member, case, referral)] == [bands] * 4
    reader = caller("CPC-GLA", "reader-portal", scopes + " children.read")
    assert [one["children"] for one in ways_to_a_referral(reader, case, referral)] == [children] * 4
    assert [one["children"] for one in ways_to_a_referral(agency, None, referral)] == [children] * 3


def test_the_answer_to_a_committees_change_of_a_referral_shows_bands(caller, agency):
    clerk = caller("CPC-GLA", "clerk-portal", "referrals.read cases.write")
    for operation, document in [("acknowledgeReferral", {"acknowledged_on": today()}),
                                ("acceptReferral", {"case_id": None, "accepted_on": today()})]:
        referral = make_referral(agency, children=[new_child(age_years=7, family_id="f-1")])
        child = clerk.send(operation, document, id=referral["id"]).expect(201)["children"][0]
        assert (child["child_ref"], child["family_ref"], child["age_years"]) == (None, None, None)


def test_a_sender_reads_its_own_referral_in_full_with_any_scopes(caller):
    """Also a committee that sends a referral to itself; a repeated key gives the same bytes."""
    for sender in (caller("LA-S12000049", "push-only", "referrals.write referrals.read"),
                   caller("CPC-GLA", "push-only", "referrals.write referrals.read")):
        key, document = new_key(), new_referral(children=[new_child(age_years=7, family_id="f-1")])
        first, again = (sender.send("pushReferral", document, key=key).expect(201) for _ in range(2))
        assert again.bytes == first.bytes
        child = sender.send("getReferral", id=first["id"])["children"][0]
        assert child == first["children"][0]
        assert child["child_ref"] and child["family_ref"] and child["age_years"] == 7


def test_chief_officers_read_the_cases_of_their_area_and_change_nothing(committee, caller):
    case = make_case(committee)
    officers = caller("COG-GLA", "chief-officers-system", ALL_SCOPES)
    assert sees(officers, case) == 200
    assert case["id"] in officers.send("listCases", query="limit=200").ids
    tag = officers.send("getCase", id=case["id"]).etag
    reply = officers.send("changeCase", {"summary": "Theirs."}, id=case["id"], if_match=tag)
    assert reply.status == 404
    assert sees(caller("COG-EDH", "chief-officers-system", ALL_SCOPES), case) == 404


def alternative_of(committee, owner):
    """A case in an alternative review of the owner."""
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], "alternative_review", alternative_owner=owner)
    return move(committee, case["id"], "review").expect(201).json


def test_the_owner_of_an_alternative_review_records_its_learning(committee, caller):
    case = alternative_of(committee, "HB-S08000031")
    owner = caller("HB-S08000031", "alternative-owner", "cases.read reviews.write")
    assert owner.send("addFinding", new_finding(), id=case["id"]).status == 404
    access = grant(committee, case, organisation="HB-S08000031", role="alternative_owner", client_id=None,
                   ends_on=None).expect(201)
    finding = owner.send("addFinding", new_finding(), id=case["id"]).expect(201)
    assert finding["recorded_by"] == "HB-S08000031"
    assert owner.send("addStrategy", new_strategy(findings=[finding["id"]]), id=case["id"]).status == 201
    assert "learning_recorded" not in move(committee, case["id"], "closed").rules
    change(committee, access, ended_on=today()).expect(200)
    assert owner.send("addFinding", new_finding(), id=case["id"]).status == 404


@pytest.mark.parametrize("organisation", ["LA-S12000049", "POL-G"])
def test_only_the_owner_of_the_current_decision_has_that_access(committee, organisation):
    reply = grant(committee, alternative_of(committee, "HB-S08000031"), organisation=organisation,
                  role="alternative_owner", client_id=None, ends_on=None)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/organisation"}, {"organisation_does_not_fit_role"})
