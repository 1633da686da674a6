"""The change feed: every change that a caller may see, once and in order, and gains and losses of access."""
import json
import socket
import struct
import time
import urllib.parse

import pytest

from client import ALL_SCOPES
from payloads import (days_ago, new_access, new_child, new_transfer, new_update, today)
from scenarios import make_accepted_referral, make_action, make_case, make_referral, move, tag_of
from service import Instance
from waiting import WATCHDOG_S, wait_until

WAIT = 30  # seconds: the longest time that a request may wait


def complete(client):
    """Waits until the client's instance returns every present event."""
    instance = Instance.by_url[client.url]
    newest = instance.cluster.execute("select last_value from register.feed_number")[0][0]
    wait_until(lambda: instance.figure("feed_position") >= newest, f"the feed is complete up to {newest}")


class Consumer:
    """Follows the feed from the time when it is made, or from a snapshot."""

    def __init__(self, client, begin="/v1/changes"):
        self.client, self.next = client, f"{client.url}{begin}"

    def page(self, wait=None):
        address = self.next if wait is None else f"{self.next}&wait={wait}"
        reply = self.client.request("GET", urllib.parse.urlsplit(address)._replace(
            scheme="", netloc="").geturl()).expect(200)
        self.next = reply["next"]
        return reply

    def read(self):
        """Returns all present events."""
        complete(self.client)
        events, more = [], True
        while more:
            page = self.page()
            events += page["items"]
            more = page["more"]
        return events


def follow(client):
    """A consumer that has read all events so far."""
    made = Consumer(client)
    made.read()
    return made


def of(events, subject_id):
    return [one for one in events if one["subject_id"] == subject_id]


def types_of(events, subject_id):
    return [one["type"] for one in of(events, subject_id)]


def test_sender_and_committee_get_events_of_a_referral_and_others_do_not(agency, committee, health,
                                                                         other_committee):
    readers = [follow(each) for each in (agency, committee, health, other_committee)]
    referral = make_referral(agency)
    heard = [types_of(each.read(), referral["id"]) for each in readers]
    assert heard == [["referral.created"], ["referral.created"], [], []]


def test_an_event_links_to_the_resource_and_names_the_changed_members(committee):
    case = make_case(committee)
    reader = follow(committee)
    changed = committee.send("changeCase", {"summary": "Shared late."}, id=case["id"],
                             if_match=tag_of(committee, "getCase", id=case["id"])).expect(200)
    event, = of(reader.read(), case["id"])
    assert (event["type"], event["subject"], event["case_id"], event["version"], event["changed"],
            event["links"]) == ("case.changed", "case", case["id"], changed["version"],
                                ["summary"], {"self": f"/v1/cases/{case['id']}"})


def test_an_event_contains_no_value(committee):
    reader = follow(committee)
    case = make_case(committee, summary="Quite unmistakable words.")
    events = of(reader.read(), case["id"])
    assert events and "unmistakable" not in json.dumps(events)


def test_every_part_of_a_case_has_events(agency, committee):
    reader = follow(committee)
    referral = make_accepted_referral(agency, committee)
    case = {"id": referral["case_id"], "stage": "notification"}
    make_action(committee, make_case(committee, "decision"))
    move(committee, case["id"], "information_gathering").expect(201)
    heard = {one["type"] for one in reader.read()}
    assert {"referral.created", "referral.changed", "case.created", "case.changed",
            "child.created", "stage.created", "stage.changed", "decision.created",
            "action.created"} - {"decision.created"} <= heard


def test_every_subject_of_the_timeline_has_a_row_in_the_feed(cluster):
    """A new resource with record_changes_of needs its row in sql/changes/rows.sql."""
    subjects = cluster.execute(
        "select encode(substring(tgargs from 1 for position('\\x00'::bytea in tgargs) - 1), "
        "'escape') from pg_trigger where tgname = 'record_change'")
    lines = cluster.execute("select subject from register.feed_subject")
    assert {one for one, in subjects} <= {one for one, in lines}


def test_subjects_of_one_channel_have_the_same_scopes(cluster):
    rows = cluster.execute("select lane, count(distinct scopes) from register.feed_subject group by 1")
    assert {count for _, count in rows} == {1}


def test_the_owner_of_an_action_gets_its_events_without_the_case(committee, agency):
    reader = follow(agency)
    action = make_action(committee)
    agency.send("addActionUpdate", new_update(), id=action["id"]).expect(201)
    events = of(reader.read(), action["id"])
    assert [one["type"] for one in events] == ["action.created", "action.changed"]
    assert [one["case_id"] for one in events] == [None, None]
    assert events[1]["changed"] == ["progress", "status"]


def test_versions_are_those_of_the_resource(committee, agency):
    reader = follow(agency)
    action = make_action(committee)
    for progress in (10, 10, 20):
        agency.send("addActionUpdate", new_update(progress=progress), id=action["id"]).expect(201)
    assert of(reader.read(), action["id"])[-1]["version"] \
        == agency.send("getAction", id=action["id"])["version"]


def test_a_new_owner_gets_present_and_the_former_one_removed(committee, agency, health):
    action = make_action(committee)
    old, new, board = follow(agency), follow(health), follow(committee)
    committee.send("changeAction", {"owner_organisation": "HB-S08000031",
                                    "owner_accepted_on": days_ago(0)}, id=action["id"],
                   if_match=tag_of(committee, "getAction", id=action["id"])).expect(200)
    gone, = of(old.read(), action["id"])
    assert (gone["type"], gone["version"], gone["case_id"], gone["links"]) == (
        "action.removed", None, None, {"self": None})
    assert types_of(new.read(), action["id"]) == ["action.present"]
    event, = of(board.read(), action["id"])
    assert (event["type"], event["changed"]) == ("action.changed", ["owner_organisation"])


def test_a_transferred_case_is_removed_for_one_and_present_for_the_other(committee,
                                                                         other_committee):
    case = make_case(committee)
    child = committee.send("listChildren", id=case["id"])["items"][0]
    transfer = committee.send("proposeTransfer", new_transfer(), id=case["id"]).expect(201)
    old, new = follow(committee), follow(other_committee)
    other_committee.send("acceptTransfer", {"decided_on": today(), "local_authority": "S12000036"},
                         id=transfer["id"], if_match=transfer.etag).expect(201)
    lost, won = old.read(), new.read()
    for one in (case, child):
        assert types_of(lost, one["id"]) [-1:] == [f"{'case' if one is case else 'child'}.removed"]
        assert types_of(won, one["id"])[-1:] == [f"{'case' if one is case else 'child'}.present"]
    assert [one for one in types_of(lost, transfer["id"])] \
        and "transfer.removed" not in types_of(lost, transfer["id"])


def test_a_transferred_referral_is_removed_for_one_and_present_for_the_other(agency, committee,
                                                                             other_committee):
    referral = make_referral(agency)
    readers = [follow(each) for each in (agency, committee, other_committee)]
    committee.send("transferReferral", {"to_committee": "EDH", "local_authority": "S12000036",
                                        "transferred_on": today()},
                   id=referral["id"],
                   if_match=tag_of(committee, "getReferral", id=referral["id"])).expect(201)
    heard = [types_of(each.read(), referral["id"]) for each in readers]
    assert heard == [["referral.changed"], ["referral.removed"], ["referral.present"]]


def grant(committee, case, reviewer_client, **overrides):
    return committee.send("grantAccess", new_access(client_id=reviewer_client, **overrides),
                          id=case["id"]).expect(201)


def test_access_gives_present_events_and_its_end_removed_events(committee, caller):
    name = f"reviewer-{time.time_ns()}"
    person = caller("INDEPENDENT", name)
    case = make_case(committee)
    child = committee.send("listChildren", id=case["id"])["items"][0]
    reader = follow(person)
    access = grant(committee, case, name)
    begun = reader.read()
    assert types_of(begun, case["id"]) == ["case.present"]
    assert types_of(begun, child["id"]) == ["child.present"]
    committee.send("changeCase", {"summary": "More."}, id=case["id"],
                   if_match=tag_of(committee, "getCase", id=case["id"])).expect(200)
    assert types_of(reader.read(), case["id"]) == ["case.changed"]
    committee.send("changeAccess", {"ended_on": today()}, id=case["id"], access_id=access["id"],
                   if_match=access.etag).expect(200)
    ended = reader.read()
    assert types_of(ended, case["id"]) == ["case.removed"]
    assert types_of(ended, child["id"]) == ["child.removed"]
    committee.send("changeCase", {"summary": "Later."}, id=case["id"],
                   if_match=tag_of(committee, "getCase", id=case["id"])).expect(200)
    assert of(reader.read(), case["id"]) == []


def test_another_client_of_the_organisation_gets_no_events(committee, caller):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee)
    stranger = follow(caller("INDEPENDENT", name + "-2"))
    grant(committee, case, name)
    assert of(stranger.read(), case["id"]) == []


def test_past_events_of_a_case_disappear_with_the_access(committee, caller):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee)
    late = Consumer(caller("INDEPENDENT", name))
    access = grant(committee, case, name)
    committee.send("changeAccess", {"ended_on": today()}, id=case["id"], access_id=access["id"],
                   if_match=access.etag).expect(200)
    assert set(types_of(late.read(), case["id"])) == {"case.removed"}


def test_the_end_of_one_access_removes_nothing_while_another_one_lasts(committee,
                                                                       caller):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee)
    reader = follow(caller("INDEPENDENT", name))
    grant(committee, case, name)
    second = grant(committee, case, name, role="chair")
    committee.send("changeAccess", {"ended_on": today()}, id=case["id"], access_id=second["id"],
                   if_match=second.etag).expect(200)
    assert "case.removed" not in types_of(reader.read(), case["id"])


def test_access_that_expires_removes_the_case(committee, caller, cluster):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee)
    reader = follow(caller("INDEPENDENT", name))
    access = grant(committee, case, name)
    reader.read()
    # Simulates that a day passes: as if the access had been given the day before, for that day.
    cluster.execute("alter table register.case_access disable trigger all")
    cluster.execute("update register.case_access set starts_on = %s, ends_on = %s where id = %s",
                    (days_ago(2), days_ago(1), access["id"]))
    cluster.execute("alter table register.case_access enable trigger all")
    wait_until(lambda: cluster.execute("select feed_sight_due()") == [(0,)],
               "no access waits to be ended")
    assert types_of(reader.read(), case["id"]) == ["case.removed"]


def test_a_deletion_has_an_event(committee, caller, cluster):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee)
    child = committee.send("listChildren", id=case["id"])["items"][0]
    grant(committee, case, name)
    readers = [follow(committee), follow(caller("INDEPENDENT", name))]
    cluster.execute("delete from register.review_case where id = %s", (case["id"],))
    for each in readers:
        events = each.read()
        assert types_of(events, case["id"])[-1:] == ["case.removed"]
        assert types_of(events, child["id"])[-1:] == ["child.removed"]


def test_every_part_of_a_deleted_case_is_removed_for_clients_with_access(committee, caller, cluster):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee, "decision")
    make_action(committee, case)
    reader = follow(caller("INDEPENDENT", name))
    grant(committee, case, name)
    there = {(one["subject"], one["subject_id"]) for one in reader.read()}
    assert {"case", "child", "stage", "recommendation", "action"} <= {subject for subject, _ in there}
    cluster.execute("delete from register.review_case where id = %s", (case["id"],))
    gone = [(one["subject"], one["subject_id"]) for one in reader.read()]
    assert set(gone) == there and len(gone) == len(there)


def test_the_chief_officers_get_the_events_of_their_committee(committee, caller):
    officers = caller("COG-GLA", "chief-officers-system")
    reader = follow(officers)
    case = make_case(committee)
    assert "case.created" in types_of(reader.read(), case["id"])


def test_scopes_decide_which_subjects_have_events(committee, caller):
    narrow = follow(caller("CPC-GLA", "narrow", "changes.read actions.read"))
    case = make_case(committee, "decision")
    action = make_action(committee, case)
    events = narrow.read()
    assert {one["subject"] for one in events} == {"action"}
    assert types_of(events, action["id"]) == ["action.created"]


def test_events_do_not_name_members_that_the_caller_does_not_see(committee, caller):
    plain = follow(caller("CPC-GLA", "plain", "changes.read cases.read"))
    full = follow(committee)
    case = make_case(committee, children=[new_child(age_years=7)])
    child = committee.send("listChildren", id=case["id"])["items"][0]
    committee.send("changeChild", {"age_years": 8, "sex": "male"}, id=case["id"],
                   child_id=child["id"],
                   if_match=tag_of(committee, "getChild", id=case["id"], child_id=child["id"])
                   ).expect(200)
    assert of(full.read(), child["id"])[-1]["changed"] == ["age_years", "sex"]
    assert of(plain.read(), child["id"])[-1]["changed"] == ["sex"]


def test_pages_of_any_size_give_the_same_events(committee):
    begin = follow(committee)
    start = begin.next
    for _ in range(3):
        make_case(committee)
    whole = begin.read()
    small = Consumer(committee)
    small.next = start.replace("?", "?limit=2&")
    assert [one["id"] for one in small.read()] == [one["id"] for one in whole]


def test_more_says_whether_to_read_again_at_once(committee):
    make_case(committee)
    reader = follow(committee)
    start = reader.next
    make_case(committee)
    count = len(reader.read())
    reader.next = start + f"&limit={count - 1}"
    assert (reader.page()["more"], reader.page()["more"]) == (True, False)


def test_a_snapshot_shows_present_resources_and_leads_into_the_feed(committee, agency):
    action = make_action(committee)
    reader = Consumer(agency, "/v1/changes/snapshot")
    present, more = [], True
    while more:
        page = reader.page()
        present += page["items"]
        more = page["more"]
    assert {one["type"].split(".")[1] for one in present} == {"present"}
    assert len({one["subject_id"] for one in present}) == len(present)
    event, = of(present, action["id"])
    assert (event["version"], event["case_id"]) == (1, None)
    assert urllib.parse.urlsplit(reader.next).path == "/v1/changes"
    agency.send("addActionUpdate", new_update(), id=action["id"]).expect(201)
    assert "action.changed" in types_of(reader.read(), action["id"])


def test_a_snapshot_in_small_pages_is_complete(committee, agency):
    make_action(committee)
    make_referral(agency)
    seen = []
    for limit in (3, 500):
        reader = Consumer(agency, f"/v1/changes/snapshot?limit={limit}")
        ids, more = [], True
        while more:
            page = reader.page()
            assert len(page["items"]) <= limit
            ids += [one["subject_id"] for one in page["items"]]
            more = page["more"]
        seen.append(ids)
    assert seen[0] == seen[1] and seen[0]


def test_a_snapshot_of_a_reviewer_contains_only_the_case(committee, caller):
    name = f"reviewer-{time.time_ns()}"
    case = make_case(committee)
    make_case(committee)
    grant(committee, case, name)
    items = Consumer(caller("INDEPENDENT", name), "/v1/changes/snapshot").page()["items"]
    assert [one["subject_id"] for one in items if one["subject"] == "case"] == [case["id"]]
    assert {one["case_id"] for one in items if one["subject"] != "access"} == {case["id"]}


def test_cloud_events_are_returned_when_accept_names_them(committee):
    reader = follow(committee)
    case = make_case(committee)
    complete(committee)
    target = urllib.parse.urlsplit(reader.next)._replace(scheme="", netloc="").geturl()
    reply = committee.request("GET", target,
                              headers={"Accept": "application/cloudevents-batch+json"})
    assert reply.headers["Content-Type"] == "application/cloudevents-batch+json"
    batch = json.loads(reply.bytes)
    assert all(one["specversion"] == "1.0" for one in batch)
    assert f"/v1/cases/{case['id']}" in {one.get("subject") for one in batch}
    assert batch[0]["type"] == "learning-reviews.case.created"
    assert batch[0]["data"]["subject_id"] == case["id"]
    assert batch[-1]["type"] == "learning-reviews.feed.position"
    assert reader.page()["next"] == batch[-1]["data"]["next"]


def test_a_snapshot_is_available_as_cloud_events(agency):
    reply = agency.send("listPresent", query="limit=1",
                        headers={"Accept": "application/cloudevents-batch+json"})
    assert [one["type"].split(".")[-1] for one in json.loads(reply.bytes)] == ["present", "position"]


CLOUD = "application/cloudevents-batch+json"


@pytest.mark.parametrize("operation", ["listChanges", "listPresent"])
@pytest.mark.parametrize("accept, media_type", [
    ("*/*", "application/json"), (f"{CLOUD};q=0.5, application/json", "application/json"),
    (f"{CLOUD};q=0, */*", "application/json"),
    ("text/html;of=cloudevents, application/*;q=0.5", "application/json"),
    (f"{CLOUD}, application/json;q=0.5", CLOUD), (f"*/*;q=0.1, {CLOUD.upper()}", CLOUD)])
def test_the_weights_of_accept_choose_the_format_of_events(agency, operation, accept, media_type):
    reply = agency.send(operation, query="limit=1", headers={"Accept": accept})
    assert (reply.status, reply.headers["Content-Type"]) == (200, media_type)


def test_the_media_type_of_a_single_cloud_event_is_not_acceptable(agency):
    assert agency.send("listChanges", headers={"Accept": "application/cloudevents+json"}).code == "not_acceptable"


def position_of(client):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(
        client.send("listChanges", query="limit=1").expect(200)["next"]).query)["after"][0]


def refused(reply, status, code):
    assert (reply.status, reply.code) == (status, code)


@pytest.mark.parametrize("organisation, client", [("CPC-EDH", "other"), ("CPC-GLA", "another")])
def test_a_position_of_another_principal_is_refused(committee, caller, organisation, client):
    stranger = caller(organisation, client)
    refused(stranger.send("listChanges", query=f"after={position_of(committee)}"), 400,
            "invalid_cursor")


def test_an_unknown_position_is_refused(committee):
    refused(committee.send("listChanges", query="after=Zm9vYmFyZm9vYmFyZm9vYmFy"), 400,
            "invalid_cursor")


def test_a_position_of_a_snapshot_is_not_one_of_the_feed(committee):
    make_case(committee)
    page = committee.send("listPresent", query="limit=1").expect(200)
    after = urllib.parse.parse_qs(urllib.parse.urlsplit(page["next"]).query)["after"][0]
    refused(committee.send("listChanges", query=f"after={after}"), 400, "invalid_cursor")
    refused(committee.send("listPresent", query=f"after={position_of(committee)}"), 400,
            "invalid_cursor")


def test_a_position_is_not_valid_with_other_scopes(caller):
    wide, narrow = [caller("CPC-GLA", "scopes-change", scope)
                    for scope in (ALL_SCOPES, "changes.read actions.read")]
    refused(narrow.send("listChanges", query=f"after={position_of(wide)}"), 410, "cursor_expired")
    page = wide.send("listPresent", query="limit=1").expect(200)
    after = urllib.parse.parse_qs(urllib.parse.urlsplit(page["next"]).query)["after"][0]
    refused(narrow.send("listPresent", query=f"after={after}"), 410, "cursor_expired")


@pytest.mark.parametrize("query, parameter", [("wait=31", "wait"), ("wait=-1", "wait"),
                                              ("wait=soon", "wait"), ("limit=0", "limit"),
                                              ("limit=501", "limit"), ("after=%20", "after")])
def test_parameters_outside_the_contract_are_refused(committee, query, parameter):
    reply = committee.send("listChanges", query=query)
    refused(reply, 400, "invalid_parameter")
    assert reply.parameters == {parameter}


def test_the_database_alone_returns_nothing_without_the_scope(database_only, caller, committee):
    make_case(committee)
    reader = caller("CPC-GLA", "no-feed", "cases.read actions.read", database_only)
    assert reader.send("listChanges").expect(200)["items"] == []
    assert reader.send("listPresent").expect(200)["items"] == []


# --- long polls


@pytest.fixture
def parked(in_background):
    """Makes a consumer wait: parked(reader).result(). Its instance holds the request when this returns."""
    def park(reader, ask=None):
        instance = Instance.by_url[reader.client.url]
        before = waiting_at(instance)
        waiting = in_background(ask or (lambda: reader.page(wait=WAIT)))
        await_waiting(instance, before + 1)
        return waiting
    return park


def looks_at(instance, cause):
    return instance.figure(f'feed_looks_total{{cause="{cause}"}}')


def await_look(instance, cause, before):
    wait_until(lambda: looks_at(instance, cause) > before, f"a look because of a {cause}")


def test_a_waiting_request_is_answered_as_soon_as_there_is_an_event(committee, agency, instance, parked):
    waiting = parked(follow(committee))
    before = looks_at(instance, "commit")
    referral = make_referral(agency)
    assert [one["subject_id"] for one in waiting.result(WATCHDOG_S)["items"]] == [referral["id"]]
    await_look(instance, "commit", before)


def test_a_request_that_waits_at_another_instance_is_answered_too(committee, agency, instances, parked):
    waiting = parked(follow(committee.at(instances[1].url)))
    before = looks_at(instances[1], "notification")
    referral = make_referral(agency.at(instances[0].url))
    assert [one["subject_id"] for one in waiting.result(WATCHDOG_S)["items"]] == [referral["id"]]
    await_look(instances[1], "notification", before)


def test_a_commit_without_a_notification_is_found(committee, cluster, instance, parked):
    case = make_case(committee)
    waiting = parked(follow(committee))
    before = looks_at(instance, "interval")
    cluster.execute("update register.review_case set summary = 'x' where id = %s", (case["id"],))
    assert types_of(waiting.result(WATCHDOG_S)["items"], case["id"]) == ["case.changed"]
    await_look(instance, "interval", before)


def test_events_that_the_caller_does_not_see_leave_its_request_waiting(committee, caller, parked):
    quiet = caller("HB-S08000024", "quiet")
    waiting = parked(follow(quiet))
    make_case(committee)
    complete(quiet)
    assert not waiting.done()
    referral = make_referral(quiet)
    assert [one["subject_id"] for one in waiting.result(WATCHDOG_S)["items"]] == [referral["id"]]


def test_a_request_with_events_to_read_does_not_wait(committee, caller, parked):
    quiet = caller("HB-S08000024", "quiet")
    other = parked(follow(quiet))  # its wait ends after WAIT at the latest: before the wait of the later request
    reader = follow(committee)
    make_case(committee)
    complete(committee)
    assert reader.page(wait=WAIT)["items"] and not other.done()
    make_referral(quiet)
    assert other.result(WATCHDOG_S)["items"]


def test_a_waiting_request_is_answered_in_cloud_events_too(committee, agency, parked):
    reader = follow(committee)
    target = urllib.parse.urlsplit(reader.next)._replace(scheme="", netloc="").geturl()
    accept = {"Accept": "application/cloudevents-batch+json"}
    waiting = parked(reader, lambda: committee.request("GET", f"{target}&wait={WAIT}", headers=accept))
    referral = make_referral(agency)
    batch = json.loads(waiting.result(WATCHDOG_S).bytes)
    assert [one["data"].get("subject_id") for one in batch] == [referral["id"], None]


def pages_from(instance, source):
    return instance.figure(f'feed_pages_total{{source="{source}"}}')


def address_of(reader, wait):
    return urllib.parse.urlsplit(f"{reader.next}&wait={wait}")._replace(scheme="", netloc="").geturl()


def test_equal_requests_that_wait_share_a_page(committee, agency, instance, parked):
    reader = follow(committee)
    target = address_of(reader, WAIT)
    waiting = [parked(reader, lambda: committee.request("GET", target)) for _ in range(6)]
    asked, shared = pages_from(instance, "database"), pages_from(instance, "shared")
    referral = make_referral(agency)
    pages = [one.result(WATCHDOG_S).expect(200) for one in waiting]
    assert {one["subject_id"] for page in pages for one in page["items"]} == {referral["id"]}
    assert len({page["next"] for page in pages}) == 1
    assert pages_from(instance, "database") - asked < 3 < pages_from(instance, "shared") - shared


def test_a_shared_page_is_for_one_token_alone(caller, parked):
    """Of two tokens with the same position, each gets the members that its scopes open."""
    full, reduced = (caller("CPC-GLA", "twins", f"changes.read cases.read{more}") for more in (" children.read", ""))
    committee = caller("CPC-GLA")
    case = make_case(committee, children=[new_child(age_years=7)])
    child = committee.send("listChildren", id=case["id"])["items"][0]
    waiting = [parked(follow(each)) for each in (full, reduced)]
    committee.send("changeChild", {"age_years": 8, "sex": "male"}, id=case["id"], child_id=child["id"],
                   if_match=tag_of(committee, "getChild", id=case["id"], child_id=child["id"])).expect(200)
    pages = [one.result(WATCHDOG_S)["items"] for one in waiting]
    assert [of(page, child["id"])[0]["changed"] for page in pages] == [["age_years", "sex"], ["sex"]]


def test_a_block_holds_for_the_next_request_although_its_page_is_known(caller, cluster, parked):
    client = caller("HB-S08000024", "blocked-later")
    reader = follow(client)
    waiting = parked(reader)
    target = address_of(reader, 0)
    cluster.execute("insert into register.exclusion (organisation, client) values ('HB-S08000024', 'blocked-later')")
    assert client.request("GET", target).status == 403
    cluster.execute("delete from register.exclusion where client = 'blocked-later'")
    make_referral(client)
    waiting.result(WATCHDOG_S)


def test_waiting_requests_are_counted_and_limited(extra_instance, caller, parked):
    narrow = extra_instance(LR_WAITING_LIMIT=1)
    client = caller("HB-S08000024", "limited", ALL_SCOPES, narrow)
    first, second = follow(client), follow(client)
    waiting = parked(first)
    assert second.page(wait=WAIT)["items"] == [] and not waiting.done()
    assert waiting_at(narrow) == 1
    referral = make_referral(client)
    assert [one["subject_id"] for one in waiting.result(WATCHDOG_S)["items"]] == [referral["id"]]


def test_a_client_that_leaves_does_not_wait_any_longer(extra_instance, caller):
    instance = extra_instance()  # one with no other waiting request
    committee = caller("CPC-SHE", "quiet", at=instance)
    reader = follow(committee)
    target = urllib.parse.urlsplit(reader.next)._replace(scheme="", netloc="").geturl()
    before = waiting_at(instance)
    with socket.create_connection(("127.0.0.1", instance.port)) as link:
        link.sendall(f"GET {target}&wait=30 HTTP/1.1\r\nHost: here\r\n"
                     f"Authorization: Bearer {committee.token}\r\n\r\n".encode())
        await_waiting(instance, before + 1)
    await_waiting(instance, before)


def test_waiting_requests_whose_connection_is_reset_are_counted_once(extra_instance, caller):
    resets = 5
    instance = extra_instance()
    committee = caller("CPC-SHE", "reset", at=instance)
    target = urllib.parse.urlsplit(follow(committee).next)._replace(scheme="", netloc="").geturl()
    answered, waiting = counted_at(instance), waiting_at(instance)
    links = []
    for number in range(resets):
        link = socket.create_connection(("127.0.0.1", instance.port))
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() resets
        link.sendall(f"GET {target}&wait=30 HTTP/1.1\r\nHost: here\r\nX-Request-Id: reset-{number}\r\n"
                     f"Authorization: Bearer {committee.token}\r\n\r\n".encode())
        links.append(link)
    await_waiting(instance, waiting + resets)
    assert in_flight_at(instance) == resets
    for link in links:
        link.close()
    await_figure(in_flight_at, instance, 0)
    assert counted_at(instance) == answered + resets
    lines = [line for line in instance.log_lines() if line.get("request_id", "").startswith("reset-")]
    assert sorted(line["request_id"] for line in lines) == [f"reset-{number}" for number in range(resets)]
    # Either the feed or the library sees the end of the connection first and decides which of the two it is.
    assert {(line["status"], line.get("reason")) for line in lines} <= {(200, "connection_lost"), (200, None)}


def waiting_at(instance):
    return instance.figure("feed_waiting_requests")


def in_flight_at(instance):
    return instance.figure("http_requests_in_flight")


def counted_at(instance):
    return instance.figure('http_requests_total{operation="listChanges",status="200"}')


def await_figure(read, instance, count):
    wait_until(lambda: read(instance) == count, lambda: f"{read.__name__} is {count}, not {read(instance)}")


def await_waiting(instance, count):
    await_figure(waiting_at, instance, count)


def is_cut_off(link):
    """Sends one more byte of a request; returns whether the service has closed the connection."""
    try:
        link.send(b" ")
        return link.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_wait_may_last_longer_than_a_request(extra_instance, caller, parked):
    """The deadline of a later, incomplete request passes while the earlier request still waits."""
    brief = extra_instance(LR_REQUEST_SECONDS=1, LR_IDLE_SECONDS=1)
    client = caller("HB-S08000024", "patient", ALL_SCOPES, brief)
    waiting = parked(follow(client))
    with socket.create_connection(("127.0.0.1", brief.port)) as slow:
        slow.sendall(b"POST /v1/referrals HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                     b"Content-Length: 60000\r\nAuthorization: Bearer " + client.token.encode() + b"\r\n\r\n")
        slow.setblocking(False)
        wait_until(lambda: is_cut_off(slow), "the slow request is cut off")
    assert waiting_at(brief) == 1 and not waiting.done()
    referral = make_referral(client)
    assert [one["subject_id"] for one in waiting.result(WATCHDOG_S)["items"]] == [referral["id"]]


def test_a_wait_without_events_ends_with_an_empty_answer(committee):
    begun = time.monotonic()
    assert follow(committee).page(wait=2)["items"] == []
    assert time.monotonic() - begun >= 2  # clock: a lower bound, which holds on a slow machine, too


def test_an_instance_that_ends_answers_waiting_requests(extra_instance, caller, parked):
    ending = extra_instance()
    waiting = parked(follow(caller("HB-S08000024", "to-the-end", ALL_SCOPES, ending)))
    assert ending.stop() == 0
    assert waiting.result(WATCHDOG_S)["items"] == []


def test_an_open_transaction_delays_later_events_and_none_is_lost(committee, cluster,
                                                                  instance):
    slow, fast = make_case(committee), make_case(committee)
    reader = follow(committee)
    update = "update register.review_case set summary = 'y' where id = %s"
    with cluster.open() as link:
        link.cursor().execute(update, (slow["id"],))
        cluster.execute(update, (fast["id"],))
        wait_until(lambda: instance.figure("feed_behind_seconds") > 0, "the feed waits for the open transaction")
        assert reader.page()["items"] == []
        link.commit()
    assert [one["subject_id"] for one in reader.read()] == [slow["id"], fast["id"]]


# --- retention; last, because it removes earlier events


def test_positions_older_than_the_retention_are_refused_and_their_events_deleted(committee, cluster,
                                                                                 extra_instance):
    old = Consumer(committee)
    make_case(committee)
    complete(committee)
    old.next = f"{committee.url}/v1/changes?limit=1"
    old.page()
    follow(committee)
    cluster.execute("delete from register.feed_mark")
    cluster.execute("insert into register.feed_mark (number, at) select last_value, "
                    "now() - interval '91 days' from register.feed_number")
    extra_instance()
    wait_until(lambda: cluster.execute("select number > 0 and not exists (select from register.feed_event e "
                                       "where e.number <= f.number) from register.feed_floor f")[0][0],
               "the old events are gone")
    target = urllib.parse.urlsplit(old.next)._replace(scheme="", netloc="").geturl()
    reply = committee.request("GET", target)
    refused(reply, 410, "cursor_expired")
    case = make_case(committee)
    assert "case.created" in types_of(Consumer(committee).read(), case["id"])
