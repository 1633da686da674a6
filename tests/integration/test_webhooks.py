"""Webhooks: events of the change feed arrive at the receiver's address, signed, in order, until they are accepted."""
import base64
import collections
import json
import pathlib
import subprocess
import threading
import time
import uuid

import pytest

import contract_reader
from client import ALL_SCOPES, new_key
from payloads import days_ago, days_ahead, new_access, new_referral, new_webhook, today
from receiver import overlapping
from scenarios import make_action, make_case, make_delivery, make_referral, tag_of
import waiting
from waiting import WATCHDOG_S

CHANGES_EACH = 12  # by each writer
NARROW = "webhooks.manage changes.read actions.read"


@pytest.fixture
def registered():
    """Registers a webhook for an endpoint and deletes it afterwards: registered(client, endpoint, types=…)."""
    made = []

    def register(client, endpoint, **more):
        reply = client.send("createWebhook", {"url": endpoint.url, **more}).expect(201)
        made.append((client, reply["webhook"]["id"]))
        return reply
    yield register
    for client, webhook in made:
        client.send("deleteWebhook", id=webhook)


@pytest.fixture
def client(caller):
    """A separate client of the committee, so that tests do not interfere."""
    return caller("CPC-GLA", f"hooks-{uuid.uuid4().hex[:12]}")


def summarise(committee, case_id, text=None):
    """Changes a case without moving it."""
    return committee.send("changeCase", {"summary": text or uuid.uuid4().hex}, id=case_id,
                          if_match=tag_of(committee, "getCase", id=case_id)).expect(200)


def of_cases(cases):
    return lambda found: [one for one in found if one.case in cases]


def of_case(case_id):
    return of_cases([case_id])


def log_of(client, webhook, status=None):
    query = f"limit=200{f'&status={status}' if status else ''}"
    return client.send("listDeliveries", query=query, id=webhook).expect(200)["items"]


def wait_for(find):
    return waiting.wait_until(find, "what the webhook waits for")


def wait_until(client, webhook, status, **wanted):
    """Waits until an entry of the log has the status, and these members."""
    return wait_for(lambda: [one for one in log_of(client, webhook, status)
                             if wanted.items() <= one.items()])[0]


def test_a_change_arrives_as_in_the_feed_and_signed(client, registered, receiver):
    endpoint = receiver.endpoint()
    hook = registered(client, endpoint, types=["case"])
    before = int(time.time())
    case = make_case(client)
    message = endpoint.wait(lambda found: [one for one in found if one.case == case["id"]])[-1]
    told = client.send("listChanges", query="limit=500", headers={"Accept": "application/cloudevents-batch+json"})
    while told.json[-1]["data"]["more"]:
        told = client.request("GET", told.json[-1]["data"]["next"].removeprefix(client.url),
                              headers={"Accept": "application/cloudevents-batch+json"})
    assert message.event in told.json
    assert message.event["type"] == "learning-reviews.case.created"
    assert message.headers["content-type"].startswith("application/cloudevents+json")
    assert before <= int(message.headers["webhook-timestamp"]) <= time.time()  # clock: the order of three instants
    assert message.is_signed_with(hook["secret"])
    assert not message.is_signed_with("whsec_" + "A" * 43 + "=")
    line = wait_until(client, hook["webhook"]["id"], "delivered", event_id=message.event["id"])
    assert (line["id"], line["attempts"], line["last_status"], line["last_result"]) == (message.id, 1, 204, "delivered")
    assert client.send("getDelivery", id=hook["webhook"]["id"], delivery_id=message.id).json == line


def test_a_sent_event_is_valid_by_the_contract(client, registered, receiver):
    endpoint = receiver.endpoint()
    hook = registered(client, endpoint)
    make_case(client)
    client.send("pingWebhook", id=hook["webhook"]["id"]).expect(201)
    node = contract_reader.webhook(contract_reader.load())
    schema = contract_reader.validator(node["requestBody"]["content"]["application/cloudevents+json"]["schema"])
    found = endpoint.wait(lambda found: {"learning-reviews.webhook.ping", "learning-reviews.case.created"} <= {
        one.event["type"] for one in found})
    for message in found:
        assert contract_reader.faults(schema, message.event) == []
        for one in node["parameters"]:
            assert contract_reader.faults(contract_reader.validator(one["schema"]), message.headers[one["name"]]) == []


@pytest.mark.parametrize("types, expected", [
    (["action.changed"], {"action.changed"}), (["action"], {"action.created", "action.changed"}),
    (["case.removed", "child"], {"child.created"})])
def test_only_requested_types_arrive(client, registered, receiver, types, expected):
    endpoint = receiver.endpoint()
    hook = registered(client, endpoint, types=types)
    action = make_action(client)
    client.send("changeAction", {"title": "Another title of it"}, id=action["id"],
                if_match=tag_of(client, "getAction", id=action["id"])).expect(200)
    mine = (lambda one: one.event["data"].get("subject_id") == action["id"] or one.case == action["case_id"])
    found = endpoint.wait(lambda found: expected <= {one.event["data"]["type"] for one in found if mine(one)})
    client.send("pingWebhook", id=hook["webhook"]["id"]).expect(201)
    found = endpoint.wait(lambda found: found[-1].event["type"] == "learning-reviews.webhook.ping")
    assert {one.event["data"]["type"] for one in found[:-1] if mine(one)} == expected


def test_a_webhook_has_the_scopes_of_the_token_that_registered_it(caller, committee, registered, receiver):
    narrow = caller("CPC-GLA", "hooks-narrow", NARROW)
    endpoint = receiver.endpoint()
    registered(narrow, endpoint)
    action = make_action(committee)
    endpoint.wait(lambda found: [one for one in found if one.event["data"]["subject_id"] == action["id"]])
    assert {one.event["data"]["subject"] for one in endpoint.accepted} == {"action"}


def test_order_is_kept_per_case_with_concurrent_writers_and_failures(client, instances, registered, receiver,
                                                                     in_background):
    seen = collections.Counter()

    def unsteady(message):
        seen[message.id] += 1
        time.sleep(message.number % 7 * 0.004)  # clock: answers arrive in another order; no verdict depends on it
        return 503 if message.number % 9 == 0 and seen[message.id] == 1 else 204
    endpoint = receiver.endpoint(unsteady)
    registered(client, endpoint, types=["case.changed"])
    cases = [make_case(client)["id"] for _ in range(5)]

    def write(number):
        """Other writers change the same cases, so a change may need another attempt."""
        writer, done = client.at(instances[number % 2].url), 0
        while done < CHANGES_EACH:
            case = cases[(number + done) % len(cases)]
            done += writer.send("changeCase", {"summary": uuid.uuid4().hex}, id=case,
                                if_match=tag_of(writer, "getCase", id=case)).status == 200
    writing = [in_background(write, number) for number in range(5)]
    for each in writing:
        each.result(timeout=WATCHDOG_S)
    found = endpoint.wait(lambda found: sum(one.accepted for one in of_cases(cases)(found)) == 5 * CHANGES_EACH)
    found = sorted(of_cases(cases)(found), key=lambda one: one.began)
    assert overlapping(found, lambda one: one.case) == []
    for case in cases:
        sent = [one.number for one in found if one.case == case]
        assert sent == sorted(sent) and len(set(sent)) > 1
    assert collections.Counter(one.id for one in found if one.accepted).most_common(1)[0][1] == 1


def test_a_receiver_that_recovers_gets_all_events_in_order(client, registered, receiver):
    broken = threading.Event()
    broken.set()
    endpoint = receiver.endpoint(lambda message: 500 if broken.is_set() else 204)
    hook = registered(client, endpoint, types=["case"])["webhook"]
    case = make_case(client)["id"]
    for _ in range(3):
        summarise(client, case)
    line = wait_until(client, hook["id"], "pending", last_result="refused")
    assert (line["last_status"], line["finished_at"]) == (500, None)
    assert {one.number for one in endpoint.messages if one.case == case} == {int(line["event_id"])}, "a later one came"
    broken.clear()
    endpoint.wait(lambda found: sum(one.accepted and one.case == case for one in found) >= 4)
    accepted = of_case(case)(endpoint.accepted)
    assert [one.event["data"]["version"] for one in accepted] == [1, 2, 3, 4]
    wait_for(lambda: client.send("getWebhook", id=hook["id"])["pending"] == 0)


def test_a_refused_event_does_not_delay_other_cases(client, registered, receiver):
    bad = []
    endpoint = receiver.endpoint(lambda message: 500 if message.case in bad else 204)
    hook = registered(client, endpoint, types=["case"])["webhook"]
    bad.append(make_case(client)["id"])
    good = make_case(client)["id"]
    endpoint.wait(of_case(good))
    for _ in range(3):
        summarise(client, good)
    endpoint.wait(lambda found: len(of_case(good)([one for one in found if one.accepted])) == 4)
    assert of_case(bad[0])(endpoint.accepted) == []
    assert log_of(client, hook["id"], "pending")


def test_410_pauses_the_webhook_until_it_is_enabled_again(client, registered, receiver):
    gone = [True]
    endpoint = receiver.endpoint(lambda message: 410 if gone else 204)
    hook = registered(client, endpoint, types=["case"])["webhook"]
    case = make_case(client)["id"]
    paused = wait_for(lambda: (one := client.send("getWebhook", id=hook["id"]))["status"] == "paused" and one)
    assert paused["paused_because"] == "gone"
    summarise(client, case)
    count = len(endpoint.messages)
    gone.clear()
    resumed = client.send("changeWebhook", {"status": "enabled"}, id=hook["id"], if_match=paused.etag).expect(200)
    assert (resumed["status"], resumed["paused_because"]) == ("enabled", None)
    endpoint.wait(lambda found: len(of_case(case)([one for one in found if one.accepted])) == 2)
    assert [one.status for one in endpoint.messages[:count]] == [410] * count
    assert [one.event["data"]["version"] for one in of_case(case)(endpoint.accepted)] == [1, 2]


def test_a_paused_webhook_sends_nothing_and_loses_nothing(client, registered, receiver):
    endpoint = receiver.endpoint()
    made = registered(client, endpoint, types=["case"])
    paused = client.send("changeWebhook", {"status": "paused"}, id=made["webhook"]["id"],
                         if_match=made.etag).expect(200)
    assert paused["paused_because"] == "client"
    case = make_case(client)["id"]
    probe = receiver.endpoint()
    registered(client, probe, types=["case"])
    summarise(client, case)
    probe.wait(of_case(case))
    assert endpoint.messages == []
    client.send("changeWebhook", {"status": "enabled"}, id=made["webhook"]["id"], if_match=paused.etag).expect(200)
    endpoint.wait(lambda found: [one.event["data"]["version"] for one in of_case(case)(found)] == [1, 2])


def test_a_replay_sends_the_same_event_again(client, registered, receiver):
    endpoint = receiver.endpoint()
    hook = registered(client, endpoint, types=["case"])
    case = make_case(client)["id"]
    first = of_case(case)(endpoint.wait(of_case(case)))[0]
    place = {"id": hook["webhook"]["id"], "delivery_id": first.id}
    wait_for(lambda: client.send("getDelivery", **place)["status"] == "delivered")
    assert client.send("replayDelivery", key=new_key(), **place).expect(200)["status"] == "pending"
    again = endpoint.wait(lambda found: len([one for one in found if one.id == first.id]) == 2)[-1]
    assert (again.id, again.body) == (first.id, first.body)
    assert again.is_signed_with(hook["secret"])
    assert wait_until(client, place["id"], "delivered", id=first.id, attempts=2)


def test_a_pending_event_is_not_replayed(client):
    place = make_delivery(client)
    reply = client.send("replayDelivery", **place)
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict", {"delivery_pending"})
    client.send("deleteWebhook", id=place["id"]).expect(200)


def test_for_a_day_both_the_old_and_the_new_secret_sign(client, cluster, registered, receiver):
    endpoint = receiver.endpoint()
    made = registered(client, endpoint, types=["case"])
    place = {"id": made["webhook"]["id"]}
    rotated = client.send("rotateWebhookSecret", **place).expect(200)
    assert rotated["webhook"]["secret_generation"] == 2 and rotated["webhook"]["old_secret_until"]
    assert rotated["secret"] != made["secret"]
    client.send("pingWebhook", **place).expect(201)
    message = endpoint.wait_accepted(1)[0]
    assert message.is_signed_with(made["secret"]) and message.is_signed_with(rotated["secret"])
    cluster.execute("update register.webhook set rotated_at = now() - interval '24 hours' where id = %s", (place["id"],))
    client.send("pingWebhook", **place).expect(201)
    message = endpoint.wait_accepted(2)[1]
    assert message.is_signed_with(rotated["secret"]) and not message.is_signed_with(made["secret"])
    assert client.send("getWebhook", **place)["old_secret_until"] is None


def test_after_three_days_an_event_fails_and_the_next_one_is_sent(client, cluster, registered, receiver):
    endpoint = receiver.endpoint(lambda message: 500 if message.event["data"]["version"] == 1 else 204)
    hook = registered(client, endpoint, types=["case"])["webhook"]
    case = make_case(client)["id"]
    summarise(client, case)
    line = wait_until(client, hook["id"], "pending", last_status=500)
    cluster.execute("update register.webhook_delivery set due_at = now(), first_attempt_at = now() - interval '3 days' "
                    "where id = %s", (line["id"],))
    endpoint.wait(lambda found: [one for one in of_case(case)(found) if one.accepted])
    failed = client.send("getDelivery", id=hook["id"], delivery_id=line["id"]).expect(200)
    assert (failed["status"], failed["next_attempt_at"], failed["last_result"]) == ("failed", None, "refused")
    endpoint.answer = lambda message: 204
    client.send("replayDelivery", id=hook["id"], delivery_id=line["id"]).expect(200)
    assert wait_until(client, hook["id"], "delivered", id=line["id"])


@pytest.mark.parametrize("header, least, most", [("3600", 3600, 7200), ("9999999", 86400, 172800), ("x", 0, 1800)])
def test_retry_after_is_respected_for_up_to_a_day(client, cluster, registered, receiver, header, least, most):
    """Measured from the attempt to the next one; the attempt itself may have taken long."""
    endpoint = receiver.endpoint(lambda message: (503, {"Retry-After": header}, b""))
    hook = registered(client, endpoint)["webhook"]
    client.send("pingWebhook", id=hook["id"]).expect(201)
    line = wait_until(client, hook["id"], "pending", last_status=503)
    (seconds,), = cluster.execute("select extract(epoch from due_at - last_attempt_at)::float "
                                  "from register.webhook_delivery where id = %s", (line["id"],))
    assert least <= seconds < most


def test_retries_wait_five_times_longer_each_up_to_twelve_hours(cluster):
    waits = [cluster.execute("select extract(epoch from webhook_wait(n, 10, 0))::float, n "
                             f"from generate_series({n}, {n}) n, generate_series(1, 50)") for n in range(1, 10)]
    for found, expected in zip(waits, [10, 50, 250, 1250, 6250, 31250, 43200, 43200, 43200]):
        values = [value for value, _ in found]
        assert min(values) >= 0.9 * expected and max(values) <= 1.1 * expected
        assert max(values) > min(values)


def test_a_redirection_is_not_followed(client, registered, receiver):
    elsewhere = receiver.endpoint()
    endpoint = receiver.endpoint(lambda message: (307, {"Location": elsewhere.url}, b""))
    hook = registered(client, endpoint)["webhook"]
    client.send("pingWebhook", id=hook["id"]).expect(201)
    assert wait_until(client, hook["id"], "pending", last_status=307)["last_result"] == "refused"
    assert elsewhere.messages == []


def test_a_certificate_for_another_name_is_rejected(client, registered, receiver):
    endpoint = receiver.endpoint(host="127.0.0.1")
    hook = registered(client, endpoint)["webhook"]
    client.send("pingWebhook", id=hook["id"]).expect(201)
    assert wait_until(client, hook["id"], "pending", last_result="unreachable")["last_status"] is None
    assert endpoint.messages == []


def test_an_endless_response_body_counts_as_accepted(client, registered, receiver):
    endpoint = receiver.endpoint(lambda message: (200, {}, b"x" * 3_000_000))
    hook = registered(client, endpoint)["webhook"]
    client.send("pingWebhook", id=hook["id"]).expect(201)
    assert wait_until(client, hook["id"], "delivered")["last_status"] == 200
    assert len(endpoint.messages) == 1


def test_for_a_case_without_access_only_its_removal_is_sent(caller, committee, registered, receiver):
    name = f"hooks-{uuid.uuid4().hex[:12]}"
    reviewer = caller("INDEPENDENT", name)
    case = make_case(committee)["id"]
    access = committee.send("grantAccess", new_access(organisation="INDEPENDENT", client_id=name, role="reviewer",
                                                      starts_on=days_ago(1), ends_on=days_ahead(30)),
                            id=case).expect(201)
    broken = threading.Event()
    broken.set()
    endpoint = receiver.endpoint(lambda message: 500 if broken.is_set() else 204)
    hook = registered(reviewer, endpoint, types=["case"])["webhook"]
    summarise(committee, case)
    line = wait_until(reviewer, hook["id"], "pending", last_status=500)
    committee.send("changeAccess", {"ended_on": today()}, id=case, access_id=access["id"],
                   if_match=access.etag).expect(200)
    broken.clear()
    endpoint.wait(lambda found: [one for one in found if one.accepted])
    assert [one.event["data"]["type"] for one in endpoint.accepted] == ["case.removed"]
    assert endpoint.accepted[0].event["data"]["links"] == {"self": None}
    assert reviewer.send("getDelivery", id=hook["id"], delivery_id=line["id"])["status"] == "abandoned"


@pytest.mark.parametrize("url, rule", [
    ("http://localhost:9/", "https_required"),
    ("ftp://localhost:9/", "https_required"),
    ("https://user@localhost:9/", "user_in_address"),
    ("https://user:word@localhost:9/", "user_in_address"),
    ("https://localhost:9/#part", "fragment_in_address"),
    ("https://localhost/", "host_not_allowed"),
    ("https://localhost:10/", "host_not_allowed"),
    ("https://example.org:9/", "host_not_allowed"),
    ("https://localhost.example.org:9/", "host_not_allowed"),
    ("https://169.254.169.254/latest/meta-data", "host_not_allowed"),
    ("https://[::1]:9/", "host_not_allowed"),
    ("https://2130706433:9/", "host_not_allowed"),
    ("https://example.org:9@localhost/", "user_in_address")])
def test_a_forbidden_address_is_refused(client, url, rule):
    reply = client.send("createWebhook", new_webhook(url=url))
    assert (reply.status, reply.code) == (422, "webhook_target_refused")
    assert (reply.rules, reply.pointers) == ({rule}, {"/url"})
    assert "localhost" not in json.dumps(reply["errors"])


PRIVATE = ["127.0.0.1", "127.1.2.3", "10.1.2.3", "172.20.1.1", "192.168.1.1", "169.254.169.254", "100.64.1.1",
           "0.0.0.0", "[::1]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]


def test_an_address_that_resolves_to_a_private_one_is_refused(extra_instance, caller):
    strict = extra_instance(LR_WEBHOOK_NETWORKS="", LR_WEBHOOK_HOSTS=",".join([*PRIVATE, "localhost", "*.invalid"]))
    client = caller("CPC-GLA", "hooks-strict", ALL_SCOPES, strict)
    for host in [*PRIVATE, "localhost", "0x7f.1", "2130706433"]:
        reply = client.send("createWebhook", {"url": f"https://{host}/"})
        assert (reply.status, reply.code) == (422, "webhook_target_refused"), host
        assert reply.rules <= {"address_not_public", "host_not_allowed"}, host
        assert host not in [*PRIVATE, "localhost"] or reply.rules == {"address_not_public"}, host
    strict.stop()


def test_a_name_without_an_address_and_a_private_one_get_the_same_answer(extra_instance, caller):
    """A client must not find out which names the register's network has; the log informs the operator."""
    strict = extra_instance(LR_WEBHOOK_NETWORKS="", LR_WEBHOOK_HOSTS="localhost,*.invalid")
    client = caller("CPC-GLA", "hooks-names", ALL_SCOPES, strict)
    replies = [client.send("createWebhook", {"url": url}) for url in ("https://localhost/", "https://nothing.invalid/")]
    reasons = []
    for reply in replies:
        own = reply.json.pop("request_id")
        assert reply.json.pop("instance") == f"urn:uuid:{own}"
        reasons += [line["reason"] for line in strict.log_lines() if line.get("request_id") == own]
    assert replies[0].json == replies[1].json and replies[0].rules == {"address_not_public"}
    assert reasons == ["address_private", "address_unresolved"]
    strict.stop()


def test_a_changed_address_is_checked_too(client, registered, receiver):
    made = registered(client, receiver.endpoint())
    place = {"id": made["webhook"]["id"]}
    reply = client.send("changeWebhook", {"url": "http://localhost:9/"}, if_match=made.etag, **place)
    assert (reply.status, reply.code, reply.rules) == (422, "webhook_target_refused", {"https_required"})
    other = receiver.endpoint()
    assert client.send("changeWebhook", {"url": other.url}, if_match=made.etag, **place).expect(200)["url"] == other.url
    client.send("pingWebhook", **place).expect(201)
    other.wait_accepted(1)


def test_a_type_outside_the_feed_is_refused(client):
    reply = client.send("createWebhook", new_webhook(types=["case", "weather.changed"]))
    assert (reply.status, reply.code, reply.pointers) == (422, "rule_violation", {"/types/1"})


def test_the_secret_is_returned_once_and_again_for_the_same_key(client):
    key = new_key()
    made = client.send("createWebhook", new_webhook(), key=key).expect(201)
    again = client.send("createWebhook", new_webhook(), key=key).expect(201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == made.json
    place = {"id": made["webhook"]["id"]}
    secret = made["secret"]
    assert secret not in client.send("getWebhook", **place).bytes.decode()
    assert secret not in client.send("listWebhooks").bytes.decode()
    assert secret not in client.send("deleteWebhook", **place).expect(200).bytes.decode()


def test_secrets_are_neither_in_the_database_nor_in_a_log(client, cluster, instances, keys, registered, receiver):
    endpoint = receiver.endpoint(lambda message: 503)
    made = registered(client, endpoint)
    rotated = client.send("rotateWebhookSecret", id=made["webhook"]["id"], key=new_key()).expect(200)
    client.send("pingWebhook", id=made["webhook"]["id"]).expect(201)
    endpoint.wait(lambda found: found)
    dump = subprocess.run([str(cluster.programs / "pg_dump"), "-h", str(cluster.folder), "-U", "postgres",
                           "learning_reviews"], check=True, stdout=subprocess.PIPE, timeout=120).stdout.decode()
    assert made["webhook"]["id"] in dump
    logs = "".join(each.log_text() for each in instances)
    master = pathlib.Path(keys.webhook_file).read_text(encoding="utf-8")
    for secret in (made["secret"], rotated["secret"]):
        bare = secret.removeprefix("whsec_")
        for form in (bare, base64.b64decode(bare).hex(), master):
            assert form not in dump and form not in logs
    assert endpoint.url.rsplit("/", 1)[1] not in logs, "an address may hold a secret of the receiver's"


def test_an_organisation_has_at_most_twenty_webhooks(caller):
    client = caller("HB-S08000017", "hooks-many")
    made = [client.send("createWebhook", new_webhook()).expect(201)["webhook"]["id"] for _ in range(20)]
    reply = client.send("createWebhook", new_webhook())
    assert (reply.status, reply.rules) == (409, {"too_many_webhooks"})
    assert client.send("listWebhooks").ids == made
    for one in made:
        client.send("deleteWebhook", id=one).expect(200)
    assert client.send("deleteWebhook", id=made[0]).status == 404


def test_at_most_four_events_are_in_flight_to_a_webhook(client, registered, receiver):
    """Another webhook of the same client gets all seven before any of the four is answered."""
    def most_at_once():
        held, under_way, most = threading.Event(), [], []

        def hold(message):
            under_way.append(message)
            most.append(len(under_way))
            held.wait(WATCHDOG_S)
            under_way.remove(message)
            return 204
        endpoint, probe = receiver.endpoint(hold), receiver.endpoint()
        hook = registered(client, endpoint, types=["case.created"])["webhook"]
        registered(client, probe, types=["case.created"])
        cases = [make_case(client)["id"] for _ in range(7)]
        probe.wait(lambda found: len(of_cases(cases)(found)) == 7)
        wait_for(lambda: len(under_way) >= 4)
        held.set()
        endpoint.wait(lambda found: len({one.case for one in of_cases(cases)(found)}) == 7)
        given_up = [one for one in log_of(client, hook["id"]) if one["attempts"] > 1]
        return None if given_up else max(most)  # on a machine that hangs for ten seconds
    assert wait_for(most_at_once) == 4


def test_a_webhook_has_at_most_a_thousand_pending_events(client, agency, cluster, registered, receiver):
    hook = registered(client, receiver.endpoint(lambda message: 503), types=["referral.created"])["webhook"]
    agency.send("pushReferrals", [new_referral() for _ in range(1000)]).expect(207)
    last = [make_referral(agency)["id"] for _ in range(5)]
    wait_for(lambda: client.send("getWebhook", id=hook["id"])["pending"] >= 1000)
    probe = receiver.endpoint()
    registered(client, probe, types=["case"])
    probe.wait(of_case(make_case(client)["id"]))  # the feed was read once more since
    assert client.send("getWebhook", id=hook["id"])["pending"] == 1000
    ahead = cluster.execute("""select count(distinct e.subject_id) from register.feed_event e, register.webhook w
        where w.id = %s and e.number > w.position and e.subject_id = any (%s::uuid[])""", [hook["id"], last])
    assert ahead == [(5,)], "what comes after is read when there is room"


def test_a_receiver_that_does_not_answer_is_given_up_after_ten_seconds(client, registered, receiver):
    asked, over = threading.Event(), threading.Event()

    def silent(message):
        asked.set()
        over.wait(WATCHDOG_S)
        return 204
    hook = registered(client, receiver.endpoint(silent))["webhook"]
    began = time.monotonic()
    client.send("pingWebhook", id=hook["id"]).expect(201)
    assert asked.wait(WATCHDOG_S)
    line = wait_until(client, hook["id"], "pending", last_result="unreachable")
    over.set()
    assert (line["attempts"], line["last_status"]) == (1, None)
    assert time.monotonic() - began >= 10  # clock: a lower bound, which is valid on a slow machine, too


def test_the_log_is_paged_newest_first(client):
    place = make_delivery(client)
    made = [place["delivery_id"]] + [client.send("pingWebhook", id=place["id"]).expect(201)["id"] for _ in range(4)]
    page = client.send("listDeliveries", query="limit=2&status=pending", id=place["id"]).expect(200)
    found = page.ids
    while page["next"]:
        page = client.follow(page["next"]).expect(200)
        found += page.ids
    assert found == made[::-1]
    assert client.send("listDeliveries", query="status=failed", id=place["id"])["items"] == []
    client.send("deleteWebhook", id=place["id"]).expect(200)


def test_without_webhook_settings_no_webhook_is_registered(extra_instance, caller, client):
    off = extra_instance(LR_WEBHOOK_KEY_FILE=None, LR_WEBHOOK_HOSTS=None)
    place = make_delivery(client)
    without = client.at(off.url)
    for reply in (without.send("createWebhook", new_webhook()), without.send("pingWebhook", id=place["id"]),
                  without.send("rotateWebhookSecret", id=place["id"])):
        assert (reply.status, reply.code, reply.rules) == (409, "state_conflict", {"webhooks_off"})
    assert without.send("getWebhook", id=place["id"]).status == 200
    assert "webhook_attempts_total" not in off.admin("/metrics")[1]
    assert without.send("deleteWebhook", id=place["id"]).status == 200
    off.stop()


def test_another_organisations_webhook_is_not_found(client, other_committee):
    place = make_delivery(client)
    assert other_committee.send("listWebhooks")["items"] == []
    for operation in ("getWebhook", "deleteWebhook", "rotateWebhookSecret", "pingWebhook", "listDeliveries"):
        assert other_committee.send(operation, id=place["id"]).status == 404
    client.send("deleteWebhook", id=place["id"]).expect(200)


def test_attempts_and_backlog_are_counted(client, instances, registered, receiver):
    def attempts():
        text = "".join(each.admin("/metrics")[1] for each in instances)
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith('webhook_attempts_total{result="delivered"}'))
    before = attempts()
    hook = registered(client, receiver.endpoint())["webhook"]
    client.send("pingWebhook", id=hook["id"]).expect(201)
    wait_until(client, hook["id"], "delivered")
    assert attempts() >= before + 1
    assert "webhook_oldest_pending_seconds" in instances[0].admin("/metrics")[1]


def test_the_log_is_kept_as_long_as_the_feed(client, cluster):
    place = make_delivery(client)
    cluster.execute("update register.webhook_delivery set created_at = now() - interval '91 days' where id = %s",
                    (place["delivery_id"],))
    assert cluster.execute("select webhook_expire(90, 1000)")[0][0] >= 1
    assert client.send("listDeliveries", id=place["id"])["items"] == []
    client.send("deleteWebhook", id=place["id"]).expect(200)
