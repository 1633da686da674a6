"""Holds: the held part of a case, the start, the agreement and the day of the next look at it."""
import pytest

from client import new_key
from payloads import days_ago, days_ahead, new_hold, today
from scenarios import make_case, make_hold, make_proceeding, move, tag_of


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee, opened_on=days_ago(60))


def add(committee, case, **overrides):
    return committee.send("addHold", new_hold(**overrides), id=case["id"])


def change(committee, hold, **members):
    path = {"id": hold["case_id"], "hold_id": hold["id"]}
    return committee.send("changeHold", members, **path,
                          if_match=tag_of(committee, "getHold", **path))


def stage_of(committee, case_id):
    """Returns the present stage with its clock."""
    return committee.send("listCaseStages", id=case_id)["items"][-1]


def test_a_committee_makes_a_hold(committee, case):
    made = make_proceeding(committee, case)
    reply = add(committee, case, proceeding_id=made["id"], tracks=["publication"],
                planned_until=days_ahead(90))
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/cases/{case['id']}/holds/{reply['id']}"
    assert (reply["stages"], reply["tracks"]) == (["review"], ["publication"])
    assert (reply["lifted_on"], reply["review_overdue"], reply["version"]) == (None, False, 1)
    assert reply["links"]["proceeding"].endswith(made["id"])


def test_a_hold_can_be_read_at_its_address(committee, case):
    made = add(committee, case)
    reply = committee.send("getHold", id=case["id"], hold_id=made["id"])
    assert reply.json == made.json and reply.etag == made.etag


def test_the_holds_of_a_case_are_listed_by_their_first_day(committee):
    case = make_case(committee, opened_on=days_ago(60))
    late, early = [make_hold(committee, case, held_from=days_ago(days))["id"] for days in (2, 8)]
    assert committee.send("listHolds", id=case["id"]).ids == [early, late]


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"stages": []}, "/stages", "nothing_held"),
    ({"held_from": days_ahead(1), "review_on": days_ahead(9)}, "/held_from", "date_in_future"),
    ({"held_from": days_ago(61)}, "/held_from", "date_order"),
    ({"planned_until": days_ago(1)}, "/planned_until", "date_order"),
    ({"review_on": today()}, "/review_on", "date_order"),
    ({"lifted_on": days_ahead(2)}, "/lifted_on", "date_in_future"),
    ({"lifted_on": days_ago(1)}, "/lifted_on", "date_order"),
    ({"reason": "other"}, "/reason_text", "reason_text_required"),
    ({"agreed_with": ["NOBODY"]}, "/agreed_with/0", "unknown_code"),
    ({"proceeding_id": "01a1d5f4-2b10-7c3a-9d44-5e6f7a8b9c01"}, "/proceeding_id",
     "unknown_proceeding"),
])
def test_a_hold_must_follow_the_rules(committee, case, overrides, pointer, rule):
    before = committee.send("listHolds", id=case["id"]).ids
    reply = add(committee, case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("listHolds", id=case["id"]).ids == before


def test_all_faults_are_reported_at_once(committee, case):
    reply = add(committee, case, stages=[], reason="other", review_on=today())
    assert reply.rules == {"nothing_held", "reason_text_required", "date_order"}


@pytest.mark.parametrize("overrides, pointer", [
    ({"review_on": None}, "/review_on"), ({"agreed_with": []}, "/agreed_with"),
    ({"stages": ["closed"]}, "/stages/0"), ({"tracks": ["printing"]}, "/tracks/0"),
    ({"held_from": "2026-02-30"}, "/held_from"), ({"reason": None}, "/reason")])
def test_a_hold_must_follow_the_contract(committee, case, overrides, pointer):
    reply = add(committee, case, **overrides)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_a_hold_without_a_review_date_is_refused(committee, case):
    document = new_hold()
    del document["review_on"]
    reply = committee.send("addHold", document, id=case["id"])
    assert (reply.status, reply.pointers) == (400, {"/review_on"})
    made = make_hold(committee, case)
    assert change(committee, made, review_on=None).status == 400


def test_a_track_alone_can_be_held(committee, case):
    reply = add(committee, case, stages=[], tracks=["dissemination"])
    assert (reply.status, reply["stages"]) == (201, [])


def test_proceedings_of_another_case_are_unknown(committee, case):
    other = make_proceeding(committee, make_case(committee))
    assert add(committee, case, proceeding_id=other["id"]).rules == {"unknown_proceeding"}


def test_a_hold_for_ended_proceedings_must_be_lifted(committee, case):
    ended = make_proceeding(committee, case, ended_on=days_ago(3))
    reply = add(committee, case, proceeding_id=ended["id"], held_from=days_ago(9))
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/lifted_on"},
                                                           {"proceeding_ended"})
    lifted = add(committee, case, proceeding_id=ended["id"], held_from=days_ago(9),
                 lifted_on=days_ago(3))
    assert lifted.status == 201
    assert change(committee, lifted, lifted_on=None).rules == {"proceeding_ended"}


def test_a_hold_is_lifted(committee, case):
    made = make_hold(committee, case, held_from=days_ago(5))
    reply = change(committee, made, lifted_on=days_ago(1))
    assert (reply.status, reply["lifted_on"], reply["version"]) == (200, days_ago(1), 2)


@pytest.mark.parametrize("day, rule", [(days_ahead(1), "date_in_future"),
                                       (days_ago(6), "date_order")])
def test_the_date_of_lifting_must_be_possible(committee, case, day, rule):
    made = make_hold(committee, case, held_from=days_ago(5))
    reply = change(committee, made, lifted_on=day)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/lifted_on"}, {rule})
    assert committee.send("getHold", id=case["id"], hold_id=made["id"])["lifted_on"] is None


def test_a_hold_must_hold_something(committee, case):
    reply = change(committee, make_hold(committee, case), stages=[])
    assert (reply.status, reply.rules) == (422, {"nothing_held"})


def test_a_missed_review_shows_until_the_hold_is_lifted(committee, case):
    made = make_hold(committee, case, held_from=days_ago(9), review_on=days_ago(1))
    assert made["review_overdue"] is True
    assert change(committee, made, review_on=today())["review_overdue"] is False
    change(committee, made, review_on=days_ago(1)).expect(200)
    assert change(committee, made, lifted_on=today())["review_overdue"] is False


def test_a_change_of_a_hold_needs_its_present_version(committee, case):
    made = add(committee, case)
    change(committee, made, planned_until=days_ahead(9)).expect(200)
    reply = committee.send("changeHold", {"lifted_on": today()}, id=case["id"], hold_id=made["id"],
                           if_match=made.etag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_making_a_hold_again_with_the_same_key_replays(committee, case):
    document, key = new_hold(), new_key()
    first, second = [committee.send("addHold", document, id=case["id"], key=key) for _ in range(2)]
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"


def test_a_closed_case_gets_no_new_holds_and_keeps_its_old_ones(committee):
    case = make_case(committee)
    made = make_hold(committee, case)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    replies = [add(committee, case), change(committee, made, lifted_on=today())]
    assert [(one.status, one.rules) for one in replies] == [(409, {"case_closed"})] * 2


def test_a_text_that_identifies_a_person_is_refused(committee, case):
    reply = add(committee, case, reason="other", reason_text="Ask clerk@example.org first.")
    assert (reply.status, reply.code) == (422, "personal_identifier_found")


@pytest.mark.parametrize("organisation, status", [("COG-GLA", 404), ("COPFS", 404),
                                                  ("CPC-EDH", 404)])
def test_only_the_committee_makes_holds(committee, caller, case, organisation, status):
    assert add(caller(organisation, "holding"), case).status == status


def test_the_chief_officers_see_holds(committee, caller, case):
    made = make_hold(committee, case)
    officers = caller("COG-GLA", "officers-holds", "proceedings.read proceedings.write")
    assert officers.send("getHold", id=case["id"], hold_id=made["id"]).status == 200
    assert change(officers, made, lifted_on=today()).status == 404


def test_the_scope_for_proceedings_is_enough_to_stop_and_start_clocks(committee, caller):
    case = make_case(committee, opened_on=days_ago(60))
    clerk = caller("CPC-GLA", "proceedings-clerk", "proceedings.read proceedings.write")
    made = make_hold(clerk, case, stages=["notification"], held_from=days_ago(59))
    assert committee.send("getCase", id=case["id"])["clock_stopped"] is True
    change(clerk, made, lifted_on=days_ago(40)).expect(200)
    assert committee.send("getCase", id=case["id"])["clock_stopped"] is False


# ---- Effects of holds.

@pytest.mark.parametrize("stage, to", [("review", "reporting"), ("reporting", "ratification")])
def test_a_case_leaves_a_held_stage_only_after_the_hold_is_lifted(committee, stage, to):
    case = make_case(committee, stage)
    made = make_hold(committee, case, stages=[stage])
    other = make_hold(committee, case, stages=["evaluation"])
    reply = move(committee, case["id"], to)
    assert reply.status == 409 and "not_on_hold" in reply.rules
    change(committee, made, lifted_on=today()).expect(200)
    reply = move(committee, case["id"], to)
    assert reply.status == 201 or "not_on_hold" not in reply.rules
    assert other["lifted_on"] is None


def held(cluster, case, track):
    """Prepares everything that the track's own guards require."""
    return cluster.execute(
        "select case_held(c, %s), publication_held(c)"
        " from review_case c where id = %s", (track, case["id"]))[0]


def test_open_holds_stop_tracks(committee, cluster):
    case = make_case(committee)
    assert held(cluster, case, "publication") == (False, False)
    made = make_hold(committee, case, stages=[], tracks=["publication"])
    assert held(cluster, case, "publication") == (True, True)
    assert held(cluster, case, "dissemination") == (False, True)
    change(committee, made, lifted_on=today()).expect(200)
    assert held(cluster, case, "publication") == (False, False)


def test_a_hold_of_dissemination_holds_publication_too(committee, cluster):
    case = make_case(committee)
    make_hold(committee, case, stages=["review"], tracks=["dissemination"])
    assert held(cluster, case, "publication") == (False, True)
    assert held(cluster, case, "dissemination") == (True, True)


def test_a_hold_of_a_track_stops_no_clock(committee):
    case = make_case(committee)
    make_hold(committee, case, stages=[], tracks=["publication", "dissemination"])
    assert committee.send("getCase", id=case["id"])["clock_stopped"] is False
    assert stage_of(committee, case["id"])["held_since"] is None


def test_the_change_of_a_hold_is_recorded(committee, case, cluster):
    made = make_hold(committee, case)
    change(committee, made, lifted_on=today()).expect(200)
    change(committee, made, held_from=days_ago(1)).expect(200)
    kinds = cluster.execute("select kind from register.change where subject_id = %s"
                            " and subject = 'hold' order by id", (made["id"],))
    assert kinds == [("created",), ("changed",), ("corrected",)]
