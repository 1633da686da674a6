"""The end of a case: evaluated, or discontinued because committee and chief officers agree."""
import pytest

from payloads import (days_ago, days_ahead, new_discontinuation, new_evaluation, today)
from scenarios import make_case, move, record_discontinuation, record_evaluation, send_notices, tag_of


@pytest.fixture(scope="module")
def shared_case(committee):
    """A case in its evaluation; no test moves or evaluates it."""
    return make_case(committee, "evaluation")


def evaluate(client, case, **members):
    return client.send("putEvaluation", new_evaluation(**members), id=case["id"], none_match="*")


def discontinue(client, case, tag=None, **members):
    more = {"if_match": tag} if tag else {"none_match": "*"}
    return client.send("putDiscontinuation", new_discontinuation(**members), id=case["id"], **more)


def refusal(reply):
    return reply.status, reply.rules


def test_an_evaluation_is_recorded_replaced_and_read(committee):
    case = make_case(committee, "evaluation")
    made = evaluate(committee, case)
    assert (made.status, made["outcome"]) == (201, "achieved")
    assert evaluate(committee, case).status == 412
    again = committee.send("putEvaluation", new_evaluation(outcome="not_achieved"), id=case["id"],
                           if_match=made.etag)
    assert (again.status, again["outcome"], again["version"]) == (200, "not_achieved", 2)
    assert committee.send("getEvaluation", id=case["id"]).json == again.json


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"evaluated_on": days_ahead(1)}, "/evaluated_on", "date_in_future"),
    ({"evaluated_on": days_ago(1)}, "/evaluated_on", "date_order"),
    ({"next_review_on": today()}, "/next_review_on", "date_order")])
def test_an_evaluation_must_follow_the_rules(committee, shared_case, overrides, pointer, rule):
    reply = evaluate(committee, shared_case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getEvaluation", id=shared_case["id"]).status == 404


@pytest.mark.parametrize("operation, document", [("putEvaluation", new_evaluation()),
                                                 ("putDiscontinuation", new_discontinuation())])
def test_two_preconditions_are_refused(committee, shared_case, operation, document):
    reply = committee.send(operation, document, id=shared_case["id"], if_match='"1-x"',
                           none_match="*")
    assert (reply.status, reply.code) == (400, "invalid_header")


def test_an_evaluation_is_recorded_only_in_its_stage(committee):
    reply = evaluate(committee, make_case(committee, "implementation"))
    assert refusal(reply) == (409, {"not_in_stage_evaluation"})


def test_the_evaluation_of_a_closed_case_does_not_change(committee):
    case = make_case(committee, "closed")
    reply = committee.send("putEvaluation", new_evaluation(), id=case["id"],
                           if_match=tag_of(committee, "getEvaluation", id=case["id"]))
    assert refusal(reply) == (409, {"case_closed"})


def test_a_case_is_complete_after_its_evaluation(committee):
    case = make_case(committee, "evaluation")
    send_notices(committee, case["id"])
    assert move(committee, case["id"], "closed").rules == {"evaluation_recorded"}
    record_evaluation(committee, case)
    assert move(committee, case["id"], "closed")["closure"] == "completed"


def test_an_evaluation_before_the_stage_was_entered_does_not_count(committee, cluster):
    case = make_case(committee, "evaluation")
    record_evaluation(committee, case)
    cluster.execute("update register.evaluation set evaluated_on = %s where case_id = %s",
                    (days_ago(1), case["id"]))
    send_notices(committee, case["id"])
    assert move(committee, case["id"], "closed").rules == {"evaluation_recorded"}


@pytest.mark.parametrize("stage", ["set_up", "review", "reporting", "ratification",
                                   "implementation", "evaluation"])
def test_after_the_decision_both_bodies_must_agree_to_discontinue(committee, stage):
    case = make_case(committee, stage)
    refused = move(committee, case["id"], "closed", "discontinued", way="discontinue")
    assert (refused.code, refused.rules) == ("transition_not_possible", {"discontinuation_agreed"})
    record_discontinuation(committee, case)
    closed = move(committee, case["id"], "closed", "discontinued", way="discontinue")
    assert closed["closure"] == "discontinued"


@pytest.mark.parametrize("missing", ["committee_agreed_on", "chief_officers_agreed_on"])
def test_a_single_agreement_is_not_enough(committee, missing):
    case = make_case(committee, "set_up")
    made = discontinue(committee, case, **{missing: None})
    assert (made.status, made[missing]) == (201, None)
    assert move(committee, case["id"], "closed", "discontinued").rules == {"discontinuation_agreed"}
    assert discontinue(committee, case, made.etag).status == 200
    assert move(committee, case["id"], "closed", "discontinued").status == 201


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"committee_agreed_on": days_ahead(1)}, "/committee_agreed_on", "date_in_future"),
    ({"chief_officers_agreed_on": days_ahead(1)}, "/chief_officers_agreed_on", "date_in_future"),
    ({"committee_agreed_on": days_ago(400)}, "/committee_agreed_on", "date_order"),
    ({"chief_officers_agreed_on": days_ago(400)}, "/chief_officers_agreed_on", "date_order")])
def test_an_agreement_must_follow_the_rules(committee, shared_case, overrides, pointer, rule):
    reply = discontinue(committee, shared_case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getDiscontinuation", id=shared_case["id"]).status == 404


def test_replacing_an_agreement_needs_its_present_version(committee):
    case = make_case(committee)
    first = discontinue(committee, case)
    assert discontinue(committee, case).status == 412
    assert discontinue(committee, case, first.etag, reason="Another.").status == 200
    assert discontinue(committee, case, first.etag).status == 412


def test_the_agreement_of_a_closed_case_does_not_change(committee):
    case = make_case(committee)
    tag = discontinue(committee, case).etag
    move(committee, case["id"], "closed", "discontinued").expect(201)
    assert refusal(discontinue(committee, case, tag)) == (409, {"case_closed"})


def test_an_earlier_agreement_does_not_close_a_case_that_was_opened_again(committee, cluster):
    case = make_case(committee, "set_up")
    record_discontinuation(committee, case)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    cluster.execute("update register.discontinuation set committee_agreed_on = %s,"
                    " chief_officers_agreed_on = %s where case_id = %s",
                    (days_ago(3), days_ago(3), case["id"]))
    move(committee, case["id"], "set_up", "new_information").expect(201)
    assert move(committee, case["id"], "closed", "discontinued").rules == {"discontinuation_agreed"}
    tag = tag_of(committee, "getDiscontinuation", id=case["id"])
    assert discontinue(committee, case, tag).status == 200
    assert move(committee, case["id"], "closed", "discontinued").status == 201


def test_only_the_committee_records_the_end_of_a_case(chief_officers, shared_case):
    assert evaluate(chief_officers, shared_case).status == 404
    assert discontinue(chief_officers, shared_case).status == 404
