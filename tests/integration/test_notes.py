"""Notes on a case: who reads them, and how they are corrected."""
import pytest

from client import ALL_SCOPES
from payloads import new_access, new_note, new_transfer, today
from scenarios import make_case, tag_of
from test_changes import follow, of
from test_timeline import members, timeline

REVIEWER = "cases.read reviews.write changes.read"


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee)


@pytest.fixture(scope="module")
def reviewer(committee, caller, case):
    committee.send("grantAccess", new_access(client_id="notes-reviewer"), id=case["id"]).expect(201)
    return caller("INDEPENDENT", "notes-reviewer", REVIEWER)


@pytest.fixture(scope="module")
def officers(caller):
    return caller("COG-GLA", "notes-officers", "cases.read changes.read")


def write(client, case, **content):
    return client.send("addNote", new_note(**content), id=case["id"])


def correct(client, note, text):
    at = {"id": note["case_id"], "note_id": note["id"]}
    return client.send("changeNote", {"text": text}, if_match=note["etag"], **at)


def ids(client, case):
    return {one["id"] for one in client.send("listNotes", id=case["id"]).expect(200)["items"]}


@pytest.mark.parametrize("visibility, seen", [
    ("committee", {"committee"}), ("review_team", {"committee", "reviewer"}),
    ("case", {"committee", "reviewer", "officers"})])
def test_each_role_sees_the_notes_for_it_everywhere(committee, reviewer, officers, case, visibility, seen):
    """As a resource, in the list, in the timeline and in the feed."""
    clients = {"committee": committee, "reviewer": reviewer, "officers": officers}
    consumers = {name: follow(client) for name, client in clients.items()}
    note = write(committee, case, visibility=visibility).expect(201)
    for name, client in clients.items():
        sees = name in seen
        assert client.send("getNote", id=case["id"], note_id=note["id"]).status == (200 if sees else 404), name
        assert (note["id"] in ids(client, case)) is sees, name
        assert (note["id"] in {one["subject_id"] for one in timeline(client, case)}) is sees, name
        events = of(consumers[name].read(), note["id"])
        assert [one["type"] for one in events] == (["note.created"] if sees else []), name
        assert all(one["links"]["self"] == note["links"]["self"] for one in events)


def test_a_new_access_reveals_no_note_of_the_committee(committee, caller):
    case = make_case(committee)
    hidden, shown = (write(committee, case, visibility=one).expect(201)["id"] for one in ("committee", "review_team"))
    late = caller("INDEPENDENT", "notes-late", REVIEWER)
    reader = follow(late)
    committee.send("grantAccess", new_access(client_id="notes-late"), id=case["id"]).expect(201)
    assert {hidden, shown} & {one["subject_id"] for one in reader.read()} == {shown}


def test_a_correction_shows_both_texts_in_the_timeline(committee, case):
    note = write(committee, case).expect(201)
    corrected = correct(committee, note, "The health board sends it by Monday.").expect(200)
    assert corrected["text"] == "The health board sends it by Monday."
    entry = timeline(committee, case)[-1]
    assert (entry["subject_id"], entry["kind"]) == (note["id"], "corrected")
    assert members(entry)["text"] == (note["text"], corrected["text"])


def test_only_the_author_corrects_a_note(committee, reviewer, caller, case):
    of_committee, of_reviewer = write(committee, case).expect(201), write(reviewer, case).expect(201)
    colleague = caller("CPC-GLA", "notes-colleague", ALL_SCOPES)
    for client, note in ((reviewer, of_committee), (committee, of_reviewer)):
        reply = correct(client, note, "Another text.")
        assert (reply.status, reply.rules) == (409, {"not_its_author"})
    assert correct(colleague, of_committee, "By Tuesday.").status == 200
    assert correct(reviewer, of_reviewer, "By Wednesday.").status == 200


def test_a_reviewer_writes_no_note_for_the_committee_alone(reviewer, case):
    reply = write(reviewer, case, visibility="committee")
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/visibility"}, {"committee_only"})


def test_the_visibility_of_a_note_never_changes(committee, case):
    note = write(committee, case, visibility="committee").expect(201)
    reply = committee.send("changeNote", {"visibility": "case"}, id=case["id"], note_id=note["id"],
                           if_match=note["etag"])
    assert (reply.status, reply.code, reply.pointers) == (400, "schema_violation", {"/visibility"})


def test_a_note_that_names_a_person_is_refused(committee, case):
    reply = write(committee, case, text="Call 0141 496 0000 about CHI 0101170009.")
    assert (reply.status, reply.pointers) == (422, {"/text"})


def test_a_closed_case_takes_notes(committee):
    assert write(committee, make_case(committee, "closed")).status == 201


def test_the_committee_that_takes_a_case_over_reads_its_notes(committee, caller):
    case = make_case(committee)
    note = write(committee, case, visibility="committee").expect(201)
    receiver = caller("CPC-FIF", "notes-receiver", ALL_SCOPES)
    transfer = committee.send("proposeTransfer", new_transfer(to_committee="FIF"), id=case["id"]).expect(201)
    assert receiver.send("getNote", id=case["id"], note_id=note["id"]).status == 404
    receiver.send("acceptTransfer", {"decided_on": today(), "local_authority": "S12000047"}, id=transfer["id"],
                  if_match=tag_of(receiver, "getTransfer", id=transfer["id"])).expect(200, 201)
    assert receiver.send("getNote", id=case["id"], note_id=note["id"]).status == 200
    assert committee.send("getNote", id=case["id"], note_id=note["id"]).status == 404
