"""Concurrent equal requests: one of them succeeds, and the history stays in order."""
import concurrent.futures
import itertools
import threading

import pytest

from payloads import (DECISIONS, completion, new_access, new_case, new_ratification, new_request,
                      new_team_member, new_transfer, today, verification)
from scenarios import (WAY, decide_and_tell, make_action, make_case, make_completed_action, prepare,
                       tag_of)
from waiting import WATCHDOG_S

THREADS = 8


@pytest.fixture(scope="module")
def at_once(instances):
    """Sends the same request from eight threads, to the instances in turn; `ask` may differ by number."""
    def make(client, ask):
        clients = itertools.cycle([client.at(each.url) for each in instances])
        start = threading.Barrier(THREADS)

        def one(number, mine):
            start.wait(timeout=WATCHDOG_S)
            return ask(mine, number)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            asked = [pool.submit(one, number, next(clients)) for number in range(THREADS)]
            return [each.result() for each in asked]
    return make


def won(replies, *losing):
    """Asserts that exactly one request succeeded, and that the others failed in one of these ways."""
    statuses = [reply.status for reply in replies]
    return (sum(status < 300 for status in statuses) == 1
            and {status for status in statuses if status >= 300} <= set(losing))


def transition(to, way=None, reason=None):
    return {"to": to, "way": way, "reason": reason, "occurred_on": today()}


def test_each_move_of_the_standard_path_is_made_once(committee, at_once, watch):
    case = make_case(committee)
    for stage in WAY:
        prepare(committee, case)
        tag = tag_of(committee, "getCase", id=case["id"])
        replies = at_once(committee, lambda one, _: one.send(
            "moveCase", transition(stage), id=case["id"], if_match=tag))
        assert won(replies, 412)
        case = next(reply.json for reply in replies if reply.status == 201)
        watch(case["id"])
    stages = committee.send("listCaseStages", id=case["id"])["items"]
    assert [one["stage"] for one in stages] == ["notification", *WAY]


def test_one_of_several_concurrent_moves_with_fresh_tags_succeeds(committee, at_once, watch):
    case = make_case(committee)

    def ask(one, _):
        tag = tag_of(one, "getCase", id=case["id"])
        return one.send("moveCase", transition("information_gathering"), id=case["id"],
                        if_match=tag)
    assert won(at_once(committee, ask), 409, 412)
    assert len(watch(case["id"])[case["id"]]["case_stage"]) == 2


def test_one_of_two_different_moves_out_of_a_stage_succeeds(committee, at_once, watch):
    case = make_case(committee)
    tag = tag_of(committee, "getCase", id=case["id"])
    ways = [transition("information_gathering"),
            transition("closed", "discontinue", "discontinued")]
    assert won(at_once(committee, lambda one, n: one.send(
        "moveCase", ways[n % 2], id=case["id"], if_match=tag)), 412)
    watch(case["id"])


def test_a_first_decision_is_recorded_once(committee, at_once, watch):
    case = make_case(committee, "decision")
    outcomes = list(DECISIONS)
    replies = at_once(committee, lambda one, n: one.send(
        "putDecision", {**DECISIONS[outcomes[n % 4]], "decided_on": today()}, id=case["id"],
        none_match="*"))
    assert won(replies, 412)
    taken = next(reply["outcome"] for reply in replies if reply.status == 201)
    facts = watch(case["id"])[case["id"]]
    assert [one["outcome"] for one in facts["case_decision"]] == [taken]


def test_a_decision_and_a_move_that_it_forbids_do_not_both_succeed(committee, at_once, watch):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"])
    decided = tag_of(committee, "getDecision", id=case["id"])
    tag = tag_of(committee, "getCase", id=case["id"])

    def ask(one, number):
        if number % 2:
            return one.send("moveCase", transition("set_up"), id=case["id"], if_match=tag)
        return one.send("putDecision", {**DECISIONS["do_not_proceed"], "decided_on": today()},
                        id=case["id"], if_match=decided)
    assert won(at_once(committee, ask), 409, 412)
    watch(case["id"])


def test_a_report_is_ratified_once(committee, chief_officers, at_once, watch):
    case = make_case(committee, "ratification")
    replies = at_once(chief_officers, lambda one, _: one.send(
        "ratifyReport", new_ratification(), id=case["id"]))
    assert won(replies, 409)
    assert len(watch(case["id"])[case["id"]]["ratification"]) == 1


def test_an_action_is_completed_and_verified_once(committee, agency, at_once, watch):
    case = make_case(committee, "decision")
    action = make_action(committee, case)
    assert won(at_once(agency, lambda one, _: one.send(
        "completeAction", completion(), id=action["id"])), 409)
    assert won(at_once(committee, lambda one, _: one.send(
        "verifyAction", verification(), id=action["id"])), 409)
    watch(case["id"])


def test_a_completion_is_either_verified_or_returned(committee, agency, at_once, watch):
    case = make_case(committee, "decision")
    action = make_completed_action(committee, agency, case=case)
    outcomes = ["verified", "returned"]
    assert won(at_once(committee, lambda one, n: one.send(
        "verifyAction", verification(outcome=outcomes[n % 2]), id=action["id"])), 409)
    watch(case["id"])


def test_concurrent_changes_make_no_circular_dependency(committee, at_once, watch):
    case = make_case(committee, "decision")
    both = [make_action(committee, case)["id"] for _ in range(2)]
    tags = [tag_of(committee, "getAction", id=one) for one in both]
    assert won(at_once(committee, lambda one, n: one.send(
        "changeAction", {"depends_on": [both[1 - n % 2]]}, id=both[n % 2],
        if_match=tags[n % 2])), 412, 422)
    watch(case["id"])


def test_two_cases_are_merged_in_one_direction(committee, at_once, watch):
    both = [make_case(committee)["id"] for _ in range(2)]
    tags = [tag_of(committee, "getCase", id=one) for one in both]
    assert won(at_once(committee, lambda one, n: one.send(
        "mergeCase", {"into_case_id": both[1 - n % 2], "merged_on": today()}, id=both[n % 2],
        if_match=tags[n % 2])), 409, 412)
    watch(*both)


def test_a_transfer_is_either_accepted_or_refused(committee, other_committee, at_once, watch):
    case = make_case(committee)
    transfer = committee.send("proposeTransfer", new_transfer(), id=case["id"]).expect(201)
    accepted = {"decided_on": today(), "local_authority": "S12000036"}

    def ask(one, number):
        name = "acceptTransfer" if number % 2 else "refuseTransfer"
        return one.send(name, accepted if number % 2 else {"decided_on": today()},
                        id=transfer["id"], if_match=transfer.etag)
    assert won(at_once(other_committee, ask), 412)
    facts = watch(case["id"])[case["id"]]
    went = facts["case_transfer"][0]["status"] == "accepted"
    assert facts["review_case"][0]["committee"] == ("EDH" if went else "GLA")


@pytest.mark.parametrize("operation, stage, body", [
    ("addTeamMember", "set_up", new_team_member(role="chair")),
    ("createInformationRequest", "information_gathering", new_request()),
    ("grantAccess", "notification", new_access()),
    ("proposeTransfer", "notification", new_transfer()),
    ("addChild", "notification", new_case()["children"][0])])
def test_a_part_that_a_case_has_once_is_added_once(committee, at_once, watch, operation, stage, body):
    case = make_case(committee, stage)
    assert won(at_once(committee, lambda one, _: one.send(operation, body, id=case["id"])), 409)
    watch(case["id"])
