"""The audit trail: every answer about a case or a referral has its entry, or there is no answer."""
import collections
import concurrent.futures
import re
import uuid

import psycopg2
import pytest

import contract_reader
from client import ALL_SCOPES, new_key
from payloads import new_child, new_referral, new_transfer, today
from scenarios import make_accepted_referral, make_action, make_case, make_referral, tag_of, walk
from test_isolation import ask, place_of, theirs  # noqa: F401 (a fixture)
from test_merge import merge
from test_retention import erase, make_old_case
from waiting import wait_until

OPERATIONS = contract_reader.operations()
READS = [name for name, one in OPERATIONS.items() if one.audit == "read"]
COLUMNS = ("organisation, client, operation, kind, collection, ids::text[], cases::text[], committees, "
           "parts::text[], items")
Entry = collections.namedtuple(
    "Entry", "organisation client operation kind collection ids cases committees parts items")


@pytest.fixture(scope="module")
def auditor(caller):
    return caller("AUDITOR", "audit-system", "audit.read")


@pytest.fixture(scope="module")
def entries(cluster):
    """Returns the entries of an answer."""
    def find(reply):
        return [Entry(*row) for row in cluster.execute(
            f"select {COLUMNS} from register.audit_entry where request = %s order by number",
            (reply.headers["X-Request-Id"],))]
    return find


@pytest.fixture
def entry(entries):
    """Returns the only entry of an answer."""
    def find(reply):
        found = entries(reply)
        assert len(found) == 1, (reply, found)
        return found[0]
    return find


def sealed(auditor, reply):
    """Waits until the entry of an answer is sealed, and returns the entries among which it must be."""
    def found():
        items = auditor.send("listAudit", query="limit=200").expect(200)["items"]
        return items if reply.headers["X-Request-Id"] in [one["request_id"] for one in items] else None
    return wait_until(found, "the entry is sealed")


def listed_by(who, **filters):
    return walk(who, "listAudit", "&".join([f"{name}={value}" for name, value in filters.items()]))


# --- answers that leave an entry ------------------------------------------------------------------

def named_by(client, name, place):
    """Returns the document whose bytes an answer has: the address or its release names it."""
    if name == "getDocumentContent":
        return {"id": place["document_id"]}
    return {"id": client.send("getDocumentRelease", id=place["id"]).expect(200)["document_id"]}


def reader_of(name, committee, caller):
    """Returns a caller that may read the objects of `theirs`, for an operation."""
    if name == "listDecisions":
        return caller("CI", "inspectorate-system", "decisions.read")
    return caller("AUDITOR", "audit-system", "audit.read") if name == "listAudit" else committee


@pytest.mark.parametrize("name", READS)
def test_a_read_leaves_the_entry_of_what_it_showed(committee, caller, theirs, entry, name):  # noqa: F811
    client, place = reader_of(name, committee, caller), place_of(name, theirs)
    reply = ask(client, name, place).expect(200)
    found = entry(reply)
    collection = OPERATIONS[name].path.split("/")[2]
    document = named_by(client, name, place) if reply.json is None else reply.json
    assert (found.operation, found.kind, found.collection) == (name, "read", collection)
    shown = [one["id"] for one in document.get("items", []) if len(one.get("id", "")) == 36]
    assert found.items == (len(document["items"]) if "items" in document else None)
    if "id" in place:
        parts = {value for member, value in place.items() if member != "id"} | set(shown)
        own = {document.get("id")} - {None} if "items" not in document else set()
        assert found.ids == [place["id"]]
        assert set(found.parts) == (parts | own) - {place["id"]}
    else:
        assert (found.ids, found.parts) == (shown, [])
    if collection == "cases":
        assert found.cases == found.ids
    if collection in ("cases", "actions", "notices", "proceedings", "information-requests"):
        assert len(found.cases) == len(found.committees) == len(found.ids)
        assert not found.ids or None not in found.cases
    if client is committee:
        assert found.organisation == "CPC-GLA"
        # Lists contain objects of other committees: transfers that are proposed to this one.
        assert set(found.committees) == {"GLA"} or "id" not in place and "GLA" in found.committees


def test_a_304_answer_is_recorded_as_a_read(committee, entry):
    case = make_case(committee)
    tag = tag_of(committee, "getCase", id=case["id"])
    reply = committee.send("getCase", id=case["id"], none_match=tag)
    assert reply.status == 304
    assert entry(reply).ids == [case["id"]]


def test_an_empty_list_is_recorded(committee, entry):
    reply = committee.send("listCases", query=f"opened_from={today()}&opened_to={today()}")
    assert reply["items"] == []
    found = entry(reply)
    assert (found.items, found.ids, found.committees) == (0, [], ["GLA"])


def test_a_refused_request_leaves_no_entry(committee, other_committee, agency, anonymous, entries):
    case = make_case(committee)
    refused = [anonymous.send("getCase", id=case["id"]), agency.send("getCase", id=case["id"]),
               other_committee.send("getCase", id=case["id"]),
               committee.send("getCase", id=str(uuid.uuid4())),
               committee.send("getCase", id=case["id"], query="surprise=1"),
               committee.send("changeCase", {"summary": "Late."}, id=case["id"], if_match='"99-x"'),
               committee.send("changeCase", {"summary": "Late."}, id=case["id"]),
               agency.send("pushReferral", new_referral(notified_on="2999-01-01"))]
    assert [one.status for one in refused] == [401, 403, 404, 404, 400, 412, 428, 422]
    assert [entries(one) for one in refused] == [[]] * len(refused)


def test_answers_without_case_data_leave_no_entry(committee, agency, dashboard, entries):
    replies = [committee.send(name) for name in ("getPrincipal", "listStages", "listRetentionRules", "listProblems")]
    replies += [dashboard.send("listStatistics"), agency.send("validateReferral", new_referral())]
    assert {one.status for one in replies} == {200}
    assert [entries(one) for one in replies] == [[]] * len(replies)


def test_a_change_leaves_an_entry_with_the_part_that_it_created(committee, entry):
    case = make_case(committee)
    reply = committee.send("addChild", new_child(), id=case["id"]).expect(201)
    found = entry(reply)
    assert found.kind == "change"
    assert (found.ids, found.cases, found.parts) == ([case["id"]], [case["id"]], [reply["id"]])


def test_opening_a_case_leaves_an_entry_of_the_case(agency, committee, entry):
    opened = committee.send("openCase", OPERATIONS["openCase"].example_body()).expect(201)
    assert entry(opened).cases == [opened["id"]]
    referral = make_referral(agency)
    reply = committee.send("acceptReferral", {"case_id": None, "accepted_on": today()},
                           id=referral["id"], if_match=tag_of(committee, "getReferral", id=referral["id"]))
    found = entry(reply.expect(201))
    assert (found.collection, found.ids, found.cases) == ("referrals", [referral["id"]], [reply["case_id"]])


def test_a_stored_answer_that_is_replayed_is_a_read(committee, entry):
    case, child, key = make_case(committee), new_child(), new_key()
    first, again = (committee.send("addChild", child, id=case["id"], key=key) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [entry(one).kind for one in (first, again)] == ["change", "read"]
    assert entry(again).parts == [first["id"]]


def test_a_pushed_referral_is_recorded_as_a_change_once(agency, entry):
    document, key = new_referral(), new_key()
    replies = [agency.send("pushReferral", document, key=each) for each in (key, key, None)]
    assert [one.status for one in replies] == [201, 201, 200]
    found = [entry(one) for one in replies]
    assert [one.kind for one in found] == ["change", "read", "read"]
    assert {(tuple(one.ids), tuple(one.committees), one.organisation) for one in found} == {
        ((replies[0]["id"],), ("GLA",), "LA-S12000049")}


def test_pushes_in_one_commit_have_an_entry_each(agency, health, in_background, entry):
    replies = [each.result() for each in [
        in_background(client.send, "pushReferral", new_referral()) for client in [agency, health] * 20]]
    found = [entry(one.expect(201)) for one in replies]
    assert [one.ids for one in found] == [[reply["id"]] for reply in replies]
    assert [one.organisation for one in found] == ["LA-S12000049", "HB-S08000031"] * 20


def test_a_batch_has_one_entry_with_the_stored_referrals(agency, entry, entries):
    bad = new_referral(notified_on="2999-01-01")
    documents, key = [new_referral(), bad, new_referral()], new_key()
    replies = [agency.send("pushReferrals", documents, key=key) for _ in range(2)]
    ids = [one["id"] for one in replies[0]["items"] if one["id"]]
    assert len(ids) == 2
    assert [(entry(one).kind, entry(one).ids) for one in replies] == [("change", ids), ("read", ids)]
    again = agency.send("pushReferrals", [documents[0], bad]).expect(207)
    assert (entry(again).kind, entry(again).ids) == ("read", ids[:1])
    assert entries(agency.send("pushReferrals", [bad]).expect(207)) == []


def test_a_merger_has_entries_of_both_cases(committee, entry):
    first, second = make_case(committee), make_case(committee)
    reply = merge(committee, first["id"], second["id"]).expect(201)
    assert set(entry(reply).cases) == {first["id"], second["id"]}


def test_no_entry_links_a_case_to_its_anonymous_facts(committee, cluster, entry):
    case = make_old_case(committee, cluster)
    reply = erase(committee, cluster, case).expect(201)
    found = entry(reply)
    assert (found.cases, found.committees, found.parts) == ([case["id"]], ["GLA"], [])
    assert reply["id"] not in repr(cluster.execute(
        "select * from register.audit_entry where cases @> array[%s::uuid]", (case["id"],)))


def test_giving_an_action_to_another_owner_is_in_the_trail_of_the_case(committee, agency, cluster, entry):
    action = make_action(committee)
    change = {"status": "in_progress"}
    agency.send("changeAction", change, id=action["id"], if_match=tag_of(agency, "getAction", id=action["id"]))
    given = committee.send("changeAction", {"owner_organisation": "HB-S08000031", "owner_accepted_on": today()},
                           id=action["id"], if_match=tag_of(committee, "getAction", id=action["id"])).expect(200)
    assert agency.send("getAction", id=action["id"]).status == 404
    assert entry(given).cases == [action["case_id"]]


def test_events_are_pointers_and_leave_no_entry(committee, entries):
    make_case(committee)
    for page in (committee.send("listPresent", query="limit=1"), committee.send("listChanges", query="limit=5")):
        assert page.expect(200)["items"] and entries(page) == []


def test_the_request_identifier_is_that_of_log_and_answer(committee, instance, entries):
    name = f"audit-{uuid.uuid4()}"
    reply = committee.send("listCases", headers={"X-Request-Id": name})
    assert reply.headers["X-Request-Id"] == name
    assert len(entries(reply)) == 1
    lines = [one for one in instance.log_lines() if one.get("request_id") == name]
    assert [one["operation"] for one in lines] == ["listCases"]


# --- no entry, no answer -------------------------------------------------------------------------

@pytest.fixture
def without_trail(cluster, instances):
    """Makes it impossible to add to the trail."""
    for each in instances:
        each.errors_expected = True
    cluster.execute("revoke insert on register.audit_entry from register_owner")
    yield
    cluster.execute("grant insert on register.audit_entry to register_owner")
    for each in instances:
        each.complaints()
        each.errors_expected = False


def test_without_an_entry_there_is_no_answer(committee, agency, theirs, without_trail):  # noqa: F811
    for name in READS:
        if name not in ("listDecisions", "listAudit"):
            reply = ask(committee, name, place_of(name, theirs))
            assert (reply.status, reply.code) == (503, "database_unavailable"), name
            assert not [one for member, one in theirs.items()
                        if one in reply.bytes.decode().replace(reply.json["instance"], "")], name


def test_without_an_entry_there_is_no_change(committee, agency, cluster, without_trail):
    def count():
        return cluster.execute("select (select count(*) from register.review_case), "
                               "(select count(*) from register.referral), "
                               "(select count(*) from register.idempotency_key)")
    before, case = count(), OPERATIONS["openCase"].example_body()
    replies = [committee.send("openCase", case), committee.send("openCase", case, key=new_key()),
               agency.send("pushReferrals", [new_referral()])]
    assert [one.status for one in replies] == [503] * 3
    # A push and its entry are one statement: a failed privilege looks like a missing resource.
    assert agency.send("pushReferral", new_referral()).status in (404, 503)
    assert count() == before


# --- shared commits ------------------------------------------------------------------------------

REFUSED = "refuse-this-entry"


@pytest.fixture
def with_refused_entry(cluster, instances):
    """PostgreSQL refuses the entry of one request."""
    for each in instances:
        each.errors_expected = True
    cluster.execute(f"alter table register.audit_entry add constraint refused check (request <> '{REFUSED}')")
    yield
    cluster.execute("alter table register.audit_entry drop constraint refused")
    for each in instances:
        each.complaints()
        each.errors_expected = False


def read_together(instance, reads):
    """Sends the reads concurrently until some of their entries have shared a commit; returns the replies of all."""
    replies, name = [], "audit_batch_size_sum"
    before = instance.figure(name) - instance.figure("audit_batch_size_count")

    def share():
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(reads)) as pool:
            replies.extend(one.result() for one in [pool.submit(read) for read in reads])
        return instance.figure(name) - instance.figure("audit_batch_size_count") > before
    wait_until(share, "entries share a commit")
    return replies


def test_reads_that_share_a_commit_have_their_own_entries(committee, agency, instance, entry):
    case, referral = make_case(committee), make_referral(agency)
    reads = [lambda: committee.send("getCase", id=case["id"], query="expand=stages"),
             lambda: agency.send("getReferral", id=referral["id"]),
             lambda: committee.send("listChildren", id=case["id"]),
             lambda: committee.send("listReferrals", query="limit=5")] * 4
    for reply in read_together(instance, reads):
        one = entry(reply.expect(200))
        wanted = {"getCase": ("CPC-GLA", [case["id"]]), "listChildren": ("CPC-GLA", [case["id"]]),
                  "getReferral": ("LA-S12000049", [referral["id"]]),
                  "listReferrals": ("CPC-GLA", [each["id"] for each in reply.json.get("items", [])])}
        assert (one.organisation, one.ids, one.kind) == (*wanted[one.operation], "read")
        assert set(one.committees) == {"GLA"}


def test_a_refused_entry_fails_only_its_own_read(committee, instance, entries, with_refused_entry):
    case = make_case(committee)
    reads = [lambda: committee.send("getCase", id=case["id"])] * 8
    reads.append(lambda: committee.send("getCase", id=case["id"], headers={"X-Request-Id": REFUSED}))
    for reply in read_together(instance, reads):
        refused = reply.headers["X-Request-Id"] == REFUSED
        assert (reply.status, reply.code) == ((503, "database_unavailable") if refused else (200, None))
        assert len(entries(reply)) == (0 if refused else 1)


# --- append-only -----------------------------------------------------------------------------------

TAMPERING = ["update register.{} set number = number + 1000000000", "delete from register.{}",
             "truncate register.{}"]


@pytest.mark.parametrize("role", ["register_service", "register_owner", "postgres"])
def test_no_role_alters_the_trail(cluster, committee, auditor, role):
    sealed(auditor, committee.send("listCases"))
    for statement in (one.format(table) for one in TAMPERING for table in ("audit_entry", "audit_seal")):
        with cluster.open() as link, link.cursor() as cursor:
            cursor.execute(f"set role {role}")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)
                pytest.fail(statement)
            link.rollback()


def test_the_service_adds_entries_only_through_its_claims(cluster):
    with cluster.open() as link, link.cursor() as cursor:
        cursor.execute("set role register_service")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("insert into register.audit_entry (organisation, client, operation, kind, request, "
                           "collection, ids, cases, committees, parts) values "
                           "('CI', 'x', 'getCase', 'read', 'r', 'cases', '{}', '{}', '{}', '{}')")


# --- readers of the trail --------------------------------------------------------------------------

def test_an_auditor_sees_the_readers_of_a_case(auditor, committee, agency, caller):
    action = make_action(committee)
    case = {"id": action["case_id"]}
    agency.send("getAction", id=action["id"]).expect(200)
    committee.send("listTimeline", id=case["id"]).expect(200)
    last = committee.send("getCase", id=case["id"]).expect(200)
    sealed(auditor, last)
    found = listed_by(auditor, case_id=case["id"])
    assert [one["operation"] for one in found][:3] == ["getCase", "listTimeline", "getAction"]
    assert {one["operation"] for one in found} >= {"openCase", "createAction"}
    assert all(case["id"] in one["case_ids"] for one in found)
    assert [one["number"] for one in found] == sorted([one["number"] for one in found], reverse=True)
    reads = listed_by(auditor, case_id=case["id"], kind="read", organisation="LA-S12000049")
    assert [(one["operation"], one["ids"], one["client"]) for one in reads] == [
        ("getAction", [action["id"]], "council-casework")]
    assert listed_by(auditor, case_id=case["id"], to=found[-1]["at"]) == []
    assert listed_by(auditor, case_id=case["id"], operation="getCase", client="nobody") == []
    oldest = listed_by(auditor, case_id=case["id"], sort="number", limit=2)
    assert oldest == found[::-1]
    since = listed_by(auditor, case_id=case["id"], **{"from": found[0]["at"]})
    assert found[0] in since and len(since) < len(found)


def test_an_auditor_sees_the_readers_of_a_referral(auditor, agency, committee):
    referral = make_referral(agency)
    last = committee.send("getReferral", id=referral["id"]).expect(200)
    sealed(auditor, last)
    found = listed_by(auditor, referral_id=referral["id"])
    assert [(one["operation"], one["organisation"]) for one in found] == [
        ("getReferral", "CPC-GLA"), ("pushReferral", "LA-S12000049")]


def test_a_committee_sees_the_entries_of_its_own_cases(auditor, committee, other_committee, agency, chief_officers):
    mine = make_action(committee)
    case = make_case(other_committee, "decision", local_authority="S12000036")
    foreign = make_action(other_committee, case, owner_organisation="LA-S12000049")
    both = agency.send("listActions", query="limit=200&sort=-updated_at").expect(200)
    whole = {one["request_id"]: one for one in sealed(auditor, both)}[both.headers["X-Request-Id"]]
    assert {mine["id"], foreign["id"]} <= set(whole["ids"])
    seen = {one["request_id"]: one for one in listed_by(committee, operation="listActions", limit=200)}
    own = seen[both.headers["X-Request-Id"]]
    assert mine["id"] in own["ids"] and foreign["id"] not in own["ids"]
    assert case["id"] not in own["case_ids"] and own["committees"] == ["GLA"]
    assert set(own["ids"]) < set(whole["ids"])
    assert listed_by(committee, case_id=case["id"]) == []
    assert listed_by(chief_officers.of("COG-GLA", "chief-officers-system"), case_id=mine["case_id"])
    assert listed_by(other_committee, case_id=case["id"])


def test_no_other_role_sees_the_trail(caller, auditor, committee, theirs):  # noqa: F811
    sealed(auditor, committee.send("getCase", id=theirs["cases"]).expect(200))
    for organisation in ("LA-S12000049", "CI", "SG", "INDEPENDENT"):
        assert listed_by(caller(organisation, "curious", ALL_SCOPES)) == []
    assert listed_by(caller("CPC-EDH", "curious", ALL_SCOPES), case_id=theirs["cases"]) == []


def test_an_auditor_sees_nothing_but_the_trail(caller, theirs):  # noqa: F811
    auditor = caller("AUDITOR", "curious", ALL_SCOPES)
    for name in READS:
        reply = ask(auditor, name, place_of(name, theirs))
        assert reply.status == 404 or reply["items"] == [] or name == "listAudit", name


def test_the_trail_of_a_case_is_found_by_index(cluster, auditor):
    cluster.execute("analyze register.audit_entry")
    plan = cluster.execute("set enable_seqscan = off; explain select * from register.audit_entry e where "
                           "e.cases @> array['7b0c4a52-3b7e-4a1f-9f57-0d6f2f1f8c11'::uuid]")
    assert "audit_entry_cases_ids_committees_idx" in repr(plan)


# --- sealing -------------------------------------------------------------------------------------

def test_the_head_advances_as_entries_are_sealed(auditor, committee):
    before = auditor.send("getAuditHead").expect(200).json
    sealed(auditor, committee.send("listCases"))
    after = auditor.send("getAuditHead").json
    assert after["count"] > before["count"] and after["hash"] != before["hash"]
    assert after["removed"] == 0


def test_entries_are_sealed_once_no_earlier_entry_can_appear(cluster, auditor, committee):
    with cluster.open() as link, link.cursor() as cursor:
        cursor.execute("select set_config('register.organisation', 'CPC-GLA', true), "
                       "set_config('register.client', 'slow', true), set_config('register.area', 'GLA', true); "
                       "select audit_write('slowOne', 'read', 'slow', 'cases', '{}', '{}', null)")
        reply = committee.send("listCases")
        wait_until(lambda: cluster.execute("select behind > 2 from audit_state()")[0][0],
                   "the trail is two seconds behind: it has been looked at")
        sealed_now = cluster.execute("select count(*) from register.audit_seal s join register.audit_entry e "
                                     "using (number) where e.request = %s", (reply.headers["X-Request-Id"],))
        assert sealed_now == [(0,)]
        link.commit()
    sealed(auditor, reply)
    order = cluster.execute("select e.operation from register.audit_entry e join register.audit_seal s using (number) "
                            "where e.request in ('slow', %s) order by s.position", (reply.headers["X-Request-Id"],))
    assert order == [("slowOne",), ("listCases",)]


def test_the_chain_is_whole_and_contains_its_anchor(instance, auditor, committee):
    sealed(auditor, committee.send("listCases"))
    said = instance.run("check", "audit")
    assert re.search(r"in order, \d+ entries sealed, 0 of them removed since", said)
    anchor = re.search(r"anchor: (\S+)", said)[1]
    head = auditor.send("getAuditHead").json
    assert int(anchor.split(":")[0]) <= head["count"]
    assert "in order" in instance.run("check", "audit", "--anchor", anchor)
    assert "is sealed up to" in instance.log_text()


def test_metrics_report_the_progress_of_sealing(instance):
    text = instance.admin("/metrics")[1]
    assert re.search(r"^audit_behind_seconds [0-9.]+$", text, re.M)
    assert re.search(r"^audit_entries_sealed [0-9.e+]+$", text, re.M)
