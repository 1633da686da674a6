"""More time for an action: the owner asks, and the committee decides."""
import pytest

from client import new_key
from payloads import completion, days_ago, days_ahead, new_extension
from scenarios import make_action, make_case, make_completed_action, tag_of
from test_changes import follow, of
from test_timeline import members, timeline


@pytest.fixture
def action(committee):
    return make_action(committee)


def ask(client, action, **members):
    return client.send("requestExtension", new_extension(**members), id=action["id"])


def answer(client, action, **members):
    return client.send("answerExtension", members, id=action["id"],
                       if_match=tag_of(client, "getAction", id=action["id"]))


def log(client, action):
    return client.send("listActionUpdates", id=action["id"])["items"]


def request_of(reply):
    return tuple(reply[name] for name in ("requested_due_on", "extension_reason", "extension_requested_on"))


def test_the_due_date_stays_until_the_committee_agrees(committee, agency, action):
    asked = ask(agency, action).expect(201)
    assert (asked["due_on"], asked["requested_due_on"]) == (action["due_on"], days_ahead(150))
    agreed = answer(committee, action, outcome="agreed").expect(201)
    assert (agreed["due_on"], agreed["original_due_on"], agreed["slippage_days"]) == (
        days_ahead(150), action["due_on"], 60)
    assert request_of(agreed) == (None, None, None)
    assert [(one["kind"], one["due_on"], one["reported_by"]) for one in log(agency, action)] == [
        ("extension_requested", days_ahead(150), "LA-S12000049"), ("due_change", days_ahead(150), "CPC-GLA")]


def test_a_refusal_needs_a_reason_and_changes_no_due_date(committee, agency, action):
    ask(agency, action).expect(201)
    reply = answer(committee, action, outcome="refused")
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/reason"}, {"reason_required"})
    refused = answer(committee, action, outcome="refused", reason="The work can begin now.").expect(201)
    assert (refused["due_on"], refused["slippage_days"], request_of(refused)) == (action["due_on"], 0, (None,) * 3)
    assert [(one["kind"], one["note"]) for one in log(agency, action)][1:] == [
        ("extension_refused", "The work can begin now.")]


@pytest.mark.parametrize("due_on, message", [
    (days_ahead(90), "present due date"), (days_ago(1), "today")])
def test_the_requested_day_must_be_later(agency, action, due_on, message):
    reply = ask(agency, action, due_on=due_on)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/due_on"}, {"date_order"})
    assert any(message in one["message"] for one in reply["errors"])


def test_only_the_owner_asks_and_only_the_committee_answers(committee, agency, health, action):
    assert ask(committee, action).status == 404
    assert ask(health, action).status == 404
    ask(agency, action).expect(201)
    assert answer(agency, action, outcome="agreed").status == 404
    assert agency.send("getAction", id=action["id"])["due_on"] == action["due_on"]


def test_only_a_request_that_waits_is_answered(committee, agency, action):
    reply = answer(committee, action, outcome="agreed")
    assert (reply.status, reply.rules) == (409, {"no_extension_request"})
    done = make_completed_action(committee, agency)
    for reply in (ask(agency, done), answer(committee, done, outcome="agreed")):
        assert (reply.status, reply.rules) == (409, {"not_in_progress"})


def test_an_answer_is_to_the_request_that_the_committee_read(committee, agency, action):
    first = ask(agency, action).expect(201)
    ask(agency, action, due_on=days_ahead(200)).expect(201)
    reply = committee.send("answerExtension", {"outcome": "agreed"}, id=action["id"], if_match=first["etag"])
    assert (reply.status, reply.code) == (412, "version_stale")
    assert answer(committee, action, outcome="agreed")["due_on"] == days_ahead(200)


def test_asking_again_with_the_same_key_replays(agency, action):
    key = new_key()
    first, second = [agency.send("requestExtension", new_extension(), id=action["id"], key=key) for _ in range(2)]
    assert (second.bytes, len(log(agency, action))) == (first.bytes, 1)


@pytest.mark.parametrize("end", [
    lambda committee, agency, at: agency.send("completeAction", completion(), **at),
    lambda committee, agency, at: committee.send(
        "changeAction", {"status": "superseded", "reason": "A national programme does it."},
        if_match=tag_of(committee, "getAction", **at), **at),
    lambda committee, agency, at: committee.send(
        "changeAction", {"owner_organisation": "HB-S08000031", "owner_accepted_on": days_ago(0)},
        if_match=tag_of(committee, "getAction", **at), **at),
    lambda committee, agency, at: committee.send(
        "changeAction", {"due_on": days_ahead(150), "due_change_reason": "Agreed in a meeting."},
        if_match=tag_of(committee, "getAction", **at), **at)])
def test_a_request_lapses_with_its_purpose(committee, agency, action, end):
    ask(agency, action).expect(201)
    assert request_of(end(committee, agency, {"id": action["id"]})) == (None, None, None)


def test_feed_timeline_and_list_show_a_request(committee, agency):
    case = make_case(committee, "decision")
    action, other = make_action(committee, case), make_action(committee, case)
    readers = [follow(client) for client in (committee, agency)]
    ask(agency, action).expect(201)
    for reader in readers:
        event, = of(reader.read(), action["id"])
        assert event["changed"] == ["extension_reason", "extension_requested_on", "requested_due_on"]
    for wanted, listed in (("true", action), ("false", other)):
        items = committee.send("listActions", query=f"case_id={case['id']}&extension_requested={wanted}")["items"]
        assert [one["id"] for one in items] == [listed["id"]]
    entry = timeline(committee, case)[-1]
    assert (entry["subject"], entry["kind"], entry["recorded_by"]) == ("action", "changed", "LA-S12000049")
    assert members(entry)["requested_due_on"] == (None, days_ahead(150))
