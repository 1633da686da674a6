"""Information requests: asked by the committee, answered by the organisation asked, seen by these two only."""
import pytest

from client import new_key
from payloads import dead_child, days_ago, days_ahead, new_answer, new_child, new_request, today
from scenarios import make_case, make_request, move, tag_of, walk


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee, "information_gathering", children=[new_child(), dead_child()])


@pytest.fixture
def request_of(committee):
    """Creates an open request in a separate case."""
    return make_request(committee)


def change(committee, request, **members):
    path = {"id": request["case_id"], "request_id": request["id"]}
    tag = tag_of(committee, "getCaseInformationRequest", **path)
    return committee.send("changeInformationRequest", members, **path, if_match=tag)


def answer(client, request, **overrides):
    return client.send("answerInformationRequest", new_answer(**overrides), id=request["id"])


def test_a_committee_requests_information(committee, case):
    reply = committee.send("createInformationRequest", new_request(organisation="POL-G"),
                           id=case["id"])
    assert reply.status == 201
    assert reply.headers["Location"] == (
        f"/v1/cases/{case['id']}/information-requests/{reply['id']}")
    assert (reply["organisation"], reply["status"], reply["case_id"]) == ("POL-G", "open",
                                                                         case["id"])


def test_the_request_can_be_read_at_its_address(committee, request_of):
    path = {"id": request_of["case_id"], "request_id": request_of["id"]}
    assert committee.send("getCaseInformationRequest", **path).json == request_of
    assert committee.send("getInformationRequest", id=request_of["id"]).json == request_of


def test_an_answer_is_due_after_14_days_by_default(committee, case):
    usual = make_request(committee, case, organisation="HB-S08000024")
    sooner = make_request(committee, case, organisation="HB-S08000015", due_on=days_ahead(3))
    assert (usual["due_on"], sooner["due_on"]) == (days_ahead(14), days_ahead(3))


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"asked_on": days_ahead(2)}, "/asked_on", "date_in_future"),
    ({"asked_on": days_ago(40)}, "/asked_on", "date_order"),
    ({"due_on": days_ago(1)}, "/due_on", "date_order"),
    ({"organisation": "LA-S12999999"}, "/organisation", "unknown_code"),
    ({"organisation": "CPC-GLA"}, "/organisation", "asks_itself"),
    ({"organisation": "TS-OTHER"}, "/organisation", "organisation_shared")])
def test_a_request_must_follow_the_rules(committee, case, overrides, pointer, rule):
    before = committee.send("listCaseInformationRequests", id=case["id"]).ids
    reply = committee.send("createInformationRequest", new_request(**overrides), id=case["id"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("listCaseInformationRequests", id=case["id"]).ids == before


def test_a_second_open_request_to_the_same_organisation_is_refused(committee, agency, request_of):
    again = committee.send("createInformationRequest", new_request(), id=request_of["case_id"])
    assert (again.status, again.rules) == (409, {"already_asked"})
    answer(agency, request_of).expect(201)
    again = committee.send("createInformationRequest", new_request(), id=request_of["case_id"])
    assert again.status == 201


def test_requesting_again_with_the_same_key_replays(committee):
    case, key = make_case(committee), new_key()
    first, second = [committee.send("createInformationRequest", new_request(), id=case["id"],
                                    key=key) for _ in range(2)]
    assert (first.status, second.status) == (201, 201) and second.bytes == first.bytes


def test_a_request_in_a_closed_case_is_refused(committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = committee.send("createInformationRequest", new_request(), id=case["id"])
    assert (reply.status, reply.rules) == (409, {"case_closed"})


def test_the_organisation_asked_sees_only_what_it_needs(committee, case, caller):
    made = make_request(committee, case, organisation="SCRA", due_on=days_ahead(5))
    reader = caller("SCRA", "reporter-system", "information.read information.write")
    seen = reader.send("getInformationRequest", id=made["id"])
    assert (seen["case_id"], seen["links"]["case"]) == (None, None)
    assert case["id"].encode() not in seen.bytes
    assert seen["case_reference"] == case["reference"]
    assert sorted(one["outcome"] for one in seen["children"]) == ["died", "significant_harm"]
    assert [sorted(one) for one in seen["children"]] == [["age_band", "index", "outcome"]] * 2
    assert [one["index"] for one in seen["children"]] == [1, 2]


def test_the_organisation_asked_answers(committee, agency, request_of):
    reply = answer(agency, request_of, criminal_proceedings=True)
    assert (reply.status, reply["status"], reply["answered_on"]) == (201, "answered", today())
    seen = committee.send("getInformationRequest", id=request_of["id"])
    assert (seen["summary"], seen["criminal_proceedings"]) == (reply["summary"], True)
    assert (seen["practice_areas"], seen["answered_late"]) == (["information_sharing"], False)


@pytest.mark.parametrize("members", [
    {"status": "nothing_held"}, {"status": "declined", "reason": "The file is with the court."}])
def test_an_answer_may_say_that_there_is_no_information(agency, request_of, members):
    reply = answer(agency, request_of, practice_areas=[], summary=None, **members)
    assert (reply.status, reply["status"]) == (201, members["status"])


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"answered_on": days_ahead(2)}, "/answered_on", "date_in_future"),
    ({"answered_on": days_ago(2)}, "/answered_on", "date_order"),
    ({"reason": "Because."}, "/reason", "only_when_declined"),
    ({"status": "declined", "practice_areas": [], "summary": None}, "/reason", "reason_required"),
    ({"status": "nothing_held", "practice_areas": []}, "/summary", "only_when_answered"),
    ({"status": "nothing_held", "summary": None}, "/practice_areas", "only_when_answered")])
def test_an_answer_must_follow_the_rules(committee, agency, request_of, overrides, pointer, rule):
    reply = answer(agency, request_of, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getInformationRequest", id=request_of["id"])["status"] == "open"


def test_a_request_is_answered_once(agency, request_of):
    answer(agency, request_of).expect(201)
    reply = answer(agency, request_of)
    assert (reply.status, reply.code, reply.rules) == (409, "state_conflict",
                                                       {"request_not_open"})


def test_an_answer_after_the_due_day_is_late(committee, agency):
    made = make_request(committee, make_case(committee), asked_on=days_ago(9),
                        due_on=days_ago(3))
    assert made["overdue"] is True
    reply = answer(agency, made)
    assert (reply["answered_late"], reply["overdue"]) == (True, False)


def test_only_the_organisation_asked_answers(committee, health, request_of):
    assert answer(health, request_of).status == 404
    assert answer(committee, request_of).status == 404
    assert health.send("getInformationRequest", id=request_of["id"]).status == 404


def test_the_due_day_of_an_open_request_can_be_changed(committee, request_of):
    reply = change(committee, request_of, due_on=days_ahead(30))
    assert (reply.status, reply["due_on"], reply["status"]) == (200, days_ahead(30), "open")


@pytest.mark.parametrize("status", ["waived", "withdrawn"])
def test_the_committee_may_end_a_request_without_an_answer(committee, agency, request_of, status):
    reply = change(committee, request_of, status=status, reason="The others said enough.")
    assert (reply.status, reply["status"], reply["answered_on"]) == (200, status, None)
    assert answer(agency, request_of).rules == {"request_not_open"}


@pytest.mark.parametrize("members, pointer, rule", [
    ({"status": "waived"}, "/reason", "reason_required"),
    ({"reason": "Because."}, "/reason", "only_when_ended"),
    ({"due_on": days_ago(1)}, "/due_on", "date_order")])
def test_a_change_must_follow_the_rules(committee, request_of, members, pointer, rule):
    reply = change(committee, request_of, **members)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})


def test_an_ended_request_does_not_change(committee, agency, request_of):
    answer(agency, request_of).expect(201)
    reply = change(committee, request_of, due_on=days_ahead(30))
    assert (reply.status, reply.rules) == (409, {"request_not_open"})


def test_a_request_is_not_found_under_another_case(committee, request_of):
    other = make_case(committee)
    path = {"id": other["id"], "request_id": request_of["id"]}
    assert committee.send("getCaseInformationRequest", **path).status == 404
    assert committee.send("changeInformationRequest", {"due_on": days_ahead(30)}, **path,
                          if_match='"1-x"').status == 404


def test_open_requests_keep_a_case_in_information_gathering(committee, agency, request_of):
    blocked = move(committee, request_of["case_id"], "recommendation")
    assert (blocked.status, blocked.rules) == (409, {"information_returned"})
    answer(agency, request_of).expect(201)
    assert move(committee, request_of["case_id"], "recommendation").status == 201


def test_closing_a_case_ends_its_open_requests(committee, agency, request_of):
    move(committee, request_of["case_id"], "closed", "discontinued").expect(201)
    seen = agency.send("getInformationRequest", id=request_of["id"])
    assert (seen["status"], seen["overdue"]) == ("withdrawn", False)


def test_each_side_lists_its_own_requests(committee, health, police, case):
    made = make_request(committee, case, organisation="HB-S08000031")["id"]
    assert made in [one["id"] for one in walk(committee, "listInformationRequests", "limit=200")]
    assert made in health.send("listInformationRequests").ids
    assert made not in police.send("listInformationRequests").ids


def test_requests_are_filtered_by_status_and_delay_and_sorted_by_due_day(committee, caller):
    asked = caller("HB-S08000028", "islands-system", "information.read information.write")
    late, soon, later, answered = [
        make_request(committee, make_case(committee), organisation="HB-S08000028",
                     asked_on=days_ago(9), due_on=day)
        for day in (days_ago(2), days_ahead(1), days_ahead(5), days_ahead(2))]
    answer(asked, answered).expect(201)
    pages = walk(asked, "listInformationRequests", "status=open&limit=2")
    assert [one["id"] for one in pages] == [late["id"], soon["id"], later["id"]]
    assert asked.send("listInformationRequests", query="overdue=true").ids == [late["id"]]
    assert asked.send("listInformationRequests", query="status=answered").ids == [answered["id"]]


def test_a_committee_asked_by_another_one_counts_as_an_agency(committee, other_committee):
    made = make_request(committee, organisation="CPC-EDH")
    seen = other_committee.send("getInformationRequest", id=made["id"])
    assert (seen.status, seen["case_id"]) == (200, None)
    assert answer(other_committee, made).status == 201


def test_answering_needs_its_own_scope(caller, request_of):
    reply = answer(caller("LA-S12000049", "reader", "information.read"), request_of)
    assert (reply.status, reply.code) == (403, "scope_missing")
