"""Conditional requests: an unchanged resource is not sent again, and no change overwrites an unseen one."""
import gzip
import json

import pytest

from payloads import new_action, new_decision, new_referral
from scenarios import decide, make_action, make_case, make_referral

CHANGES = {"changeReferral": {"basis": "A better outline."}, "changeCase": {"summary": "New."},
           "changeChild": {"sex": "other"}, "changeAction": {"priority": "low"}}
READS = {"changeReferral": "getReferral", "changeCase": "getCase", "changeChild": "getChild",
         "changeAction": "getAction"}


@pytest.fixture(scope="module")
def case(committee):
    made = make_case(committee, "decision")
    decide(committee, made["id"]).expect(201)
    return made


@pytest.fixture
def places(agency, committee, case):
    """The caller and the address of a change, by operation."""
    child = committee.send("listChildren", id=case["id"])["items"][0]
    return {"changeReferral": (agency, {"id": make_referral(agency)["id"]}),
            "changeCase": (committee, {"id": case["id"]}),
            "changeChild": (committee, {"id": case["id"], "child_id": child["id"]}),
            "changeAction": (committee, {"id": make_action(committee, case)["id"]})}


@pytest.mark.parametrize("operation", CHANGES)
def test_an_unchanged_resource_is_not_sent_again(places, operation):
    client, path = places[operation]
    first = client.send(READS[operation], **path)
    second = client.send(READS[operation], **path, none_match=first.etag)
    assert (second.status, second.bytes, second.etag) == (304, b"", first.etag)


@pytest.mark.parametrize("operation", CHANGES)
def test_a_changed_resource_is_sent_again(places, operation):
    client, path = places[operation]
    first = client.send(READS[operation], **path)
    client.send(operation, CHANGES[operation], **path, if_match=first.etag).expect(200)
    assert client.send(READS[operation], **path, none_match=first.etag).status == 200


@pytest.mark.parametrize("operation", CHANGES)
def test_the_tag_of_a_change_is_the_tag_of_the_next_read(places, operation):
    client, path = places[operation]
    tag = client.send(READS[operation], **path).etag
    changed = client.send(operation, CHANGES[operation], **path, if_match=tag)
    assert client.send(READS[operation], **path).etag == changed.etag


@pytest.mark.parametrize("operation", CHANGES)
def test_the_etag_in_a_document_allows_one_change(places, operation):
    client, path = places[operation]
    tag = client.send(READS[operation], **path)["etag"]
    changed = client.send(operation, CHANGES[operation], **path, if_match=tag).expect(200)
    assert changed["etag"] != tag
    assert client.send(operation, CHANGES[operation], **path, if_match=tag).status == 412


def test_items_of_lists_have_etags_too(committee, case):
    for item in committee.send("listCases").expect(200)["items"]:
        assert item["etag"] == f'"{item["version"]}"'


@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_without_a_tag_is_refused(places, operation):
    client, path = places[operation]
    reply = client.send(operation, CHANGES[operation], **path)
    assert (reply.status, reply.code) == (428, "precondition_required")


@pytest.mark.parametrize("operation", CHANGES)
def test_a_change_of_an_older_version_is_refused(places, operation):
    client, path = places[operation]
    tag = client.send(READS[operation], **path).etag
    client.send(operation, CHANGES[operation], **path, if_match=tag).expect(200)
    reply = client.send(operation, CHANGES[operation], **path, if_match=tag)
    assert (reply.status, reply.code) == (412, "version_stale")


@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize("tag", ['"0-x"', '"-1"', '"abc"', '"99999999999999999999-x"'])
def test_an_unknown_tag_matches_nothing(places, operation, tag):
    client, path = places[operation]
    assert client.send(operation, CHANGES[operation], **path, if_match=tag).status == 412


@pytest.mark.parametrize("tag", ["1-x", '"1-x', "", '"a b"', 'W/"1-x"', "*"])
def test_anything_but_a_strong_tag_is_refused(places, tag):
    client, path = places["changeCase"]
    reply = client.send("changeCase", CHANGES["changeCase"], **path, if_match=tag)
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_header", {"If-Match"})


def test_an_unchanged_decision_is_not_sent_again(committee, case):
    tag = committee.send("getDecision", id=case["id"]).etag
    assert committee.send("getDecision", id=case["id"], none_match=tag).status == 304


def test_one_of_several_tags_may_match(committee, case):
    tag = committee.send("getCase", id=case["id"]).etag
    reply = committee.send("getCase", id=case["id"], none_match=f'"1-other", {tag}')
    assert reply.status == 304


def test_a_weak_tag_is_valid_for_a_read(committee, case):
    tag = committee.send("getCase", id=case["id"]).etag
    assert committee.send("getCase", id=case["id"], none_match="W/" + tag).status == 304


def test_a_star_matches_any_version(committee, case):
    assert committee.send("getCase", id=case["id"], none_match="*").status == 304


def test_an_expanded_case_has_its_own_tag(committee, case):
    plain = committee.send("getCase", id=case["id"]).etag
    assert committee.send("getCase", id=case["id"], query="expand=stages").etag != plain


def test_the_tag_of_an_expanded_case_is_valid_for_a_change(committee, case):
    tag = committee.send("getCase", id=case["id"], query="expand=stages").etag
    reply = committee.send("changeCase", {"summary": "Changed."}, id=case["id"], if_match=tag)
    assert reply.status == 200


def test_a_new_action_does_not_make_a_change_of_the_case_stale(committee, case):
    tag = committee.send("getCase", id=case["id"]).etag
    committee.send("createAction", new_action(), id=case["id"]).expect(201)
    reply = committee.send("changeCase", {"summary": "Again."}, id=case["id"], if_match=tag)
    assert reply.status == 200


def test_the_decision_has_its_own_tag(committee, case):
    tag = committee.send("getCase", id=case["id"]).etag
    committee.send("changeCase", {"summary": "Once more."}, id=case["id"],
                   if_match=tag).expect(200)
    decision = committee.send("getDecision", id=case["id"])
    reply = committee.send("putDecision", new_decision(), id=case["id"], if_match=decision.etag)
    assert reply.status == 200


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate", "br;q=1.0, gzip;q=0.5"])
def test_a_long_answer_is_compressed_when_the_client_accepts_gzip(committee, accepted):
    reply = committee.send("listStages", headers={"Accept-Encoding": accepted})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply["items"]) == 11


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br"])
def test_an_answer_is_not_compressed_when_the_client_does_not_accept_gzip(committee, accepted):
    reply = committee.send("listStages", headers={"Accept-Encoding": accepted})
    assert "Content-Encoding" not in reply.headers


def test_a_compressed_answer_is_gzip_and_smaller(committee):
    packed = committee.pool.urlopen("GET", "/v1/reference/stages", decode_content=False, headers={
        "Authorization": f"Bearer {committee.token}", "Accept-Encoding": "gzip"}).data
    assert len(packed) < len(gzip.decompress(packed)) / 2


def test_the_tag_of_a_compressed_answer_is_valid_for_a_read(committee):
    tag = committee.send("listStages", headers={"Accept-Encoding": "gzip"}).etag
    assert committee.send("listStages", none_match=tag,
                          headers={"Accept-Encoding": "gzip"}).status == 304


def test_the_tag_of_a_compressed_answer_is_valid_for_a_change(committee, case):
    tag = committee.send("getCase", id=case["id"], query="expand=stages",
                         headers={"Accept-Encoding": "gzip"}).etag
    reply = committee.send("changeCase", {"summary": "After all."}, id=case["id"], if_match=tag)
    assert reply.status == 200


def test_case_data_is_never_cached(committee, case):
    assert committee.send("getCase", id=case["id"]).headers["Cache-Control"] == "no-store"


def test_an_answer_has_one_style_of_json(agency, committee, case):
    """PostgreSQL writes json and jsonb differently."""
    made = make_referral(agency)
    pushed = agency.send("pushReferral", new_referral(basis='Two  words, " : " and a\ttab.')).expect(201)
    tag = committee.send("getCase", id=case["id"]).etag
    for reply in (pushed, agency.send("getReferral", id=made["id"]), agency.send("listReferrals"),
                  committee.send("getCase", id=case["id"], query="expand=stages"), committee.send("listChanges"),
                  committee.send("getStatistics", table="decisions"), committee.send("listStages"),
                  committee.send("changeCase", {"summary": "One style."}, id=case["id"], if_match=tag)):
        compact = json.dumps(reply.expect(reply.status).json, separators=(",", ":"), ensure_ascii=False)
        assert reply.status < 300 and reply.bytes.decode() == compact
