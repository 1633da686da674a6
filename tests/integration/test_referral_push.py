"""Pushing referrals one by one: created once, whatever is repeated, and however many run concurrently."""
import concurrent.futures
import copy

from client import new_key
from payloads import dead_child, full_referral, new_child, new_referral, today


def in_parallel(count, work):
    with concurrent.futures.ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(work, range(count)))


def test_a_first_push_creates_the_referral(agency):
    document = new_referral()
    reply = agency.send("pushReferral", document)
    assert reply.status == 201
    assert reply["status"] == "submitted"
    assert reply["source_organisation"] == "LA-S12000049"
    assert reply["received_on"] == today()
    assert reply["version"] == 1


def test_the_answer_has_the_location_of_the_referral(agency):
    reply = agency.send("pushReferral", new_referral())
    assert reply.headers["Location"] == reply["links"]["self"] == f"/v1/referrals/{reply['id']}"


def test_every_sent_member_is_returned(agency):
    document = full_referral()
    sent = {name: value for name, value in document.items() if name != "children"}
    reply = agency.send("pushReferral", document)
    assert {name: reply[name] for name in sent} == sent


def test_members_left_out_get_their_defaults(agency):
    reply = agency.send("pushReferral", new_referral())
    assert (reply["source_role"], reply["guidance_edition"]) == ("agency", "child_2024")
    assert reply["incident_on"] is None and reply["other_committees"] == []
    assert reply["children"][0]["ethnic_group"] == "unknown"


def test_the_senders_identifier_of_a_child_is_never_stored(agency, cluster):
    document = new_referral(children=[new_child(family_id="family-of-the-sender")])
    reply = agency.send("pushReferral", document)
    stored = cluster.execute("select r::text from register.referral r where id = %s",
                             [reply["id"]])[0][0]
    assert document["children"][0]["child_id"] not in stored + reply.bytes.decode()
    assert "family-of-the-sender" not in stored + reply.bytes.decode()


def test_the_same_child_gets_the_same_reference_within_a_committee(agency):
    child = new_child()
    first, second = [agency.send("pushReferral", new_referral(children=[child]))
                     for _ in range(2)]
    assert first["children"][0]["child_ref"] == second["children"][0]["child_ref"]


def test_the_same_child_gets_another_reference_in_another_committee(agency):
    child = new_child()
    here = agency.send("pushReferral", new_referral(children=[child]))
    there = agency.send("pushReferral", new_referral(children=[child], committee="EDH",
                                                     local_authority="S12000036"))
    assert here["children"][0]["child_ref"] != there["children"][0]["child_ref"]


def test_a_repetition_with_the_same_key_gets_the_same_bytes(agency):
    document, key = new_referral(), new_key()
    first, second = [agency.send("pushReferral", document, key=key) for _ in range(2)]
    assert (first.status, second.status) == (201, 201)
    assert second.bytes == first.bytes
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_a_repetition_with_the_same_key_has_the_same_etag_and_location(agency):
    document, key = new_referral(), new_key()
    first, second = [agency.send("pushReferral", document, key=key) for _ in range(2)]
    assert second.etag == first.etag
    assert second.headers["Location"] == first.headers["Location"]


def test_a_quoted_key_is_the_same_key(agency):
    document, key = new_referral(), new_key()
    first = agency.send("pushReferral", document, key=key)
    second = agency.send("pushReferral", document, key=f'"{key}"')
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"


def test_the_order_of_members_does_not_matter(agency):
    document, key = new_referral(), new_key()
    turned = dict(reversed(document.items()))
    agency.send("pushReferral", document, key=key)
    assert agency.send("pushReferral", turned, key=key).status == 201


def test_a_key_of_another_referral_is_refused(agency):
    key = new_key()
    agency.send("pushReferral", new_referral(), key=key)
    reply = agency.send("pushReferral", new_referral(), key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


def test_two_clients_may_use_the_same_key(agency, health):
    key = new_key()
    agency.send("pushReferral", new_referral(), key=key)
    assert health.send("pushReferral", new_referral(), key=key).status == 201


def test_a_refused_push_does_not_use_its_key(agency):
    document, key = new_referral(notified_on="2999-01-01"), new_key()
    assert agency.send("pushReferral", document, key=key).status == 422
    assert agency.send("pushReferral", new_referral(), key=key).status == 201


def test_a_natural_key_with_equal_content_finds_the_referral(agency):
    document = full_referral()
    first, second = [agency.send("pushReferral", document) for _ in range(2)]
    assert (first.status, second.status) == (201, 200)
    assert second.json == first.json
    assert second.headers["Location"] == first.headers["Location"]


def test_a_natural_key_with_an_explicit_default_is_equal_content(agency):
    document = new_referral()
    agency.send("pushReferral", document)
    assert agency.send("pushReferral", {**document, "other_committees": []}).status == 200


def test_a_natural_key_with_changed_content_is_a_conflict(agency):
    document = new_referral()
    agency.send("pushReferral", document)
    reply = agency.send("pushReferral", {**document, "discussed_with_partners": True})
    assert (reply.status, reply.code) == (409, "natural_key_conflict")


def test_a_changed_child_is_changed_content(agency):
    document = new_referral()
    agency.send("pushReferral", document)
    changed = copy.deepcopy(document)
    changed["children"][0]["child_id"] += "x"
    assert agency.send("pushReferral", changed).status == 409


def test_two_organisations_may_use_the_same_natural_key(agency, health):
    document = new_referral()
    assert agency.send("pushReferral", document).status == 201
    assert health.send("pushReferral", document).status == 201


def test_of_64_concurrent_equal_pushes_one_creates_and_63_find_it(agency):
    document = new_referral()
    replies = in_parallel(64, lambda _: agency.send("pushReferral", document))
    assert sorted(reply.status for reply in replies) == [200] * 63 + [201]
    assert len({reply["id"] for reply in replies}) == 1


def test_32_concurrent_equal_pushes_with_one_key_get_the_first_answer(agency):
    document, key = new_referral(), new_key()
    replies = in_parallel(32, lambda _: agency.send("pushReferral", document, key=key))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.bytes for reply in replies}) == 1
    fresh = [reply for reply in replies if "Idempotency-Replayed" not in reply.headers]
    assert len(fresh) == 1


def test_a_bad_push_does_not_fail_good_ones_in_its_group(agency, health):
    def push(number):
        sender = agency if number % 2 else health
        bad = number % 4 == 3
        return sender.send("pushReferral", new_referral(
            notified_on="2999-01-01" if bad else today(), children=[dead_child()]))
    replies = in_parallel(64, push)
    assert [reply.status for reply in replies] == [201, 201, 201, 422] * 16


def test_an_unknown_organisation_does_not_fail_other_pushes_in_its_group(agency, caller):
    stranger = caller("LA-S12999999", "stranger", "referrals.write")

    def push(number):
        return (stranger if number % 8 == 0 else agency).send("pushReferral", new_referral())
    replies = in_parallel(32, push)
    assert [reply.status for reply in replies] == [403 if n % 8 == 0 else 201 for n in range(32)]


def test_pushes_of_an_unknown_organisation_are_never_stored_under_another(agency, caller, cluster):
    stranger = caller("LA-S12999999", "stranger", "referrals.write")
    strange = [new_referral() for _ in range(8)]

    def push(number):
        sender, document = (agency, new_referral()) if number % 4 else (
            stranger, strange[number // 4])
        return sender.send("pushReferral", document)
    in_parallel(32, push)
    stored = cluster.execute("select source_organisation from register.referral "
                             "where source_reference = any (%s)",
                             [[one["source_reference"] for one in strange]])
    assert stored == []


def test_of_concurrent_pushes_with_conflicting_content_one_is_stored(agency):
    document = new_referral()
    variants = [{**document, "basis": f"Variant {number} of the text."} for number in range(16)]
    replies = in_parallel(16, lambda n: agency.send("pushReferral", variants[n]))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 15
