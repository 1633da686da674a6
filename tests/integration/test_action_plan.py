"""The action plan as a whole: dependencies, and actions that are added, split and merged together."""
import concurrent.futures
import uuid

import pytest

from client import new_key
from payloads import completion, days_ago, days_ahead, new_action, new_strategy, today, verification
from scenarios import discontinue, make_action, make_case, make_completed_action, make_verified_action, move, tag_of


def change(client, action, **members):
    return client.send("changeAction", members, id=action["id"],
                       if_match=tag_of(client, "getAction", id=action["id"]))


def read(client, action_id):
    return client.send("getAction", id=action_id).expect(200).json


def complete(client, action):
    return client.send("completeAction", completion(), id=action["id"])


def split(client, action, *parts, key=None):
    parts = parts or (new_action(), new_action(owner_organisation="HB-S08000031"))
    return client.send("splitAction", {"parts": list(parts)}, id=action["id"], key=key,
                       if_match=tag_of(client, "getAction", id=action["id"]))


def merge(client, case, *actions, key=None, **into):
    return client.send("mergeActions", {"actions": [one["id"] for one in actions],
                                        "into": new_action(**into)}, id=case["id"], key=key)


def batch(client, case, *actions, key=None):
    return client.send("createActions", {"actions": list(actions)}, id=case["id"], key=key)


def count(client, case):
    return len(client.send("listCaseActions", id=case["id"]).expect(200)["items"])


def refusal(reply):
    return reply.status, reply.pointers, reply.rules


@pytest.fixture
def case(committee):
    return make_case(committee, "decision")


@pytest.fixture
def pair(committee, case):
    """Two actions of a case; the second one depends on the first."""
    first = make_action(committee, case)
    return first, make_action(committee, case, depends_on=[first["id"]])


# --- dependencies

def test_an_action_names_what_it_depends_on(committee, pair):
    first, second = pair
    assert (first["depends_on"], second["depends_on"]) == ([], [first["id"]])


def test_an_action_is_not_completed_before_its_dependencies(committee, agency, pair):
    refused = complete(agency, pair[1])
    assert refusal(refused) == (409, {None}, {"dependency_open"})
    assert read(committee, pair[1]["id"])["status"] == "agreed"


def test_a_completed_action_blocks_others_until_it_is_verified(committee, agency, pair):
    first, second = pair
    complete(agency, first).expect(201)
    assert complete(agency, second).rules == {"dependency_open"}
    committee.send("verifyAction", verification(), id=first["id"]).expect(201)
    assert complete(agency, second).status == 201


def test_an_action_with_open_dependencies_can_be_started(agency, pair):
    assert change(agency, pair[1], status="in_progress").status == 200


def test_an_owner_is_blocked_by_actions_that_it_does_not_see(committee, agency, case):
    hidden = make_action(committee, case, owner_organisation="HB-S08000031")
    mine = make_action(committee, case, depends_on=[hidden["id"]])
    assert agency.send("getAction", id=hidden["id"]).status == 404
    assert complete(agency, mine).rules == {"dependency_open"}


@pytest.mark.parametrize("end", ["not_achieved", "superseded"])
def test_an_action_that_ended_without_completion_blocks_nothing(committee, agency, pair, end):
    change(committee, pair[0], status=end, reason="The service was closed.").expect(200)
    assert complete(agency, pair[1]).status == 201


def test_dependencies_are_replaced_as_a_whole(committee, case, pair):
    third = make_action(committee, case)
    assert change(committee, pair[1], depends_on=[third["id"]])["depends_on"] == [third["id"]]
    assert change(committee, pair[1], depends_on=[])["depends_on"] == []


def test_an_action_depends_on_actions_of_its_own_case_only(committee, case, pair):
    elsewhere = make_action(committee)
    for unknown in (elsewhere["id"], str(uuid.uuid4())):
        reply = change(committee, pair[1], depends_on=[pair[0]["id"], unknown])
        assert refusal(reply) == (422, {"/depends_on/1"}, {"unknown_action"})
        reply = committee.send("createAction", new_action(depends_on=[unknown]), id=case["id"])
        assert refusal(reply) == (422, {"/depends_on/0"}, {"unknown_action"})
    assert read(committee, pair[1]["id"])["depends_on"] == [pair[0]["id"]]


def test_an_action_does_not_depend_on_itself(committee, pair):
    reply = change(committee, pair[0], depends_on=[pair[0]["id"]])
    assert refusal(reply) == (422, {"/depends_on"}, {"dependency_cycle"})


def test_circular_dependencies_of_any_length_are_refused(committee, case, pair):
    first, second = pair
    third = make_action(committee, case, depends_on=[second["id"]])
    for last in (second, third):
        reply = change(committee, first, depends_on=[last["id"]])
        assert refusal(reply) == (422, {"/depends_on"}, {"dependency_cycle"})
    assert read(committee, first["id"])["depends_on"] == []


def test_two_concurrent_changes_make_no_circular_dependency(committee, case):
    for _ in range(5):
        ends = [make_action(committee, case) for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            replies = list(pool.map(lambda each: change(committee, each[0],
                                                        depends_on=[each[1]["id"]]),
                                    [ends, ends[::-1]]))
        assert sorted(reply.status for reply in replies) == [200, 422]


def test_an_owner_does_not_change_the_dependencies_of_its_action(agency, pair):
    reply = change(agency, pair[1], depends_on=[])
    assert (reply.status, reply.rules) == (422, {"committee_only"})


def test_a_new_dependency_is_recorded_as_a_change(committee, cluster, pair):
    change(committee, pair[0], title="Another title").expect(200)
    change(committee, pair[1], depends_on=[]).expect(200)
    kinds = cluster.execute("select kind from register.change where subject_id = any (%s::uuid[]) "
                            "and kind <> 'created' order by id", [[one["id"] for one in pair]])
    assert kinds == [("corrected",), ("changed",)]


# --- splitting

def test_an_action_is_split_into_parts_that_replace_it(committee, case):
    action = make_action(committee, case)
    reply = split(committee, action)
    parts, gone = reply["items"], read(committee, action["id"])
    assert reply.status == 201 and reply["next"] is None
    assert [one["owner_organisation"] for one in parts] == ["LA-S12000049", "HB-S08000031"]
    assert [one["replaces"] for one in parts] == [[action["id"]]] * 2
    assert (gone["status"], gone["reason"]) == ("superseded", "split")
    assert gone["replaced_by"] == [one["id"] for one in parts]
    assert {one["case_id"] for one in parts} == {case["id"]}


def test_dependents_of_a_split_action_depend_on_all_its_parts(committee, pair):
    parts = split(committee, pair[0]).expect(201).json["items"]
    assert set(read(committee, pair[1]["id"])["depends_on"]) == {one["id"] for one in parts}


def test_an_ended_action_keeps_its_dependencies(committee, case, pair):
    change(committee, pair[1], status="not_achieved", reason="No means.").expect(200)
    split(committee, pair[0]).expect(201)
    assert read(committee, pair[1]["id"])["depends_on"] == [pair[0]["id"]]


def test_a_part_does_not_depend_on_dependents_of_the_split_action(committee, case, pair):
    reply = split(committee, pair[0], new_action(), new_action(depends_on=[pair[1]["id"]]))
    assert refusal(reply) == (422, {"/parts/1/depends_on"}, {"dependency_cycle"})
    reply = split(committee, pair[0], new_action(depends_on=[pair[0]["id"]]), new_action())
    assert refusal(reply) == (422, {"/parts/0/depends_on"}, {"dependency_cycle"})
    assert count(committee, case) == 2


def test_every_part_must_follow_the_rules(committee, case):
    action = make_action(committee, case)
    reply = split(committee, action, new_action(success_measure=None),
                  new_action(owner_organisation="LA-S12999999", due_on=days_ago(400)))
    assert refusal(reply) == (422, {"/parts/0/success_measure", "/parts/1/owner_organisation",
                                    "/parts/1/due_on"},
                              {"required_when_agreed", "unknown_code", "date_order"})
    assert (count(committee, case), read(committee, action["id"])["status"]) == (1, "agreed")


def test_free_text_of_a_part_is_checked(committee, case):
    reply = split(committee, make_action(committee, case), new_action(),
                  new_action(title="Ask a.person@example.org"))
    assert (reply.code, reply.pointers) == ("personal_identifier_found", {"/parts/1/title"})


@pytest.mark.parametrize("number", [1, 11])
def test_an_action_is_split_into_two_to_ten(committee, case, number):
    reply = split(committee, make_action(committee, case), *[new_action()] * number)
    assert (reply.status, reply.pointers) == (400, {"/parts"})


def test_an_ended_action_is_not_split(committee, agency):
    reply = split(committee, make_verified_action(committee, agency))
    assert refusal(reply) == (409, {None}, {"action_ended"})


def test_an_action_of_a_closed_case_is_not_split(committee, case):
    action = make_action(committee, make_case(committee, "set_up"))
    discontinue(committee, action["case_id"]).expect(201)
    assert refusal(split(committee, action)) == (409, {None}, {"case_closed"})


def test_the_version_is_checked_before_the_state_of_the_case(committee):
    action = make_action(committee, make_case(committee, "set_up"))
    discontinue(committee, action["case_id"]).expect(201)
    reply = committee.send("splitAction", {"parts": [new_action()] * 2}, id=action["id"])
    assert reply.status == 428


def test_an_owner_does_not_split_its_action(committee, agency, case):
    action = make_action(committee, case)
    assert split(agency, action).status == 404
    assert count(committee, case) == 1


def test_a_split_needs_the_present_version(committee, case):
    action = make_action(committee, case)
    tag = tag_of(committee, "getAction", id=action["id"])
    change(committee, action, priority="low").expect(200)
    reply = committee.send("splitAction", {"parts": [new_action()] * 2}, id=action["id"],
                           if_match=tag)
    assert (reply.status, count(committee, case)) == (412, 1)


def test_splitting_again_with_the_same_key_replays(committee, case):
    action, key = make_action(committee, case), new_key()
    tag = tag_of(committee, "getAction", id=action["id"])
    first, second = [committee.send("splitAction", {"parts": [new_action()] * 2}, id=action["id"],
                                    key=key, if_match=tag) for _ in range(2)]
    assert (first.status, second.bytes) == (201, first.bytes)
    assert count(committee, case) == 3


# --- merging

def test_actions_are_merged_into_one_that_replaces_them(committee, case):
    two = [make_action(committee, case) for _ in range(2)]
    reply = merge(committee, case, *two, title="Do both at once")
    assert (reply.status, reply["title"]) == (201, "Do both at once")
    assert reply.headers["Location"] == f"/v1/actions/{reply['id']}"
    assert reply["replaces"] == [one["id"] for one in two]
    for one in two:
        gone = read(committee, one["id"])
        assert (gone["status"], gone["reason"]) == ("superseded", "merged")
        assert gone["replaced_by"] == [reply["id"]]


def test_dependents_of_a_merged_action_depend_on_the_new_one(committee, case, pair):
    made = merge(committee, case, pair[0], make_action(committee, case)).expect(201)
    assert read(committee, pair[1]["id"])["depends_on"] == [made["id"]]


def test_the_new_action_does_not_depend_on_dependents_of_a_merged_one(committee, case, pair):
    other = make_action(committee, case)
    reply = merge(committee, case, pair[0], other, depends_on=[pair[1]["id"]])
    assert refusal(reply) == (422, {"/into/depends_on"}, {"dependency_cycle"})
    assert read(committee, other["id"])["status"] == "agreed"


def test_only_actions_of_the_same_case_are_merged(committee, case):
    mine, elsewhere = make_action(committee, case), make_action(committee)
    reply = merge(committee, case, mine, elsewhere)
    assert refusal(reply) == (422, {"/actions/1"}, {"unknown_action"})
    assert read(committee, mine["id"])["status"] == "agreed"


def test_an_ended_action_is_not_merged(committee, agency, case):
    ended, other = make_verified_action(committee, agency, case=case), make_action(committee, case)
    reply = merge(committee, case, other, ended)
    assert refusal(reply) == (409, {"/actions/1"}, {"action_ended"})
    assert read(committee, other["id"])["status"] == "agreed"


def test_the_merged_action_must_follow_the_rules(committee, case):
    two = [make_action(committee, case) for _ in range(2)]
    reply = merge(committee, case, *two, owner_accepted_on=None)
    assert refusal(reply) == (422, {"/into/owner_accepted_on"}, {"owner_acceptance_required"})


def test_an_action_is_merged_once(committee, case):
    action = make_action(committee, case)
    reply = merge(committee, case, action, action)
    assert (reply.status, reply.pointers) == (400, {"/actions/1"})


def test_merging_again_with_the_same_key_replays(committee, case):
    two, key = [make_action(committee, case) for _ in range(2)], new_key()
    first, second = [merge(committee, case, *two, key=key) for _ in range(2)]
    assert (first.status, second.bytes) == (201, first.bytes)
    assert count(committee, case) == 3


def test_one_of_two_concurrent_mergers_wins(committee, case):
    two = [make_action(committee, case) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        replies = list(pool.map(lambda order: merge(committee, case, *order), [two, two[::-1]]))
    assert sorted(reply.status for reply in replies) == [201, 409]
    assert count(committee, case) == 3


# --- a whole plan at once

def test_a_plan_is_added_as_a_whole_and_in_order(committee, case):
    reply = batch(committee, case, *[new_action(title=f"Step {n}", due_on=days_ahead(90 - n))
                                     for n in range(100)])
    assert (reply.status, reply["next"], count(committee, case)) == (201, None, 100)
    assert [one["title"] for one in reply["items"]] == [f"Step {n}" for n in range(100)]


def test_actions_of_a_plan_depend_on_each_other(committee, case):
    before = make_action(committee, case)
    reply = batch(committee, case, new_action(depends_on_index=[1], depends_on=[before["id"]]),
                  new_action())
    assert reply["items"][0]["depends_on"] == [before["id"], reply["items"][1]["id"]]


@pytest.mark.parametrize("indexes, pointers, rule", [
    ([[], [2]], {"/actions/1/depends_on_index/0"}, "unknown_action"),
    ([[0], []], {"/actions/0/depends_on_index"}, "dependency_cycle"),
    ([[1], [2], [0], []], {f"/actions/{n}/depends_on_index" for n in range(3)},
     "dependency_cycle")])
def test_actions_of_a_plan_must_not_have_unknown_or_circular_dependencies(committee, case, indexes,
                                                                          pointers, rule):
    reply = batch(committee, case, *[new_action(depends_on_index=each) for each in indexes])
    assert refusal(reply) == (422, pointers, {rule})
    assert count(committee, case) == 0


def test_one_fault_refuses_the_whole_plan_and_all_faults_are_reported(committee, case):
    reply = batch(committee, case, new_action(), new_action(success_measure=None), new_action(
        owner_organisation="LA-S12999999", depends_on=[str(uuid.uuid4())]))
    assert reply.status == 422
    assert reply.pointers == {"/actions/1/success_measure", "/actions/2/owner_organisation",
                              "/actions/2/depends_on/0"}
    assert count(committee, case) == 0


def test_a_plan_is_refused_before_the_stage_decision(committee):
    reply = batch(committee, make_case(committee), new_action())
    assert refusal(reply) == (409, {None}, {"before_decision"})


@pytest.mark.parametrize("number", [0, 101])
def test_a_plan_has_one_to_a_hundred_actions(committee, case, number):
    reply = batch(committee, case, *[new_action()] * number)
    assert (reply.status, reply.pointers) == (400, {"/actions"})


def test_adding_a_plan_again_with_the_same_key_replays(committee, case):
    key = new_key()
    first, second = [batch(committee, case, new_action(), new_action(), key=key) for _ in range(2)]
    assert (first.status, second.bytes) == (201, first.bytes)
    assert count(committee, case) == 2


def test_a_completed_action_can_still_be_split(committee, agency, case):
    action = make_completed_action(committee, agency, case=case)
    assert split(committee, action).status == 201


def test_the_owner_updates_an_action_that_implements_a_strategy(committee, agency):
    case = make_case(committee, "review")
    strategy = committee.send("addStrategy", new_strategy(), id=case["id"]).expect(201)
    action = make_action(committee, case, status="proposed", owner_accepted_on=None,
                         strategy_id=strategy["id"])
    accepted = change(agency, action, owner_accepted_on=today())
    assert (accepted.status, accepted["strategy_id"]) == (200, strategy["id"])
    change(committee, action, status="agreed").expect(200)
    assert change(agency, action, status="in_progress")["status"] == "in_progress"
