"""A repetition with an Idempotency-Key shows only what its token may see at that time."""
import base64
import copy
import hashlib
import json
import uuid

import pytest

import contract_reader
from client import ALL_SCOPES, AGENCY_SCOPES, Client, new_key
from payloads import new_action, new_case, new_child, new_finding, new_number, new_referral, new_webhook, today
from scenarios import advance, make_case, make_referral, tag_of
from test_access import change, grant
from test_retention import erase, make_old_case
from test_transfer import answer, propose

OPERATIONS = contract_reader.operations()
KEYED = [name for name, one in OPERATIONS.items() if one.has_parameter("Idempotency-Key", "header")]
# Their handlers replace children's identifiers with references before the body is hashed.
WITH_CHILDREN = {"pushReferral", "pushReferrals", "openCase", "addChild"}
GUARDED = {"child_ref": "8599e2c1d7d9780edd5f5c04b76b3bf0", "family_ref": "family-ref", "age_years": 7}
OTHERS_CASE = str(uuid.uuid4())


def completed(schema, value):
    """Returns the value with the contract's defaults, as the service hashes it."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        completed_members = {name: completed(known[name], value[name]) for name in value if name in known}
        value = copy.deepcopy(contract_reader.defaults_of(schema)) | value | completed_members
    elif isinstance(value, list) and "items" in schema:
        return [completed(schema["items"], each) for each in value]
    return value


def hash_of(operation, target, body):
    text = ""
    if operation.body:
        schema = contract_reader.inline(operation.body["content"][operation.media_types[0]]["schema"])
        text = json.dumps(completed(schema, copy.deepcopy(body)), sort_keys=True, separators=(",", ":"),
                          ensure_ascii=False)
    digest = hashlib.sha256(f"POST {target}\n{text}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def stored_answer():
    """Returns an answer to a token with all scopes, with guarded members at several depths."""
    child = {"id": str(uuid.uuid4()), "outcome": "died", **GUARDED}
    return {"id": str(uuid.uuid4()), "source_organisation": "LA-S12000049", "case_id": OTHERS_CASE,
            "secret_generation": 1, **GUARDED, "children": [child, child], "items": [{"inner": {"children": [child]}}],
            "links": {"self": "/v1/elsewhere", "case": f"/v1/cases/{OTHERS_CASE}"}}


def members(node, name=None):
    """Yields every member of a document, at any depth, with its name."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from members(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from members(value, name)
    else:
        yield name, node


def guarded(document):
    return [(name, value) for name, value in members(document) if name in GUARDED]


@pytest.fixture
def replayed(cluster, instance, caller):
    """Returns the answer to a token with these scopes that repeats an operation of a token with all scopes."""
    def repeat(name, scopes):
        operation, key = OPERATIONS[name], new_key()
        place = {one["name"]: str(uuid.uuid4()) for one in operation.parameters if one["in"] == "path"}
        target, body = operation.path.format(**place), operation.example_body() if operation.body else None
        cluster.execute("insert into register.idempotency_key (organisation, client, key, request_hash, status, "
                        "version, body) values ('CPC-GLA', 'replays', %s, %s, 201, 1, %s)",
                        [key, hash_of(operation, target, body), json.dumps(stored_answer())])
        client = Client(instance.url, caller("CPC-GLA", "replays", scopes).token)  # not for the contract tests
        more = {"if_match": '"1-x"'} if operation.has_parameter("If-Match", "header") else {}
        reply = client.send(name, body, key=key, **more, **place)
        assert reply.headers.get("Idempotency-Replayed") == "true", (name, reply)
        return reply
    return repeat


@pytest.mark.parametrize("name", sorted(set(KEYED) - WITH_CHILDREN))
def test_a_replay_never_shows_what_the_token_may_no_longer_see(replayed, name):
    reply = replayed(name, " ".join(OPERATIONS[name].scopes))
    shown = guarded(reply.json)
    assert len(shown) == 4 * len(GUARDED) and {value for _, value in shown} == {None}
    assert OTHERS_CASE not in reply.bytes.decode()


@pytest.mark.parametrize("name", sorted(set(KEYED) - WITH_CHILDREN))
def test_a_replay_to_a_token_with_the_scope_for_children_is_complete(replayed, name):
    reply = replayed(name, " ".join([*OPERATIONS[name].scopes, "children.read"]))
    assert {name: value for name, value in guarded(reply.json)} == GUARDED


def test_replays_hide_the_same_members_as_reads(committee, caller):
    """Replays hide every member that is null to a reader without the scope, and no others."""
    case = make_case(committee, children=[new_child(age_years=7, family_id=new_number("family"))])
    reduced = caller("CPC-GLA", "committee-system", ALL_SCOPES.replace(" children.read", ""))
    whole, bands = (dict(members(client.send("listChildren", id=case["id"])["items"]))
                    for client in (committee, reduced))
    assert {name for name, value in whole.items() if bands[name] != value} == set(GUARDED)


# --- real answers of the operations ---

@pytest.fixture
def committees(caller):
    """The same client of a committee, once with all scopes, once with fewer."""
    client = new_number("replays")[:40]
    return caller("CPC-GLA", client), caller("CPC-GLA", client, "cases.read cases.write referrals.read")


def test_a_replayed_child_has_no_references_without_the_scope(committees):
    full, reduced = committees
    case, key = make_case(full), new_key()
    body = new_child(age_years=7, family_id=new_number("family"))
    first = full.send("addChild", body, id=case["id"], key=key).expect(201)
    assert None not in [first[name] for name in GUARDED]
    again = reduced.send("addChild", body, id=case["id"], key=key)
    fresh = reduced.send("getChild", id=case["id"], child_id=first["id"])
    assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json == fresh.json and again["child_ref"] is None
    assert full.send("addChild", body, id=case["id"], key=key).bytes == first.bytes


@pytest.mark.parametrize("operation, body", [
    ("acknowledgeReferral", {"acknowledged_on": today()}),
    ("acceptReferral", {"case_id": None, "accepted_on": today()}),
    ("rejectReferral", {"rejected_on": today(), "reason": "not_this_area"})])
def test_a_replayed_answer_to_a_referral_shows_bands(agency, committees, operation, body):
    full, reduced = committees
    referral, key = make_referral(agency, children=[new_child(age_years=7)]), new_key()
    tag = tag_of(full, "getReferral", id=referral["id"])
    first = full.send(operation, body, id=referral["id"], key=key, if_match=tag).expect(201)
    assert first["children"][0]["child_ref"] is not None
    again = reduced.send(operation, body, id=referral["id"], key=key, if_match=tag)
    assert again.status == 201 and {value for _, value in guarded(again.json)} == {None}
    assert again.json == reduced.send("getReferral", id=referral["id"]).json
    assert again.etag != first.etag


def test_a_replay_shows_the_sender_its_own_children(caller):
    """As in every other answer to the sender."""
    client, body, key = new_number("sender")[:40], new_referral(), new_key()
    first = caller("LA-S12000049", client).send("pushReferral", body, key=key).expect(201)
    again = caller("LA-S12000049", client, AGENCY_SCOPES).send("pushReferral", body, key=key)
    assert again.bytes == first.bytes and again["children"][0]["child_ref"] is not None


def test_a_transferred_case_is_not_replayed(committee, other_committee):
    key, body = new_key(), new_case()
    case = committee.send("openCase", body, key=key).expect(201)
    answer(other_committee, "acceptTransfer", propose(committee, case).expect(201)).expect(201)
    reply = committee.send("openCase", body, key=key)
    assert (reply.status, reply.code) == (404, "not_found")


def test_a_finding_is_not_replayed_to_a_reviewer_whose_access_ended(committee, caller):
    client = new_number("reviewer")[:40]
    reviewer = caller("INDEPENDENT", client, "cases.read reviews.write")
    case = advance(committee, make_case(committee), "review")
    access = grant(committee, case, client_id=client).expect(201)
    key, body = new_key(), new_finding()
    first = reviewer.send("addFinding", body, id=case["id"], key=key).expect(201)
    assert reviewer.send("addFinding", body, id=case["id"], key=key).bytes == first.bytes
    change(committee, access, ended_on=today()).expect(200)
    reply = reviewer.send("addFinding", body, id=case["id"], key=key)
    assert (reply.status, reply.code) == (404, "not_found")


def test_a_replay_shows_the_owner_of_an_action_no_case_data(committee, other_committee):
    case, key = advance(committee, make_case(committee), "decision"), new_key()
    body = new_action(owner_organisation="CPC-GLA")
    first = committee.send("createAction", body, id=case["id"], key=key).expect(201)
    assert first["case_id"] == case["id"]
    answer(other_committee, "acceptTransfer", propose(committee, case).expect(201)).expect(201)
    again = committee.send("createAction", body, id=case["id"], key=key)
    assert (again.status, again["id"]) == (201, first["id"])
    assert case["id"] not in again.bytes.decode() and again["links"]["case"] is None


def test_a_change_that_ends_its_callers_access_is_replayed(agency, committee):
    """A committee that transfers a referral no longer sees it, but may find out whether the transfer succeeded."""
    referral, key = make_referral(agency), new_key()
    tag = tag_of(committee, "getReferral", id=referral["id"])
    more = {"id": referral["id"], "key": key, "if_match": tag}
    body = {"to_committee": "EDH", "local_authority": "S12000036", "transferred_on": today()}
    first = committee.send("transferReferral", body, **more).expect(201)
    assert committee.send("getReferral", id=referral["id"]).status == 404
    assert committee.send("transferReferral", body, **more).bytes == first.bytes


def test_erased_data_is_in_no_stored_answer(committee, cluster):
    keys = [new_key(), new_key()]
    body = new_case()
    case = committee.send("openCase", body, key=keys[0]).expect(201)
    committee.send("addChild", new_child(), id=case["id"], key=keys[1]).expect(201)
    erasing = new_key()
    erase(committee, cluster, make_old_case(committee, cluster, case["id"]), key=erasing).expect(201)
    left = cluster.execute("select key from register.idempotency_key where key = any (%s)", [[*keys, erasing]])
    assert left == [(erasing,)]


def test_the_answer_of_a_deleted_webhook_is_not_replayed_with_its_secret(committee):
    key, body = new_key(), new_webhook()
    webhook = committee.send("createWebhook", body, key=key).expect(201)["webhook"]
    assert committee.send("createWebhook", body, key=key)["webhook"] == webhook
    committee.send("deleteWebhook", id=webhook["id"]).expect(200, 204)
    reply = committee.send("createWebhook", body, key=key)
    assert (reply.status, reply.code) == (404, "not_found")
