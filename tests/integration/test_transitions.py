"""The path of a case through its stages, and the blockers of each move."""
import concurrent.futures

import pytest

from client import new_key
from payloads import (changes_requested, completion, days_ago, days_ahead, dead_child, new_case,
                      new_impact_review, new_recommendation, today, verification)
from scenarios import (WAY, advance, decide, decide_and_tell, make_accepted_referral, make_action,
                       make_case, make_completed_action, make_verified_action, move, prepare, recommend,
                       record_discontinuation, record_finding, review_impact, send_notices, tag_of)

REOPENING = ["new_information", "proceedings_ended", "fai_determination", "error"]


def offered(committee, case):
    items = committee.send("listTransitions", id=case["id"]).json["items"]
    return {one["to"]: one for one in items}


def blockers(transition):
    return {one["guard"] for one in transition["blocked_by"]}


def test_a_case_goes_through_all_stages_to_completion(committee, agency):
    case = make_case(committee)
    case = advance(committee, case, "implementation")
    action = make_completed_action(committee, agency, case=case)
    committee.send("verifyAction", verification(), id=action["id"]).expect(201)
    closed = advance(committee, case, "closed")
    assert (closed["stage"], closed["closure"], closed["closed_on"]) == ("closed", "completed",
                                                                        today())


def test_the_history_has_every_stage_with_its_days(committee):
    case = make_case(committee, "decision", opened_on=days_ago(30))
    stages = committee.send("listCaseStages", id=case["id"])["items"]
    assert [one["stage"] for one in stages] == ["notification", "information_gathering",
                                               "recommendation", "decision"]
    assert [one["left_on"] for one in stages] == [today()] * 3 + [None]
    assert stages[0]["entered_on"] == days_ago(30) and stages[0]["overdue"] is True
    assert {one["recorded_by"] for one in stages} == {"CPC-GLA"}


def test_the_due_day_of_a_stage_is_fixed_on_entry(committee):
    case = move(committee, make_case(committee)["id"], "information_gathering")
    assert (case["stage_entered_on"], case["stage_due_on"]) == (today(), days_ahead(14))


def test_the_moves_from_a_stage_are_listed(committee):
    case = make_case(committee)
    moves = offered(committee, case)
    assert set(moves) == {"information_gathering", "closed"}
    assert moves["information_gathering"]["possible"] is True


def test_a_blocked_move_names_its_blockers(committee):
    moves = offered(committee, make_case(committee, "decision"))
    assert moves["set_up"]["possible"] is False
    assert blockers(moves["set_up"]) == {"decision_recorded", "decided_to_proceed",
                                         "family_informed"}


def refusal(reply):
    return reply.status, reply.code, reply.rules


def refused_for(*guards):
    return 409, "transition_not_possible", set(guards)


def test_only_the_moves_of_the_process_can_be_made(committee):
    reply = move(committee, make_case(committee)["id"], "review")
    assert refusal(reply) == refused_for("not_a_transition")
    assert reply.pointers == {"/to"}


def test_a_case_leaves_notification_when_its_criteria_are_supported(committee):
    case = make_case(committee, criteria=["suicide"], children=[dead_child()])
    child = committee.send("listChildren", id=case["id"])["items"][0]
    path = {"id": case["id"], "child_id": child["id"]}
    committee.send("changeChild", {"outcome": "significant_harm"}, **path,
                   if_match=tag_of(committee, "getChild", **path)).expect(200)
    reply = move(committee, case["id"], "information_gathering")
    assert refusal(reply) == refused_for("criteria_supported")


def test_a_case_leaves_notification_when_its_referrers_are_acknowledged(agency, committee):
    accepted = make_accepted_referral(agency, committee)
    assert move(committee, accepted["case_id"], "information_gathering").status == 201


@pytest.mark.parametrize("to, guards", [
    ("set_up", {"decision_recorded", "decided_to_proceed", "family_informed"}),
    ("review", {"decision_recorded", "decided_alternative_review", "family_informed"}),
    ("closed", {"decision_recorded", "decided_not_to_proceed", "family_informed"}),
    ("information_gathering", {"decision_recorded", "decided_more_information"})])
def test_a_case_leaves_the_stage_decision_when_it_is_decided(committee, to, guards):
    reply = move(committee, make_case(committee, "decision")["id"], to)
    assert refusal(reply) == refused_for(*guards)


@pytest.mark.parametrize("outcome, to, guard", [
    ("proceed", "closed", "decided_not_to_proceed"),
    ("proceed", "review", "decided_alternative_review"),
    ("do_not_proceed", "set_up", "decided_to_proceed"),
    ("alternative_review", "information_gathering", "decided_more_information"),
    ("more_information", "set_up", "decided_to_proceed")])
def test_a_case_moves_only_as_its_decision_says(committee, outcome, to, guard):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], outcome)
    assert refusal(move(committee, case["id"], to)) == refused_for(guard)


@pytest.mark.parametrize("outcome, to, closure", [
    ("proceed", "set_up", None), ("do_not_proceed", "closed", "did_not_proceed"),
    ("alternative_review", "review", None), ("more_information", "information_gathering", None)])
def test_each_decision_allows_its_move(committee, outcome, to, closure):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], outcome)
    reply = move(committee, case["id"], to)
    assert (reply.status, reply["stage"], reply["closure"]) == (201, to, closure)


def test_an_alternative_review_ends_without_a_report(committee):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], "alternative_review")
    move(committee, case["id"], "review").expect(201)
    refused = move(committee, case["id"], "reporting")
    assert refused.status == 409 and "decided_to_proceed" in refused.rules
    assert refusal(move(committee, case["id"], "closed")) == refused_for(
        "learning_recorded", "alternative_outcome_notified")
    record_finding(committee, case)
    committee.send("createNotices", {"kind": "alternative_outcome"}, id=case["id"]).expect(201)
    send_notices(committee, case["id"])
    assert move(committee, case["id"], "closed")["closure"] == "alternative_completed"


@pytest.mark.parametrize("stage, to", [("implementation", "evaluation"), ("evaluation", "closed")])
def test_open_actions_block_a_case(committee, stage, to):
    case = make_case(committee, stage)
    prepare(committee, case)
    make_action(committee, case)
    assert refusal(move(committee, case["id"], to)) == refused_for("actions_ended")


def test_a_completed_action_must_be_verified(committee, agency):
    case = make_case(committee, "implementation")
    prepare(committee, case)
    action = make_action(committee, case)
    agency.send("completeAction", completion(), id=action["id"]).expect(201)
    assert refusal(move(committee, case["id"], "evaluation")) == refused_for("actions_ended")


def test_a_verified_action_keeps_a_case_open_until_its_impact_is_reviewed(committee, agency):
    case = make_case(committee, "implementation")
    make_verified_action(committee, agency, case=case)
    case = advance(committee, case, "evaluation")
    assert "impact_reviewed" in move(committee, case["id"], "closed").rules
    assert advance(committee, case, "closed")["closure"] == "completed"


def test_the_impact_of_each_verified_action_must_be_known(committee, agency):
    case = make_case(committee, "implementation")
    first, second = [make_verified_action(committee, agency, case=case)["id"] for _ in range(2)]
    case = advance(committee, case, "evaluation")
    committee.send("addImpactReview", new_impact_review(), id=first).expect(201)
    committee.send("addImpactReview", new_impact_review(outcome="too_early", next_review_on=days_ahead(90)),
                   id=second).expect(201)
    blocked = [blocker for one in committee.send("listTransitions", id=case["id"])["items"]
               for blocker in one["blocked_by"] if blocker["guard"] == "impact_reviewed"]
    assert [one["items"] for one in blocked] == [
        [{"link": f"/v1/actions/{second}", "pointer": "/impact_reviewed_on"}]]
    committee.send("addImpactReview", new_impact_review(outcome="partly_achieved"), id=second).expect(201)
    assert "impact_reviewed" not in move(committee, case["id"], "closed").rules


def test_a_refused_move_links_each_item_that_blocks_it(committee):
    case = make_case(committee, "implementation")
    actions = [make_action(committee, case)["id"] for _ in range(2)]
    prepare(committee, case)
    errors = move(committee, case["id"], "evaluation")["errors"]
    assert {(one["rule"], one["link"]) for one in errors} == {
        ("actions_ended", f"/v1/actions/{one}") for one in actions}


def test_an_impossible_move_names_the_possible_ones(committee):
    case = make_case(committee)
    error, = move(committee, case["id"], "review")["errors"]
    assert error["message"].endswith("possible: closed, information_gathering")
    assert error["link"] == f"/v1/cases/{case['id']}/transitions"


def test_a_case_opened_again_needs_a_new_recommendation(committee):
    case = make_case(committee, "decision")
    decide_and_tell(committee, case["id"], "do_not_proceed").expect(201)
    move(committee, case["id"], "closed").expect(201)
    move(committee, case["id"], "information_gathering", "new_information", way="reopen").expect(201)
    case = move(committee, case["id"], "recommendation").expect(201).json
    assert refusal(move(committee, case["id"], "decision")) == refused_for("recommendation_made")
    committee.send("putRecommendation", new_recommendation(), id=case["id"],
                   if_match=tag_of(committee, "getRecommendation", id=case["id"])).expect(200)
    assert move(committee, case["id"], "decision").status == 201


@pytest.mark.parametrize("stage", ["notification", "information_gathering", "recommendation",
                                   "set_up", "review", "reporting", "ratification",
                                   "implementation", "evaluation"])
def test_a_discontinued_case_closes_only_for_that_reason(committee, stage):
    case = make_case(committee, stage)
    record_discontinuation(committee, case)
    refused = move(committee, case["id"], "closed", way="discontinue")
    assert (refused.status, refused.rules, refused.pointers) == (422, {"reason_required"},
                                                                 {"/reason"})
    closed = move(committee, case["id"], "closed", "discontinued", way="discontinue")
    assert closed["closure"] == "discontinued"


def test_the_chief_officers_return_a_report(committee, chief_officers):
    case = make_case(committee, "ratification")
    back = move(committee, case["id"], "reporting", "changes_requested")
    assert refusal(back) == refused_for("changes_requested")
    chief_officers.send("ratifyReport", changes_requested(), id=case["id"]).expect(201)
    assert move(committee, case["id"], "reporting").status == 422
    assert move(committee, case["id"], "reporting", "changes_requested").status == 201


@pytest.mark.parametrize("reason", REOPENING)
def test_a_closed_case_is_opened_again_for_a_reason(committee, reason):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = move(committee, case["id"], "information_gathering", reason)
    assert (reply.status, reply["closed_on"], reply["closure"]) == (201, None, None)


@pytest.mark.parametrize("reason", [None, "discontinued", "other"])
def test_a_closed_case_is_not_opened_again_without_one(committee, reason):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = move(committee, case["id"], "information_gathering", reason)
    assert (reply.status, reply.rules) == (422, {"reason_required"})


@pytest.mark.parametrize("to", ["set_up", "review", "reporting", "implementation"])
def test_a_completed_case_can_be_opened_again_in_a_later_stage(committee, to):
    case = make_case(committee, "closed")
    assert move(committee, case["id"], to, "new_information")["stage"] == to


def test_a_case_returns_to_implementation_only_with_a_ratified_report(committee):
    case = make_case(committee, "set_up")
    record_discontinuation(committee, case)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    refused = move(committee, case["id"], "implementation", "new_information")
    assert refusal(refused) == refused_for("report_ratified")
    assert move(committee, case["id"], "review", "new_information").status == 201


def test_a_discontinued_case_without_decision_returns_to_the_first_stage(committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = move(committee, case["id"], "review", "new_information")
    assert refusal(reply) == refused_for("decided_to_proceed")


@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(40), "date_order")])
def test_the_date_of_a_move_must_be_possible(committee, day, rule):
    case = make_case(committee, opened_on=days_ago(30))
    reply = move(committee, case["id"], "information_gathering", occurred_on=day)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {"/occurred_on"})


def test_moving_again_with_the_same_key_replays(committee):
    case, key = make_case(committee), new_key()
    tag = tag_of(committee, "getCase", id=case["id"])
    first, second = [move(committee, case["id"], "information_gathering", if_match=tag, key=key)
                     for _ in range(2)]
    assert (first.status, second.status) == (201, 201)
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"


def test_a_move_needs_the_present_version(committee):
    case = make_case(committee)
    tag = tag_of(committee, "getCase", id=case["id"])
    move(committee, case["id"], "information_gathering").expect(201)
    reply = move(committee, case["id"], "recommendation", if_match=tag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_one_of_30_concurrent_moves_succeeds(committee):
    case = make_case(committee)
    tag = tag_of(committee, "getCase", id=case["id"])
    with concurrent.futures.ThreadPoolExecutor(max_workers=30) as pool:
        replies = list(pool.map(
            lambda _: move(committee, case["id"], "information_gathering", if_match=tag),
            range(30)))
    stages = committee.send("listCaseStages", id=case["id"])["items"]
    assert sorted(reply.status for reply in replies) == [201] + [412] * 29
    assert len(stages) == 2


def test_a_referral_shows_the_progress_of_its_case(agency, committee):
    accepted = make_accepted_referral(agency, committee)
    case_id = accepted["case_id"]
    advance(committee, {"id": case_id, "stage": "notification"}, "decision")
    decide(committee, case_id).expect(201)
    seen = agency.send("getReferral", id=accepted["id"])
    assert (seen["case_stage"], seen["case_decision"]) == ("decision", "proceed")


def test_an_unsupported_criterion_of_a_new_case_is_refused_at_once(committee):
    assert committee.send("openCase", new_case(criteria=["suicide"])).status == 422
