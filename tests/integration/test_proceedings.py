"""Proceedings parallel to a review: recorded by the committee, shared with the organisations that lead them."""
import pytest

from client import new_key
from payloads import days_ago, days_ahead, new_proceeding, today
from scenarios import make_case, make_hold, make_proceeding, move, prepare, tag_of, walk

READ_WRITE = "proceedings.read proceedings.write"


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee, opened_on=days_ago(60))


@pytest.fixture
def prosecution(caller):
    return caller("COPFS", "prosecution-system", READ_WRITE)


def give_access(cluster, case, organisation, role, client=None, ends_on=None):
    cluster.execute(
        "insert into register.case_access (id, committee, case_id, organisation, client, role,"
        " starts_on, ends_on) values (gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s)",
        (case["committee"], case["id"], organisation, client, role, days_ago(1), ends_on))


@pytest.fixture
def shared(committee, cluster):
    """Proceedings of a case that is shared with the prosecution."""
    case = make_case(committee, opened_on=days_ago(60))
    give_access(cluster, case, "COPFS", "proceedings_liaison")
    return make_proceeding(committee, case)


def add(committee, case, **overrides):
    return committee.send("addProceeding", new_proceeding(**overrides), id=case["id"])


def change(client, proceeding, **members):
    """Changes proceedings by their own id, as a liaison organisation does."""
    return client.send("changeProceeding", members, id=proceeding["id"],
                       if_match=tag_of(client, "getProceeding", id=proceeding["id"]))


def change_in_case(committee, proceeding, **members):
    path = {"id": proceeding["case_id"], "proceeding_id": proceeding["id"]}
    return committee.send("changeCaseProceeding", members, **path,
                          if_match=tag_of(committee, "getCaseProceeding", **path))


def close(committee, case_id):
    move(committee, case_id, "closed", "discontinued").expect(201)


def test_a_committee_records_proceedings(committee, case):
    reply = add(committee, case, note="The procurator fiscal is informed.")
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/proceedings/{reply['id']}"
    assert (reply["case_id"], reply["case_reference"]) == (case["id"], case["reference"])
    assert (reply["kind"], reply["position"], reply["version"]) == ("criminal_prosecution",
                                                                    "should_wait", 1)


def test_members_left_out_are_null(committee, case):
    document = {"kind": "child_death_review", "started_on": today(), "position": "no_effect"}
    reply = committee.send("addProceeding", document, id=case["id"])
    lists = ("agreed_with", "restrictions", "permitted", "exchanges")
    assert [reply[name] for name in lists] == [[]] * 4
    assert (reply["contact_with"], reply["review_on"], reply["note"]) == (None, None, None)


def test_proceedings_are_read_at_both_addresses(committee, case):
    made = add(committee, case)
    there = committee.send("getCaseProceeding", id=case["id"], proceeding_id=made["id"])
    assert there.json == made.json
    assert committee.send("getProceeding", id=made["id"]).json == made.json


def test_proceedings_of_a_case_are_sorted_by_their_start(committee):
    case = make_case(committee)
    late, early = [make_proceeding(committee, case, started_on=days_ago(days))["id"]
                   for days in (3, 9)]
    assert committee.send("listCaseProceedings", id=case["id"]).ids == [early, late]


def test_proceedings_are_not_found_under_another_case(committee, case):
    other = make_case(committee)
    made = make_proceeding(committee, case)
    assert committee.send("getCaseProceeding", id=other["id"],
                          proceeding_id=made["id"]).status == 404
    reply = committee.send("changeCaseProceeding", {"note": "Later."}, id=other["id"],
                           proceeding_id=made["id"], if_match='"1-x"')
    assert reply.status == 404


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"started_on": days_ahead(2)}, "/started_on", "date_in_future"),
    ({"ended_on": days_ahead(2)}, "/ended_on", "date_in_future"),
    ({"ended_on": days_ago(21)}, "/ended_on", "date_order"),
    ({"contact_made_on": days_ahead(2)}, "/contact_made_on", "date_in_future"),
    ({"liaison_meeting_on": days_ahead(2)}, "/liaison_meeting_on", "date_in_future"),
    ({"contact_made_on": days_ago(3), "liaison_meeting_on": days_ago(4)}, "/liaison_meeting_on",
     "date_order"),
    ({"review_on": days_ago(21)}, "/review_on", "date_order"),
    ({"review_on": None}, "/review_on", "review_date_required"),
    ({"review_on": None, "position": "may_proceed_in_part"}, "/review_on", "review_date_required"),
    ({"position": "no_effect"}, "/restrictions", "restricted_without_effect"),
    ({"restrictions": ["no_family_contact"], "permitted": ["family_contact"]}, "/permitted",
     "permitted_and_restricted"),
    ({"agreed_with": ["COPFS", "POL-X"]}, "/agreed_with/1", "unknown_code"),
    ({"exchanges": [{"exchanged_on": days_ahead(2), "direction": "given",
                     "material": "records"}]}, "/exchanges/0/exchanged_on", "date_in_future"),
])
def test_proceedings_must_follow_the_rules(committee, case, overrides, pointer, rule):
    before = committee.send("listCaseProceedings", id=case["id"]).ids
    reply = add(committee, case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("listCaseProceedings", id=case["id"]).ids == before


def test_all_faults_are_reported_at_once(committee, case):
    reply = add(committee, case, started_on=days_ahead(2), review_on=None, agreed_with=["NOBODY"])
    assert reply.pointers == {"/started_on", "/review_on", "/agreed_with/0"}


@pytest.mark.parametrize("overrides", [
    {"position": "no_effect", "restrictions": [], "review_on": None},
    {"ended_on": days_ago(1), "review_on": None}])
def test_a_review_date_is_optional_without_effect_or_after_the_end(committee, case, overrides):
    assert add(committee, case, **overrides).status == 201


@pytest.mark.parametrize("overrides, pointer", [
    ({"kind": "tribunal"}, "/kind"), ({"position": None}, "/position"),
    ({"restrictions": ["no_lunch"]}, "/restrictions/0"),
    ({"exchanges": [{"direction": "given", "material": "records"}]}, "/exchanges/0/exchanged_on"),
    ({"name": "someone"}, "/name")])
def test_proceedings_must_follow_the_contract(committee, case, overrides, pointer):
    reply = add(committee, case, **overrides)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_a_note_that_identifies_a_person_is_refused(committee, case):
    reply = add(committee, case, note="Write to clerk@example.org about it.")
    assert (reply.status, reply.code) == (422, "personal_identifier_found")


def test_recording_again_with_the_same_key_replays(committee, case):
    document, key = new_proceeding(), new_key()
    first, second = [committee.send("addProceeding", document, id=case["id"], key=key)
                     for _ in range(2)]
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"


def test_a_change_replaces_only_the_members_it_names(committee, case):
    made = make_proceeding(committee, case)
    exchange = {"exchanged_on": today(), "direction": "received", "material": "statements"}
    reply = change_in_case(committee, made, contact_made_on=days_ago(3), contact_with="prosecution",
                           exchanges=[exchange], permitted=[])
    assert (reply.status, reply["version"]) == (200, 2)
    assert (reply["contact_made_on"], reply["contact_with"]) == (days_ago(3), "prosecution")
    assert (reply["exchanges"], reply["permitted"]) == ([exchange], [])
    assert reply["restrictions"] == made["restrictions"]


def test_a_change_must_follow_the_rules(committee, case):
    made = make_proceeding(committee, case)
    reply = change_in_case(committee, made, review_on=None)
    assert (reply.status, reply.rules) == (422, {"review_date_required"})
    assert committee.send("getProceeding", id=made["id"])["version"] == 1


def test_a_missed_review_shows(committee, case):
    made = make_proceeding(committee, case, review_on=days_ago(1))
    assert made["review_overdue"] is True
    assert make_proceeding(committee, case, review_on=today())["review_overdue"] is False
    assert change_in_case(committee, made, ended_on=today())["review_overdue"] is False


def test_the_record_of_changes_names_the_author_and_the_members(committee, prosecution, shared, cluster):
    change(prosecution, shared, contact_made_on=today()).expect(200)
    rows = cluster.execute("select kind, recorded_by, changes from register.change"
                           " where subject_id = %s order by id", (shared["id"],))
    assert [row[:2] for row in rows] == [("created", "CPC-GLA"), ("changed", "COPFS")]
    assert rows[1][2]["contact_made_on"] == {"before": None, "after": today()}


# ---- Closed cases.

def test_proceedings_of_a_closed_case_are_refused(committee):
    case = make_case(committee)
    made = make_proceeding(committee, case)
    close(committee, case["id"])
    replies = [add(committee, case), change_in_case(committee, made, note="Later."),
               change(committee, made, note="Later.")]
    assert [(one.status, one.rules) for one in replies] == [(409, {"case_closed"})] * 3


def test_a_liaison_does_not_change_proceedings_of_a_closed_case(committee, prosecution, shared):
    close(committee, shared["case_id"])
    reply = change(prosecution, shared, contact_made_on=today())
    assert (reply.status, reply.rules) == (409, {"case_closed"})


# ---- The liaison organisation.

def test_a_liaison_sees_the_proceedings_and_nothing_else_of_the_case(prosecution, shared):
    reply = prosecution.send("getProceeding", id=shared["id"])
    assert reply.status == 200
    assert (reply["case_id"], reply["links"]["case"]) == (None, None)
    assert reply["case_reference"] == shared["case_reference"]
    assert shared["case_id"].encode() not in reply.bytes


def test_a_liaison_cannot_read_the_case(caller, shared):
    everything = caller("COPFS", "prosecution-case-system")
    for operation in ("getCase", "listCaseProceedings", "listHolds", "listChildren"):
        assert everything.send(operation, id=shared["case_id"]).status == 404


def test_a_liaison_lists_only_shared_proceedings(committee, prosecution, shared, case):
    hidden = make_proceeding(committee, case)
    found = [one["id"] for one in walk(prosecution, "listProceedings", "limit=2")]
    assert shared["id"] in found and hidden["id"] not in found


def test_another_organisation_sees_nothing(caller, shared):
    reporter = caller("SCRA", "reporter-system", READ_WRITE)
    assert reporter.send("getProceeding", id=shared["id"]).status == 404
    assert reporter.send("listProceedings").json == {"items": [], "next": None}


def test_a_liaison_whose_access_ended_sees_nothing(prosecution, shared, cluster):
    cluster.execute("update register.case_access set ended_on = %s where case_id = %s",
                    (today(), shared["case_id"]))
    assert prosecution.send("getProceeding", id=shared["id"]).status == 404


def test_a_liaison_records_the_agreement(prosecution, committee, shared):
    members = {"contact_made_on": days_ago(5), "contact_with": "prosecution", "liaison_meeting_on": days_ago(2),
               "position": "may_proceed_in_part", "restrictions": ["no_publication"],
               "permitted": ["drafting"], "review_on": days_ahead(30), "note": "As agreed.",
               "exchanges": [{"exchanged_on": days_ago(1), "direction": "given",
                              "material": "chronology"}]}
    reply = change(prosecution, shared, **members)
    assert (reply.status, reply["case_id"], reply["version"]) == (200, None, 2)
    seen = committee.send("getProceeding", id=shared["id"])
    assert {name: seen[name] for name in members} == members


@pytest.mark.parametrize("members", [
    {"ended_on": today()}, {"kind": "complaint"}, {"started_on": days_ago(9)},
    {"agreed_with": []}])
def test_only_the_committee_changes_the_other_members(prosecution, shared, members):
    reply = change(prosecution, shared, note="One more thing.", **members)
    pointer = "/" + next(iter(members))
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {"committee_only"})
    assert prosecution.send("getProceeding", id=shared["id"])["version"] == 1


def test_the_committee_changes_all_members_at_both_addresses(committee, shared):
    reply = change(committee, shared, ended_on=today(), note=None)
    assert (reply.status, reply["ended_on"], reply["case_id"]) == (200, today(), shared["case_id"])


def test_a_liaison_with_a_stale_version_changes_nothing(prosecution, committee, shared):
    tag = tag_of(prosecution, "getProceeding", id=shared["id"])
    change(committee, shared, note="First.").expect(200)
    reply = prosecution.send("changeProceeding", {"note": "Second."}, id=shared["id"], if_match=tag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_the_database_alone_refuses_changes_of_a_liaison_without_the_scope(caller, database_only,
                                                                           shared):
    reader = caller("COPFS", "reader", "proceedings.read", database_only)
    assert change(reader, shared, note="Not mine to write.").status == 404
    without = caller("COPFS", "reader", "referrals.read", database_only)
    assert without.send("getProceeding", id=shared["id"]).status == 404
    assert without.send("listProceedings").json == {"items": [], "next": None}


# ---- Clients with access to the case, and the chief officers.

def test_a_reviewer_with_access_reads_and_does_not_write(committee, caller, cluster):
    case = make_case(committee)
    made = make_proceeding(committee, case)
    give_access(cluster, case, "INDEPENDENT", "reviewer", "reviewer-seven", days_ahead(30))
    reviewer = caller("INDEPENDENT", "reviewer-seven", READ_WRITE + " cases.read")
    assert reviewer.send("listCaseProceedings", id=case["id"]).ids == [made["id"]]
    assert reviewer.send("getProceeding", id=made["id"])["case_id"] == case["id"]
    assert add(reviewer, case).status == 404
    assert change(reviewer, made, note="Seen.").status == 404
    assert committee.send("getProceeding", id=made["id"])["version"] == 1


def test_the_chief_officers_read_and_do_not_write(committee, caller, case):
    made = make_proceeding(committee, case)
    officers = caller("COG-GLA", "officers-reading", READ_WRITE)
    assert officers.send("getProceeding", id=made["id"])["case_id"] == case["id"]
    assert change(officers, made, note="Seen.").status == 404
    assert add(officers, case).status == 404


def test_the_read_scope_is_enough_to_read(caller, committee, case):
    made = make_proceeding(committee, case)
    reader = caller("CPC-GLA", "proceedings-reader", "proceedings.read")
    assert made["id"] in reader.send("listCaseProceedings", id=case["id"]).ids
    assert reader.send("getCaseProceeding", id=case["id"], proceeding_id=made["id"]).status == 200
    assert add(reader, case).status == 403


# ---- The list across cases.

@pytest.fixture(scope="module")
def angus(caller):
    """A committee with five proceedings in two cases, known in every detail."""
    made = caller("CPC-ANG")
    cases = [make_case(made, local_authority="S12000041") for _ in range(2)]
    for days in range(1, 6):
        make_proceeding(made, cases[days % 2], started_on=days_ago(days),
                        kind="police_investigation" if days < 3 else "fatal_accident_inquiry",
                        ended_on=days_ago(1) if days == 5 else None)
    return made


@pytest.mark.parametrize("query, count", [
    ("", 5), ("open=true", 4), ("open=false", 1), ("kind=police_investigation", 2),
    ("kind=fatal_accident_inquiry&open=true", 2), ("kind=complaint", 0)])
def test_filters_select_proceedings(angus, query, count):
    assert len(walk(angus, "listProceedings", query)) == count


def test_proceedings_are_sorted_by_latest_start_across_pages(angus):
    days = [one["started_on"] for one in walk(angus, "listProceedings", "limit=2")]
    assert days == [days_ago(number) for number in range(1, 6)]


# ---- The guard.

def test_a_review_starts_after_contact_about_every_open_proceeding(committee):
    case = make_case(committee, "set_up")
    waiting = make_proceeding(committee, case)
    make_proceeding(committee, case, ended_on=today())
    reply = move(committee, case["id"], "review")
    assert reply.status == 409 and "prosecution_contacted" in reply.rules
    change_in_case(committee, waiting, contact_made_on=today()).expect(200)
    assert "prosecution_contacted" not in blockers(committee, case, "review")
    prepare(committee, case)
    assert move(committee, case["id"], "review").status == 201


def test_ended_proceedings_need_no_contact(committee):
    case = make_case(committee, "set_up")
    waiting = make_proceeding(committee, case)
    assert "prosecution_contacted" in blockers(committee, case, "review")
    change_in_case(committee, waiting, ended_on=today()).expect(200)
    assert "prosecution_contacted" not in blockers(committee, case, "review")


def blockers(committee, case, to):
    items = committee.send("listTransitions", id=case["id"])["items"]
    return {one["guard"] for item in items if item["to"] == to for one in item["blocked_by"]}


# ---- Ending.

def test_the_end_of_proceedings_lifts_their_open_holds(committee):
    case = make_case(committee, opened_on=days_ago(60))
    made, other = [make_proceeding(committee, case) for _ in range(2)]
    hold = make_hold(committee, case, proceeding_id=made["id"], held_from=days_ago(9))
    later = make_hold(committee, case, proceeding_id=made["id"], held_from=days_ago(1))
    kept = make_hold(committee, case, proceeding_id=other["id"], held_from=days_ago(9))
    free = make_hold(committee, case, held_from=days_ago(9))
    change_in_case(committee, made, ended_on=days_ago(4)).expect(200)
    lifted = {one["id"]: one["lifted_on"]
              for one in committee.send("listHolds", id=case["id"])["items"]}
    assert lifted == {hold["id"]: days_ago(4), later["id"]: days_ago(1), kept["id"]: None,
                      free["id"]: None}


def test_a_hold_lifted_before_keeps_its_date(committee):
    case = make_case(committee, opened_on=days_ago(60))
    made = make_proceeding(committee, case)
    hold = make_hold(committee, case, proceeding_id=made["id"], held_from=days_ago(9),
                     lifted_on=days_ago(7))
    change_in_case(committee, made, ended_on=days_ago(4)).expect(200)
    path = {"id": case["id"], "hold_id": hold["id"]}
    assert committee.send("getHold", **path)["lifted_on"] == days_ago(7)
