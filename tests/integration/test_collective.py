"""Codes that several bodies share: one body gets no access through the code that another one uses."""
import pytest

from client import ALL_SCOPES
from payloads import new_access, new_number, new_referral, new_update
from scenarios import make_action, make_case, make_referral

SHARED = ("TS-OTHER", "INDEPENDENT")


@pytest.fixture(params=SHARED)
def pair(caller, request):
    """Two clients with the same code, and all scopes."""
    return [caller(request.param, new_number("body")[:40], ALL_SCOPES) for _ in range(2)]


def organisation_of(client):
    return client.send("getPrincipal")["organisation"]["code"]


def test_the_list_says_which_codes_are_shared(agency):
    items = agency.send("listOrganisations")["items"]
    assert sorted(one["code"] for one in items if one["collective"]) == sorted(SHARED)


def test_a_push_with_a_shared_code_is_refused(pair, cluster):
    stored = cluster.execute("select count(*) from register.referral")
    for reply in (pair[0].send("pushReferral", new_referral()), pair[0].send("validateReferral", new_referral())):
        assert (reply.status, reply.code, reply.json["errors"]) == (403, "organisation_not_allowed", [])
    batch = pair[0].send("pushReferrals", [new_referral(), new_referral(committee="XXX")]).expect(207)
    assert {(one["status"], one["problem"]["code"]) for one in batch["items"]} == {(403, "organisation_not_allowed")}
    assert cluster.execute("select count(*) from register.referral") == stored


def test_a_charity_with_its_own_code_pushes_and_reads_its_referrals(caller, cluster):
    codes = ["TS-SC000001", "TS-SC000002"]
    for code in codes:
        cluster.execute("insert into register.organisation (code, kind, name) values (%s, 'third_sector', 'A charity')",
                        (code,))
    try:
        one, other = (caller(code, "office", "referrals.write referrals.read") for code in codes)
        referral = make_referral(one)
        assert one.send("getReferral", id=referral["id"]).status == 200
        assert other.send("getReferral", id=referral["id"]).status == 404
    finally:
        cluster.execute("delete from register.referral where source_organisation = any (%s)", (codes,))
        cluster.execute("delete from register.organisation where code = any (%s)", (codes,))


def test_the_committee_reports_on_actions_of_a_shared_code(committee, pair):
    action = make_action(committee, owner_organisation=organisation_of(pair[0]))
    for client in pair:
        assert client.send("getAction", id=action["id"]).status == 404
        assert action["id"] not in client.send("listActions").ids
        assert client.send("addActionUpdate", new_update(), id=action["id"]).status == 404
        assert action["id"] not in [one["subject_id"] for one in client.send("listPresent", query="limit=500")["items"]]
    assert committee.send("addActionUpdate", new_update(), id=action["id"]).status == 201


def test_a_client_with_access_to_a_case_sees_its_actions(committee, pair):
    case = make_case(committee, "decision")
    action = make_action(committee, case, owner_organisation=organisation_of(pair[0]))
    committee.send("grantAccess", new_access(organisation=organisation_of(pair[0]), role="team_member",
                                             client_id=pair[0].send("getPrincipal")["client_id"]),
                   id=case["id"]).expect(201)
    assert [client.send("getAction", id=action["id"]).status for client in pair] == [200, 404]
    assert pair[0].send("listActions").ids.count(action["id"]) == 1


def test_a_webhook_belongs_to_its_client_alone(pair, receiver):
    hook = pair[0].send("createWebhook", {"url": receiver.endpoint(204).url}).expect(201)["webhook"]
    try:
        delivery = pair[0].send("pingWebhook", id=hook["id"]).expect(201)
        assert [client.send("listWebhooks").ids for client in pair] == [[hook["id"]], []]
        place = {"id": hook["id"], "delivery_id": delivery["id"]}
        assert [client.send("getDelivery", **place).status for client in pair] == [200, 404]
        for name in ("getWebhook", "pingWebhook", "listDeliveries", "deleteWebhook"):
            assert pair[1].send(name, id=hook["id"]).status == 404, name
    finally:
        assert pair[0].send("deleteWebhook", id=hook["id"]).status in (200, 204)
