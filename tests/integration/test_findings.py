"""Findings and strategies: the conclusions of the review team."""
import uuid

import pytest

from client import new_key
from payloads import (days_ago, days_ahead, new_finding, new_strategy)
from scenarios import make_case, move, record_discontinuation, tag_of

KINDS = {"finding": ("addFinding", "getFinding", "changeFinding", "listFindings", new_finding,
                     {"practice_area": "timely_action"}),
         "strategy": ("addStrategy", "getStrategy", "changeStrategy", "listStrategies",
                      new_strategy, {"evidence": "A second pilot found the same."})}


@pytest.fixture(scope="module")
def case(committee):
    return make_case(committee, "review")


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def add(client, kind, case, **members):
    return client.send(KINDS[kind][0], KINDS[kind][4](**members), id=case["id"])


def place(kind, case, made):
    return {"id": case["id"], f"{kind}_id": made["id"]}


def change(client, kind, case, made, **members):
    where = place(kind, case, made)
    return client.send(KINDS[kind][2], members, **where,
                       if_match=tag_of(client, KINDS[kind][1], **where))


def test_a_recorded_finding_can_be_read(committee, case, kind):
    made = add(committee, kind, case)
    assert made.status == 201
    assert committee.send(KINDS[kind][1], **place(kind, case, made)).json == made.json
    assert made.json in committee.send(KINDS[kind][3], id=case["id"])["items"]
    assert made.headers["Location"].endswith(made["links"]["self"])


def test_a_finding_keeps_all_sent_members(committee, case):
    document = new_finding(kind="effective_practice", themes=["child_voice", "thresholds"],
                           factors=["isolation"])
    made = committee.send("addFinding", document, id=case["id"])
    assert {name: made[name] for name in document} == document
    assert made["recorded_by"] == "CPC-GLA"


def test_a_strategy_names_findings_of_its_case(committee, case):
    finding = add(committee, "finding", case)
    made = add(committee, "strategy", case, findings=[finding["id"]],
               learning_orientation="Try it on two cases.")
    assert (made.status, made["findings"]) == (201, [finding["id"]])
    assert made["learning_orientation"] == "Try it on two cases."


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"responsible_organisation": "LA-S12999999"}, "/responsible_organisation", "unknown_code"),
    ({"review_on": days_ago(400)}, "/review_on", "date_order"),
    ({"findings": [str(uuid.uuid4())]}, "/findings", "unknown_finding")])
def test_a_strategy_must_follow_the_rules(committee, case, overrides, pointer, rule):
    made = add(committee, "strategy", case)
    refused = add(committee, "strategy", case, **overrides)
    changed = change(committee, "strategy", case, made, **overrides)
    for reply in (refused, changed):
        assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getStrategy", **place("strategy", case, made)).json == made.json


def test_a_finding_of_another_case_is_unknown(committee, case):
    finding = add(committee, "finding", make_case(committee, "review"))
    reply = add(committee, "strategy", case, findings=[finding["id"]])
    assert (reply.status, reply.rules) == (422, {"unknown_finding"})


def test_findings_and_strategies_can_be_changed(committee, case, kind):
    made = add(committee, kind, case)
    reply = change(committee, kind, case, made, **KINDS[kind][5])
    assert (reply.status, reply["version"]) == (200, 2)
    assert {name: reply[name] for name in KINDS[kind][5]} == KINDS[kind][5]


def test_null_clears_optional_members(committee, case):
    made = add(committee, "strategy", case, learning_orientation="Try it.")
    assert change(committee, "strategy", case, made, learning_orientation=None)[
        "learning_orientation"] is None


def test_a_change_is_recorded_as_a_correction(committee, case, cluster):
    made = add(committee, "finding", case)
    change(committee, "finding", case, made, practice_area="timely_action").expect(200)
    kinds = cluster.execute("select kind, changes from register.change where subject = 'finding'"
                            " and subject_id = %s order by id", (made["id"],))
    assert [one[0] for one in kinds] == ["created", "corrected"]
    assert kinds[1][1] == {"practice_area": {"before": "record_keeping", "after": "timely_action"}}


def test_a_stale_change_is_refused(committee, case, kind):
    made = add(committee, kind, case)
    change(committee, kind, case, made, **KINDS[kind][5]).expect(200)
    reply = committee.send(KINDS[kind][2], KINDS[kind][5], **place(kind, case, made),
                           if_match=made.etag)
    assert (reply.status, reply.code) == (412, "version_stale")


def test_recording_again_with_the_same_key_replays(committee, case, kind):
    before = len(committee.send(KINDS[kind][3], id=case["id"])["items"])
    key = new_key()
    replies = [committee.send(KINDS[kind][0], KINDS[kind][4](), id=case["id"], key=key)
               for _ in range(2)]
    assert [one.status for one in replies] == [201, 201]
    assert replies[0].bytes == replies[1].bytes
    assert len(committee.send(KINDS[kind][3], id=case["id"])["items"]) == before + 1


def test_recording_before_the_review_is_refused(committee, kind):
    reply = add(committee, kind, make_case(committee, "set_up"))
    assert (reply.status, reply.rules) == (409, {"before_review"})


def test_findings_may_be_recorded_during_implementation(committee, kind):
    assert add(committee, kind, make_case(committee, "implementation")).status == 201


def test_findings_of_a_closed_case_do_not_change(committee, kind):
    case = make_case(committee, "review")
    made = add(committee, kind, case)
    record_discontinuation(committee, case)
    move(committee, case["id"], "closed", "discontinued", way="discontinue").expect(201)
    for reply in (add(committee, kind, case),
                  change(committee, kind, case, made, **KINDS[kind][5])):
        assert (reply.status, reply.rules) == (409, {"case_closed"})


def test_a_finding_is_not_found_under_another_case(committee, case, kind):
    made = add(committee, kind, case)
    other = {**place(kind, case, made), "id": make_case(committee, "review")["id"]}
    assert committee.send(KINDS[kind][1], **other).status == 404
    assert committee.send(KINDS[kind][2], KINDS[kind][5], **other, if_match=made.etag).status == 404


@pytest.fixture
def reviewer(cluster, caller):
    """Gives a client of another organisation access to a case."""
    def give(case, ends_on=None):
        cluster.execute("insert into register.case_access (id, committee, case_id, organisation,"
                        " client, role, starts_on, ends_on) values (gen_random_uuid(), %s, %s,"
                        " 'INDEPENDENT', 'reviewer-7', 'reviewer', %s, %s)",
                        (case["committee"], case["id"], days_ago(30), ends_on or days_ahead(30)))
        return caller("INDEPENDENT", "reviewer-7", "cases.read reviews.write")
    return give


def test_a_reviewer_records_in_the_case_with_access(committee, reviewer, kind):
    case = make_case(committee, "review")
    client = reviewer(case)
    made = add(client, kind, case)
    assert (made.status, made["recorded_by"]) == (201, "INDEPENDENT")
    assert change(client, kind, case, made, **KINDS[kind][5]).status == 200


def test_a_reviewer_sees_no_other_case(case, committee, reviewer, kind):
    client = reviewer(make_case(committee, "review"))
    assert add(client, kind, case).status == 404
    assert client.send(KINDS[kind][3], id=case["id"]).status == 404


def test_a_reviewer_whose_access_ended_sees_nothing(committee, reviewer, kind):
    case = make_case(committee, "review")
    client = reviewer(case, ends_on=days_ago(1))
    assert add(client, kind, case).status == 404


def test_the_chief_officers_read_but_do_not_write(committee, chief_officers, case, kind):
    made = add(committee, kind, case)
    assert chief_officers.send(KINDS[kind][1], **place(kind, case, made)).status == 200
    assert add(chief_officers, kind, case).status == 404
    assert change(chief_officers, kind, case, made, **KINDS[kind][5]).status == 404
