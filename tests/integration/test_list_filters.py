"""Filters of the lists: one value, several and unknown ones; references; and what changed since a moment."""
import datetime
import itertools
import uuid

import pytest

import contract_reader
from payloads import new_task, today
from scenarios import (make_accepted_referral, make_action, make_case, make_delivery, make_proceeding, make_referral,
                       make_request)

OPERATIONS = contract_reader.operations()
# The member of an item that a filter compares, where it does not have the name of the filter.
MEMBERS = {"criterion": "criteria", "theme": "themes", "owner": "owner_organisation", "owner_kind": None}


def filters_with_values():
    for name, one in OPERATIONS.items():
        if one.has_parameter("cursor", "query"):
            for parameter in one.parameters:
                schema = contract_reader.inline(parameter["schema"])
                if parameter["in"] == "query" and schema.get("type") == "array":
                    yield name, parameter["name"], schema["items"].get("enum")


FILTERS = list(filters_with_values())
each_filter = pytest.mark.parametrize(
    "name,filter,enum", FILTERS, ids=[f"{name}-{filter}" for name, filter, _ in FILTERS])


def moment(shift=datetime.timedelta()):
    return (datetime.datetime.now(datetime.timezone.utc) + shift).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def filled(committee, agency, police):
    """Rows with different values in every list; returns the path parameters of the lists that have one."""
    make_referral(agency)
    make_accepted_referral(agency, committee)
    withdrawn = make_referral(agency, source_system="other-system")
    agency.send("withdrawReferral", {"reason": "duplicate", "note": None}, id=withdrawn["id"]).expect(201)
    case = make_case(committee, "decision")
    make_action(committee, case)
    make_action(committee, case, owner_organisation="POL-A", priority="high", scope="national", themes=["child_voice"])
    make_request(committee)
    for role in ("chair", "reviewer"):
        committee.send("addTask", new_task(owner_role=role), id=case["id"]).expect(201)
    make_proceeding(committee, case)
    make_proceeding(committee, case, kind="complaint")
    return {"listTimeline": {"id": case["id"]}, "listDeliveries": {"id": make_delivery(committee)["id"]}}


def whole(client, name, query="", **path):
    """All items of a list, page by page."""
    reply = client.send(name, query=f"limit=200&{query}".rstrip("&"), **path).expect(200)
    items = reply["items"]
    while reply["next"]:
        reply = client.follow(reply["next"]).expect(200)
        items += reply["items"]
    return items


def values_of(item, filter, kinds):
    if filter == "owner_kind":
        return {kinds[item["owner_organisation"]]}
    found = item[MEMBERS.get(filter, filter)]
    return set(found if isinstance(found, list) else [found])


@pytest.fixture(scope="module")
def kinds(committee):
    return {one["code"]: one["kind"] for one in committee.send("listOrganisations").expect(200)["items"]}


@each_filter
def test_a_filter_takes_one_value_or_several(committee, filled, kinds, name, filter, enum):
    path = filled.get(name, {})
    items = whole(committee, name, **path)
    present = sorted(set().union(*(values_of(item, filter, kinds) for item in items)) - {None})[:4]
    sorts = next((one["schema"]["enum"] for one in OPERATIONS[name].parameters if one["name"] == "sort"), [None])
    for sort, count in itertools.product(sorts, (1, 2, 3)):
        for wanted in itertools.islice(itertools.combinations(present, count), 2):
            order = f"&sort={sort}" if sort else ""
            found = whole(committee, name, f"{filter}={','.join(wanted)}{order}", **path)
            expected = {item["id"] for item in items if values_of(item, filter, kinds) & set(wanted)}
            assert len(found) == len(expected) and {item["id"] for item in found} == expected, (wanted, sort)


def test_the_lists_have_rows_with_different_values(committee, filled, kinds):
    """Else the test above would compare little."""
    for name, filter in (("listCases", "stage"), ("listReferrals", "status"), ("listActions", "owner"),
                         ("listActions", "priority"), ("listProceedings", "kind"), ("listTasks", "owner_role"),
                         ("listTimeline", "subject")):
        items = whole(committee, name, **filled.get(name, {}))
        assert len({str(values_of(item, filter, kinds)) for item in items}) > 1, (name, filter)


@each_filter
@pytest.mark.parametrize("sent, rule", [("{0},no such", None), ("{0},{0}", "unique_items"), ("{0},", None), ("", None)])
def test_a_filter_refuses_unknown_repeated_and_empty_values(committee, filled, name, filter, enum, sent, rule):
    first = enum[0] if enum else contract_reader.examples_of(next(
        one["schema"] for one in OPERATIONS[name].parameters if one["name"] == filter)["items"])[:1]
    first = first if isinstance(first, str) else (first or ["x"])[0]
    reply = committee.send(name, query=f"{filter}={sent.format(first)}".replace(" ", "%20"), **filled.get(name, {}))
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_parameter", {filter})
    assert rule is None or reply.rules == {rule}


def test_a_filter_takes_at_most_twenty_values(committee):
    many = ",".join(f"S-{n}" for n in range(21))
    reply = committee.send("listReferrals", query=f"source_system={many}")
    assert (reply.status, reply.rules) == (400, {"max_items"})
    assert committee.send("listReferrals", query="source_system=" + many.rpartition(",")[0])["items"] == []


def test_pages_of_several_values_follow_each_other(committee, filled):
    for sort in ("-opened_on", "stage_due_on", "-updated_at"):
        query = f"stage=decision,notification&sort={sort}"
        whole_list = [item["id"] for item in whole(committee, "listCases", query)]
        reply = committee.send("listCases", query=f"{query}&limit=1").expect(200)
        found = reply.ids
        while reply["next"] and len(found) < 5:
            reply = committee.follow(reply["next"]).expect(200)
            found += reply.ids
        assert len(found) > 1 and found == whole_list[:len(found)]


# ---- References.

@pytest.mark.parametrize("operation, list_name, make", [
    ("getCase", "listCases", lambda committee, agency: make_case(committee)),
    ("getReferral", "listReferrals", lambda committee, agency: make_referral(agency))])
def test_a_reference_finds_the_resource(committee, agency, cluster, operation, list_name, make):
    made = make(committee, agency)
    reply = committee.send(operation, id=made["reference"])
    assert reply.status == 200 and reply.json == committee.send(operation, id=made["id"]).json
    assert committee.send(operation, id=made["reference"], none_match=reply.etag).status == 304
    assert committee.send(list_name, query=f"reference={made['reference']}").ids == [made["id"]]
    entry = cluster.execute("select ids::text[], parts::text[] from register.audit_entry where request = %s",
                            [reply.headers["X-Request-Id"]])
    assert entry == [([made["id"]], [])]


def test_a_reference_expands_like_an_identifier(committee):
    case = make_case(committee)
    expanded = committee.send("getCase", id=case["reference"], query="expand=children,stages").expect(200)
    assert expanded.json == committee.send("getCase", id=case["id"], query="expand=children,stages").json


@pytest.mark.parametrize("operation, list_name, unknown", [
    ("getCase", "listCases", "LR-2026-GLA-99999999"), ("getReferral", "listReferrals", "RF-2026-GLA-0000")])
def test_an_invisible_reference_is_as_unknown_as_an_invisible_identifier(committee, agency, police, caller, operation,
                                                                         list_name, unknown):
    """Another committee sees the same answer for what it may not see as for what does not exist."""
    stranger = caller("CPC-EDH", "stranger-system")
    made = make_case(committee) if operation == "getCase" else make_referral(agency)
    names = (made["reference"], made["id"], unknown, str(uuid.uuid4()))
    replies = [stranger.send(operation, id=name) for name in names]
    seen = [{key: value for key, value in reply.json.items() if key not in ("instance", "request_id")}
            for reply in replies]
    assert {reply.status for reply in replies} == {404} and all(one == seen[0] for one in seen)
    for name in (made["reference"], unknown):
        assert stranger.send(list_name, query=f"reference={name}")["items"] == []


@pytest.mark.parametrize("name", ["LR-2026-GLA-1", "lr-2026-gla-0042", "RF-2026-GLA-5E8B7A1C20", "LR-2026-GLA-0042%20",
                                  "LR-2026-GLA-0042.csv"])
def test_another_form_of_reference_is_refused(committee, name):
    reply = committee.send("getCase", id=name)
    assert (reply.status, reply.parameters) == (400, {"id"})


def test_only_reads_take_a_reference(committee):
    case = make_case(committee)
    reply = committee.send("changeCase", {"summary": "Changed."}, id=case["reference"], if_match='"1"')
    assert (reply.status, reply.parameters) == (400, {"id"})


# ---- Changes since a moment.

@pytest.mark.parametrize("name", ["listReferrals", "listCases", "listActions"])
def test_updated_since_shows_what_changed_at_or_after_the_moment(committee, filled, name):
    items = sorted(whole(committee, name), key=lambda item: item["updated_at"])
    assert len(items) > 1
    middle = items[len(items) // 2]["updated_at"]
    expected = {item["id"] for item in items if item["updated_at"] >= middle}
    sorts = next(one["schema"]["enum"] for one in OPERATIONS[name].parameters if one["name"] == "sort")
    assert "-updated_at" in sorts
    for sort in sorts:
        found = whole(committee, name, f"updated_since={middle}&sort={sort}")
        assert {item["id"] for item in found} == expected and len(found) == len(expected)
    latest = [item["updated_at"] for item in whole(committee, name, "sort=-updated_at")]
    assert latest == sorted(latest, reverse=True)
    later = moment(datetime.timedelta(days=1))
    assert committee.send(name, query=f"updated_since={later}")["items"] == []


def test_a_change_brings_a_case_into_the_list(committee):
    case = committee.send("getCase", id=make_case(committee)["id"]).expect(200)
    changed = committee.send("changeCase", {"summary": "Another outline."}, id=case["id"],
                             if_match=case.etag).expect(200)
    query = f"updated_since={changed['updated_at']}&sort=-updated_at"
    assert case["id"] in committee.send("listCases", query=query).ids


@pytest.mark.parametrize("value", [today(), "2026-13-01T00:00:00Z", "2026-11-30T09:00:00", "0999-01-01T00:00:00Z",
                                   "2026-11-30T09:00:00+15:00", "yesterday", ""])
def test_a_moment_that_is_none_is_refused(committee, value):
    reply = committee.send("listCases", query=f"updated_since={value}".replace("+", "%2B"))
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_parameter", {"updated_since"})
