"""A webhook works only as long as its client's rights: blocked clients and tokens, reduced scopes, confirmation,
ownership."""
import datetime
import time
import uuid

import pytest

from client import ALL_SCOPES, Client, new_key
from payloads import new_webhook
from scenarios import make_action, make_case, make_delivery, make_referral, tag_of
from test_webhooks import NARROW, of_case, registered, wait_for  # noqa: F401  (a fixture)
from tokens import make_token

EVERYTHING = 2 ** 60  # a number of the feed that is never reached


@pytest.fixture
def name():
    return f"hooks-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bearer(instance, recorder, keys, name):
    """Makes a separate client of the committee, with a token issued that many seconds ago: bearer(age, scopes, jti)."""
    now = int(time.time())

    def make(age=0, scopes=ALL_SCOPES, jti=None, at=instance, client=None):
        claims = {"jti": jti} if jti else {}
        token = make_token(keys.token_secret, organisation="CPC-GLA", client_id=client or name, scope=scopes,
                           iat=now - age, exp=now + 1800, **claims)
        return Client(at.url, token, recorder)
    return make


@pytest.fixture
def block(cluster):
    def insert(organisation, client=None, token_id=None):
        cluster.execute("insert into register.exclusion (organisation, client, token_id) values (%s, %s, %s)",
                        [organisation, client, token_id])
    yield insert
    cluster.execute("delete from register.exclusion")


def is_due(cluster, webhook):
    return bool(cluster.execute("select 1 from webhook_due(%s) where webhook = %s",
                                [EVERYTHING, webhook["id"]]))


def of_referral(referral):
    return lambda found: [one for one in found if one.event["data"]["subject_id"] == referral["id"]]


def presented(cluster, name):
    return cluster.execute("select scopes, token_id, issued_at, xmin::text, ctid::text from register.webhook_client "
                           "where organisation = 'CPC-GLA' and client = %s", [name])[0]


@pytest.mark.parametrize("whom", ["organisation", "client", "registering token", "newest token"])
def test_blocking_stops_a_webhook_at_once_until_it_is_unblocked(cluster, agency, caller, name, bearer, block,
                                                                registered, receiver, whom):
    endpoint, probe = receiver.endpoint(), receiver.endpoint()
    hook = registered(bearer(age=60, jti=f"{name}-first"), endpoint, types=["referral.created"])["webhook"]
    registered(caller("LA-S12000049", f"{name}-probe"), probe, types=["referral.created"])
    bearer(age=30, jti=f"{name}-second").send("getPrincipal").expect(200)
    client, token = {"organisation": (None, None), "client": (name, None), "registering token": (name, f"{name}-first"),
                     "newest token": (None, f"{name}-second")}[whom]
    block("CPC-GLA", client, token)
    referral = make_referral(agency)
    probe.wait(of_referral(referral))
    assert not is_due(cluster, hook)
    later = make_referral(agency)
    probe.wait(of_referral(later))
    assert endpoint.messages == []
    if whom != "organisation":
        colleague = bearer(client=f"{name}-colleague")
        assert colleague.send("getWebhook", id=hook["id"])["suspended_because"] == (
            "client_blocked" if whom == "client" else "token_blocked")
    cluster.execute("delete from register.exclusion")
    for one in (referral, later):  # they belong to different cases: any order
        endpoint.wait(of_referral(one))
        assert len(of_referral(one)(endpoint.accepted)) == 1
    assert bearer(age=29, jti=f"{name}-third").send("getWebhook", id=hook["id"])["suspended_because"] is None


def test_a_blocked_token_counts_until_another_one_sets_the_address(cluster, name, bearer, block, registered, receiver):
    hook = registered(bearer(age=60, jti=f"{name}-stolen"), receiver.endpoint())["webhook"]
    block("CPC-GLA", name, f"{name}-stolen")
    rightful, place = bearer(age=30, jti=f"{name}-new"), {"id": hook["id"]}
    for operation, body in (("confirmWebhook", None), ("changeWebhook", {"types": ["case"]})):
        more = {"if_match": tag_of(rightful, "getWebhook", **place)} if body else {}
        assert rightful.send(operation, body, **more, **place).expect(200)["suspended_because"] == "token_blocked"
    endpoint = receiver.endpoint()
    tag = tag_of(rightful, "getWebhook", **place)
    changed = rightful.send("changeWebhook", {"url": endpoint.url}, if_match=tag, **place)
    assert changed.expect(200)["suspended_because"] is None
    rightful.send("pingWebhook", **place).expect(201)
    endpoint.wait_accepted(1)


def test_a_webhook_sends_what_the_newest_token_of_its_client_allows(committee, instances, bearer, registered, receiver):
    endpoint = receiver.endpoint()
    registered(bearer(age=60), endpoint)
    endpoint.wait(of_case(make_case(committee)["id"]))
    bearer(age=40, scopes=NARROW, at=instances[1]).send("getPrincipal").expect(200)
    bearer(age=60).send("listCases").expect(200)  # an older token again
    before = len(endpoint.messages)
    action = make_action(committee)
    endpoint.wait(lambda found: [one for one in found if one.event["data"]["subject_id"] == action["id"]])
    told = {one.event["data"]["subject"] for one in endpoint.messages[before:]
            if action["case_id"] in one.body.decode()}
    assert told <= {"action"}
    bearer(age=20).send("getPrincipal").expect(200)
    endpoint.wait(of_case(make_case(committee)["id"]))


def test_of_tokens_of_the_same_second_the_common_scopes_count(cluster, name, bearer, registered, receiver):
    registered(bearer(age=60), receiver.endpoint())
    bearer(age=60, scopes=f"{NARROW} cases.read").send("getPrincipal").expect(200)
    bearer(age=60, jti=new_key()).send("getPrincipal").expect(200)
    assert set(presented(cluster, name)[0].split()) == {*NARROW.split(), "cases.read"}


@pytest.mark.parametrize("missing", ["changes.read", "webhooks.manage"])
def test_without_the_webhook_scopes_nothing_is_sent_and_nothing_is_lost(cluster, committee, bearer, registered,
                                                                        receiver, missing):
    endpoint, probe = receiver.endpoint(), receiver.endpoint()
    hook = registered(bearer(age=60), endpoint, types=["case"])["webhook"]
    registered(committee, probe, types=["case"])
    bearer(age=40, scopes=" ".join(set(ALL_SCOPES.split()) - {missing})).send("getPrincipal").expect(200)
    case = make_case(committee)["id"]
    probe.wait(of_case(case))
    assert committee.send("getWebhook", id=hook["id"])["suspended_because"] == "scopes_missing"
    assert not is_due(cluster, hook) and endpoint.messages == []
    bearer(age=20).send("getPrincipal").expect(200)
    endpoint.wait(of_case(case))


def test_a_token_is_recorded_once_and_not_with_each_request(cluster, name, bearer, registered, receiver):
    first = bearer(age=60)
    registered(first, receiver.endpoint())
    newer = bearer(age=30)
    newer.send("getPrincipal").expect(200)
    noted = presented(cluster, name)
    for client in (newer, first, newer):
        client.send("listCases").expect(200)
    assert presented(cluster, name) == noted


def test_a_client_without_webhooks_is_not_recorded(cluster, bearer, name):
    bearer().send("getPrincipal").expect(200)
    assert cluster.execute("select count(*) from register.webhook_client where client = %s", [name]) == [(0,)]


def test_an_unconfirmed_webhook_is_paused(cluster, committee, bearer, extra_instance, registered, receiver):
    client, endpoint = bearer(age=60), receiver.endpoint()
    hook = registered(client, endpoint, types=["case"])["webhook"]
    cluster.execute("update register.webhook set confirm_by = now() - interval '1 second' where id = %s", [hook["id"]])
    assert not is_due(cluster, hook)
    extra_instance()  # its maintenance runs at its start
    paused = wait_for(lambda: (one := client.send("getWebhook", id=hook["id"]))["status"] == "paused" and one)
    assert paused["paused_because"] == "unconfirmed"
    case = make_case(committee)["id"]
    confirmed = client.send("confirmWebhook", id=hook["id"], key=new_key()).expect(200)
    assert (confirmed["status"], confirmed["paused_because"]) == ("enabled", None)
    assert confirmed["confirm_by"] > paused["confirm_by"] and confirmed["version"] > paused["version"]
    endpoint.wait(of_case(case))


@pytest.mark.parametrize("operation, body", [
    ("confirmWebhook", None), ("rotateWebhookSecret", None), ("changeWebhook", {"types": ["case"]})])
def test_each_change_by_its_client_confirms_a_webhook(cluster, bearer, registered, receiver, operation, body):
    client = bearer(age=60)
    hook = registered(client, receiver.endpoint())["webhook"]
    cluster.execute("update register.webhook set confirm_by = now() + interval '1 day' where id = %s", [hook["id"]])
    soon = client.send("getWebhook", id=hook["id"])
    more = {"if_match": soon.etag} if body else {}
    client.send(operation, body, id=hook["id"], **more).expect(200)
    assert client.send("getWebhook", id=hook["id"])["confirm_by"] > soon["confirm_by"]


def test_the_confirmation_period_is_a_setting(extra_instance, caller):
    patient = extra_instance(LR_WEBHOOK_CONFIRM_DAYS=3)
    client = caller("CPC-GLA", "hooks-patient", ALL_SCOPES, patient)
    webhook = client.send("createWebhook", new_webhook()).expect(201)["webhook"]
    made, by = (datetime.datetime.fromisoformat(webhook[name].rstrip("Z")) for name in ("created_at", "confirm_by"))
    assert by - made == datetime.timedelta(days=3)
    client.send("deleteWebhook", id=webhook["id"]).expect(200)
    patient.stop()


OF_ITS_CLIENT = [("rotateWebhookSecret", None), ("confirmWebhook", None), ("changeWebhook", {"status": "enabled"}),
                 ("changeWebhook", {"types": None}), ("changeWebhook", {"url": "https://localhost:9/"}),
                 ("changeWebhook", {"status": "paused", "url": "https://localhost:9/"})]


@pytest.mark.parametrize("operation, body", OF_ITS_CLIENT)
def test_another_client_of_the_organisation_cannot_read_the_secret_or_change_the_address(bearer, name, operation, body):
    owner, colleague = bearer(), bearer(client=f"{name}-colleague")
    place = {"id": make_delivery(owner)["id"]}
    before = owner.send("getWebhook", **place)
    more = {"if_match": before.etag} if body else {}
    reply = colleague.send(operation, body, **more, **place)
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict", {"not_its_client"})
    assert "secret\":\"whsec" not in reply.bytes.decode().replace(" ", "")
    assert owner.send("getWebhook", **place).json == before.json
    assert owner.send(operation, body, **more, **place).status == 200 or body and "url" in body
    colleague.send("deleteWebhook", **place).expect(200)


def test_another_client_of_the_organisation_may_pause_and_delete_it(cluster, bearer, name, registered, receiver):
    owner, colleague = bearer(), bearer(client=f"{name}-colleague")
    made = registered(owner, receiver.endpoint())
    place = {"id": made["webhook"]["id"]}
    paused = colleague.send("changeWebhook", {"status": "paused"}, if_match=made.etag, **place).expect(200)
    assert (paused["status"], paused["client_id"], paused["confirm_by"]) == (
        "paused", name, made["webhook"]["confirm_by"])
    assert colleague.send("deleteWebhook", **place).status == 200
    assert owner.send("getWebhook", **place).status == 404


def test_a_client_cannot_record_a_token_for_another(cluster):
    """The service may call the function, which takes the token's client from the claims alone."""
    assert cluster.execute("select has_table_privilege('register_service', 'register.webhook_client', "
                           "'select, insert, update, delete')") == [(False,)]
