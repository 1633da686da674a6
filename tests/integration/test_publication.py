"""Publication and dissemination: separate tracks that begin with ratification."""
import pytest

from payloads import (days_ago, days_ahead, new_dissemination, new_publication, not_published,
                      ready_publication, today)
from scenarios import (advance, consider_plan, make_case, make_proceeding, move, ratify,
                       record_discontinuation, send_notices, tag_of)
from sql_patches import function_body


@pytest.fixture
def case(committee):
    """A case with a ratified report."""
    made = make_case(committee, "ratification")
    ratify(committee, made)
    return made


@pytest.fixture(scope="module")
def second_client(caller):
    return caller("CPC-GLA", "second-client")


def record(client, case, document=None, **members):
    return client.send("putPublication", document or new_publication(**members), id=case["id"],
                       none_match="*")


def replace(client, case, document, tag=None):
    tag = tag or tag_of(client, "getPublication", id=case["id"])
    return client.send("putPublication", document, id=case["id"], if_match=tag)


def check(client, case, day=None):
    return client.send("checkAnonymisation", {"checked_on": day or today()}, id=case["id"])


def publish(committee, second_client, case):
    record(committee, case).expect(201)
    check(second_client, case).expect(201)
    return replace(committee, case, ready_publication())


def refusal(reply):
    return reply.status, reply.rules


def held(cluster, case, track):
    """Reports a track of one case as held, without a real hold."""
    return function_body(cluster, "case_held",
                         f"begin return $1.id = '{case['id']}' and $2 = '{track}'; end")


def test_a_publication_is_recorded_and_read(committee, case):
    made = record(committee, case, intended_on=days_ahead(30))
    assert (made.status, made["status"], made["version"]) == (201, "decided", 1)
    assert committee.send("getPublication", id=case["id"]).json == made.json


def test_preparations_may_precede_the_decision(committee, case):
    made = record(committee, case, form=None, decided_on=None, family_told_on=today())
    assert (made.status, made["status"]) == (201, "not_decided")


def test_replacing_a_publication_needs_its_present_version(committee, case):
    first = record(committee, case)
    assert record(committee, case).status == 412
    replace(committee, case, not_published()).expect(200)
    assert replace(committee, case, new_publication(), first.etag).status == 412


def test_two_preconditions_are_refused(committee, case):
    reply = committee.send("putPublication", new_publication(), id=case["id"], if_match='"1-x"',
                           none_match="*")
    assert (reply.status, reply.code) == (400, "invalid_header")


@pytest.mark.parametrize("stage", ["reporting", "ratification"])
def test_a_publication_is_refused_before_ratification(committee, stage):
    reply = record(committee, make_case(committee, stage))
    assert refusal(reply) == (409, {"not_ratified"})


def test_a_report_goes_through_publication_to_removal(committee, second_client, case):
    published = publish(committee, second_client, case)
    assert (published.status, published["status"]) == (200, "published")
    assert published["anonymisation_checked_on"] == today()
    removed = replace(committee, case, ready_publication(removed_on=today(),
                                                         removal_reason="A year has passed."))
    assert (removed.status, removed["status"]) == (200, "removed")


def test_a_decision_not_to_publish_needs_a_reason(committee, case):
    refused = record(committee, case, form="not_published")
    assert (refused.status, refused.pointers, refused.rules) == (422, {"/reason"},
                                                                 {"reason_required"})
    assert record(committee, case, not_published())["status"] == "not_published"


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"decided_on": days_ahead(1)}, "/decided_on", "date_in_future"),
    ({"decided_on": days_ago(1)}, "/decided_on", "date_order"),
    ({"decided_on": None}, "/decided_on", "decision_day_required"),
    ({"form": None}, "/form", "form_required"),
    ({"family_told_on": days_ahead(1)}, "/family_told_on", "date_in_future"),
    ({"practitioners_told_on": days_ahead(1)}, "/practitioners_told_on", "date_in_future"),
    ({"prosecution_sight_on": days_ahead(1)}, "/prosecution_sight_on", "date_in_future"),
    ({"intended_on": days_ago(1)}, "/intended_on", "date_order"),
    ({"url": "https://cpc.example.org/7"}, "/url", "only_when_published"),
    ({"removed_on": today(), "removal_reason": "Error."}, "/removed_on", "only_when_published"),
    ({"removal_reason": "Error."}, "/removal_reason", "only_when_removed")])
def test_a_publication_must_follow_the_rules(committee, case, overrides, pointer, rule):
    reply = record(committee, case, **overrides)
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert committee.send("getPublication", id=case["id"]).status == 404


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"published_on": days_ahead(1)}, "/published_on", "date_in_future"),
    ({"published_on": days_ago(1)}, "/published_on", "date_order"),
    ({"reporting_restrictions_checked": False}, "/reporting_restrictions_checked",
     "restrictions_check_required"),
    ({"family_told_on": None}, "/family_told_on", "family_told_required"),
    ({"practitioners_told_on": None}, "/practitioners_told_on", "practitioners_told_required"),
    ({"removed_on": days_ahead(1), "removal_reason": "Error."}, "/removed_on", "date_in_future"),
    ({"removed_on": days_ago(1), "removal_reason": "Error."}, "/removed_on", "date_order"),
    ({"removed_on": today()}, "/removal_reason", "reason_required")])
def test_a_published_report_must_follow_the_rules(committee, second_client, case, overrides,
                                                  pointer, rule):
    record(committee, case).expect(201)
    tag = check(second_client, case).etag
    reply = replace(committee, case, {**ready_publication(), **overrides})
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})
    assert tag_of(committee, "getPublication", id=case["id"]) == tag


def test_publication_needs_a_check_by_another_client(committee, second_client, case):
    record(committee, case).expect(201)
    assert refusal(replace(committee, case, ready_publication())) == (
        422, {"anonymisation_check_required"})
    assert refusal(check(committee, case)) == (409, {"separation_of_duties"})
    assert check(second_client, case)["anonymisation_checked_on"] == today()
    assert replace(committee, case, ready_publication()).status == 200


def test_open_proceedings_require_the_prosecution_to_see_it_first(committee, second_client, case):
    make_proceeding(committee, case)
    record(committee, case).expect(201)
    check(second_client, case).expect(201)
    assert refusal(replace(committee, case, ready_publication())) == (
        422, {"prosecution_sight_required"})
    published = replace(committee, case, ready_publication(prosecution_sight_on=today()))
    assert published["status"] == "published"


def test_another_form_must_be_checked_again(committee, second_client, case):
    record(committee, case).expect(201)
    check(second_client, case).expect(201)
    changed = replace(committee, case, new_publication(form="full_report"))
    assert changed["anonymisation_checked_on"] is None
    refused = replace(committee, case, {**ready_publication(), "form": "full_report"})
    assert refusal(refused) == (422, {"anonymisation_check_required"})


def test_an_unpublished_report_has_no_date_of_publication(committee, second_client, case):
    record(committee, case).expect(201)
    check(second_client, case).expect(201)
    refused = replace(committee, case, {**ready_publication(), "form": "not_published",
                                        "reason": "The family would be recognised."})
    assert "only_for_a_form" in refused.rules


@pytest.mark.parametrize("document", [None, not_published(),
                                      new_publication(form=None, decided_on=None)])
def test_a_check_needs_something_to_publish(committee, second_client, case, document):
    if document is not None:
        record(committee, case, document).expect(201)
    assert refusal(check(second_client, case)) == (409, {"nothing_to_publish"})


@pytest.mark.parametrize("day, rule", [(days_ahead(1), "date_in_future"),
                                       (days_ago(1), "date_order")])
def test_the_date_of_a_check_must_be_possible(committee, second_client, case, day, rule):
    record(committee, case).expect(201)
    reply = check(second_client, case, day)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/checked_on"}, {rule})


@pytest.mark.parametrize("track", ["publication", "dissemination"])
def test_a_hold_blocks_publication(committee, second_client, case, cluster, track):
    record(committee, case).expect(201)
    check(second_client, case).expect(201)
    with held(cluster, case, track):
        assert committee.send("getPublication", id=case["id"])["status"] == "awaiting_hold"
        refused = replace(committee, case, ready_publication())
        assert refusal(refused) == (409, {"publication_held"})
    assert replace(committee, case, ready_publication()).status == 200


def test_publication_must_be_decided_before_the_evaluation(committee):
    case = make_case(committee, "implementation")
    consider_plan(committee, case)
    record(committee, case, form=None, decided_on=None).expect(201)
    assert move(committee, case["id"], "evaluation").rules == {"publication_decided"}
    replace(committee, case, new_publication()).expect(200)
    assert move(committee, case["id"], "evaluation").status == 201


@pytest.mark.parametrize("end", ["published", "not_published", "removed"])
def test_publication_must_end_before_the_case_is_closed(committee, second_client, end):
    case = make_case(committee, "implementation")
    consider_plan(committee, case)
    record(committee, case).expect(201)
    move(committee, case["id"], "evaluation").expect(201)
    send_notices(committee, case["id"])
    assert move(committee, case["id"], "closed").rules == {"evaluation_recorded",
                                                           "publication_ended"}
    check(second_client, case).expect(201)
    document = {"published": ready_publication(), "not_published": not_published(),
                "removed": ready_publication(removed_on=today(), removal_reason="Error.")}[end]
    assert replace(committee, case, document)["status"] == end
    assert move(committee, case["id"], "closed").rules == {"evaluation_recorded"}


def test_a_published_report_of_a_closed_case_can_be_removed(committee, second_client):
    case = make_case(committee, "implementation")
    consider_plan(committee, case)
    publish(committee, second_client, case).expect(200)
    case = move(committee, case["id"], "evaluation").expect(201).json
    case = advance(committee, case, "closed")
    removed = replace(committee, case, ready_publication(removed_on=today(),
                                                         removal_reason="A year has passed."))
    assert (removed.status, removed["status"]) == (200, "removed")
    again = replace(committee, case, {**ready_publication(), "published_on": None, "url": None})
    assert refusal(again) == (409, {"case_closed"})


def test_a_closed_case_publishes_nothing_more(committee):
    case = make_case(committee, "closed")
    assert refusal(replace(committee, case, new_publication())) == (409, {"case_closed"})


def test_while_a_report_is_being_changed_it_can_only_be_removed(committee, second_client, case):
    publish(committee, second_client, case).expect(200)
    case = move(committee, case["id"], "implementation").expect(201).json
    record_discontinuation(committee, case)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    move(committee, case["id"], "reporting", "error").expect(201)
    undone = {**ready_publication(), "published_on": None, "url": None}
    assert refusal(replace(committee, case, undone)) == (409, {"not_ratified"})
    removed = ready_publication(removed_on=today(), removal_reason="It names a school.")
    assert replace(committee, case, removed)["status"] == "removed"


def test_a_report_that_can_be_rewritten_is_no_longer_ratified(committee, case):
    case = move(committee, case["id"], "implementation").expect(201).json
    record_discontinuation(committee, case)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    move(committee, case["id"], "review", "new_information").expect(201)
    assert refusal(record(committee, case)) == (409, {"not_ratified"})
    assert refusal(disseminate(committee, case)) == (409, {"not_ratified"})


def test_another_text_must_be_checked_again(committee, second_client, case, cluster):
    record(committee, case).expect(201)
    check(second_client, case).expect(201)
    cluster.execute("update register.report set document_digest = repeat('b', 64) where case_id = %s", [case["id"]])
    assert replace(committee, case, ready_publication()).rules == {"anonymisation_check_required"}
    replace(committee, case, new_publication()).expect(200)
    check(second_client, case).expect(201)
    published = replace(committee, case, ready_publication())
    assert (published.status, published["status"]) == (200, "published")
    cluster.execute("update register.report set document_digest = repeat('c', 64) where case_id = %s", [case["id"]])
    removed = ready_publication(removed_on=today(), removal_reason="It names a school.")
    assert replace(committee, case, removed)["status"] == "removed"


def test_no_author_of_the_publication_checks_it(committee, second_client, caller, case):
    record(committee, case).expect(201)
    replace(second_client, case, new_publication(intended_on=days_ahead(30))).expect(200)
    for client in (committee, second_client):
        assert refusal(check(client, case)) == (409, {"separation_of_duties"})
    assert check(caller("CPC-GLA", "third-client"), case).status == 201


def disseminate(client, case, **members):
    return client.send("addDissemination", new_dissemination(**members), id=case["id"])


def test_learning_is_disseminated_before_publication(committee, case):
    made = disseminate(committee, case, audience="family", form="event", level="national")
    assert (made.status, made["audience"], made["form"], made["level"]) == (201, "family", "event",
                                                                           "national")
    assert committee.send("listDisseminations", id=case["id"])["items"] == [made.json]


def test_dissemination_is_refused_before_ratification(committee):
    reply = disseminate(committee, make_case(committee, "ratification"))
    assert refusal(reply) == (409, {"not_ratified"})


def test_a_hold_blocks_dissemination(committee, case, cluster):
    with held(cluster, case, "dissemination"):
        assert refusal(disseminate(committee, case)) == (409, {"dissemination_held"})
    with held(cluster, case, "publication"):
        assert disseminate(committee, case).status == 201


@pytest.mark.parametrize("day, rule", [(days_ahead(1), "date_in_future"),
                                       (days_ago(1), "date_order")])
def test_the_date_of_dissemination_must_be_possible(committee, case, day, rule):
    reply = disseminate(committee, case, disseminated_on=day)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/disseminated_on"}, {rule})
    assert committee.send("listDisseminations", id=case["id"])["items"] == []


def test_only_the_committee_publishes_and_disseminates(case, chief_officers, caller, cluster):
    cluster.execute("insert into register.case_access (id, committee, case_id, organisation,"
                    " client, role, starts_on, ends_on) values (gen_random_uuid(), 'GLA', %s,"
                    " 'INDEPENDENT', 'reviewer-9', 'reviewer', %s, %s)",
                    (case["id"], days_ago(1), days_ahead(1)))
    for client in (chief_officers, caller("INDEPENDENT", "reviewer-9")):
        assert client.send("getReport", id=case["id"]).status == 200
        assert record(client, case).status == 404
        assert disseminate(client, case).status == 404
