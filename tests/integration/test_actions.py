"""Actions: the work that the learning requires, its owner, and the verification of its completion."""
import pytest

from client import new_key
from payloads import (completion, days_ago, days_ahead, new_action, new_strategy, new_update,
                      today, verification)
from scenarios import (make_action, make_case, make_completed_action, make_verified_action, tag_of, walk)


def change(client, action, **members):
    return client.send("changeAction", members, id=action["id"],
                       if_match=tag_of(client, "getAction", id=action["id"]))


def report(client, action, **members):
    return client.send("addActionUpdate", new_update(**members), id=action["id"])


def test_the_committee_adds_an_action(committee):
    case = make_case(committee, "decision")
    reply = committee.send("createAction", new_action(priority="high"), id=case["id"])
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/actions/{reply['id']}"
    assert (reply["status"], reply["priority"], reply["progress"]) == ("agreed", "high", 0)
    assert (reply["case_id"], reply["case_reference"]) == (case["id"], case["reference"])


def test_a_new_action_is_proposed_by_default(committee):
    document = {name: new_action()[name] for name in ("title", "owner_organisation", "due_on")}
    case = make_case(committee, "decision")
    reply = committee.send("createAction", document, id=case["id"])
    assert (reply["status"], reply["priority"], reply["scope"]) == ("proposed", "medium", "local")


@pytest.mark.parametrize("stage", ["notification", "information_gathering", "recommendation"])
def test_an_action_is_refused_before_the_stage_decision(committee, stage):
    reply = committee.send("createAction", new_action(), id=make_case(committee, stage)["id"])
    assert (reply.status, reply.rules) == (409, {"before_decision"})


def test_an_action_for_a_closed_case_is_refused(committee):
    reply = committee.send("createAction", new_action(), id=make_case(committee, "closed")["id"])
    assert (reply.status, reply.rules) == (409, {"case_closed"})


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"owner_organisation": "LA-S12999999"}, "/owner_organisation", "unknown_code"),
    ({"success_measure": None}, "/success_measure", "required_when_agreed"),
    ({"due_on": days_ago(400)}, "/due_on", "date_order")])
def test_an_action_must_follow_the_rules(committee, overrides, pointer, rule):
    case = make_case(committee, "decision")
    reply = committee.send("createAction", new_action(**overrides), id=case["id"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})


def test_adding_again_with_the_same_key_replays(committee):
    case, key = make_case(committee, "decision"), new_key()
    first, second = [committee.send("createAction", new_action(), id=case["id"], key=key)
                     for _ in range(2)]
    assert second.bytes == first.bytes
    assert len(committee.send("listCaseActions", id=case["id"])["items"]) == 1


def test_the_owner_sees_an_action_without_its_case(committee, agency):
    seen = agency.send("getAction", id=make_action(committee)["id"])
    assert seen.status == 200
    assert (seen["case_id"], seen["links"]["case"]) == (None, None)
    assert seen["case_reference"].startswith("LR-")


def test_only_the_owner_and_the_committee_see_an_action(committee, health, police):
    action = make_action(committee)
    assert health.send("getAction", id=action["id"]).status == 404
    assert report(police, action).status == 404


def test_the_owner_sees_nothing_else_of_the_case(committee, caller):
    case = make_case(committee, "decision")
    make_action(committee, case)
    owner = caller("LA-S12000049", "too-many-scopes")
    for operation in ("getCase", "listCaseStages", "listTransitions", "listChildren",
                      "getDecision", "listCaseActions"):
        assert owner.send(operation, id=case["id"]).status == 404
    assert owner.send("listCases")["items"] == []


def test_an_agency_lists_its_own_actions_only(committee, caller):
    owner = caller("LA-S12000045", "list-of-its-own")
    case = make_case(committee, "decision")
    mine = make_action(committee, case, owner_organisation="LA-S12000045")
    make_action(committee, case, owner_organisation="HB-S08000031")
    assert [one["id"] for one in walk(owner, "listActions", "limit=1")] == [mine["id"]]


def test_an_agency_cannot_filter_actions_by_case(committee, agency):
    case = make_case(committee, "decision")
    make_action(committee, case)
    assert agency.send("listActions", query=f"case_id={case['id']}")["items"] == []
    assert len(committee.send("listActions", query=f"case_id={case['id']}")["items"]) == 1


def test_progress_is_reported_and_starts_an_agreed_action(committee, agency):
    action = make_action(committee)
    reply = report(agency, action, progress=30)
    seen = agency.send("getAction", id=action["id"])
    assert reply.status == 201
    assert (reply["status_after"], reply["reported_by"]) == ("in_progress", "LA-S12000049")
    assert (seen["status"], seen["progress"]) == ("in_progress", 30)


def test_reports_are_listed_oldest_first(committee, agency):
    action = make_action(committee)
    for progress in (10, 50, 90):
        report(agency, action, progress=progress).expect(201)
    log = agency.send("listActionUpdates", id=action["id"])
    assert [one["progress"] for one in log["items"]] == [10, 50, 90]


@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(2), "date_order")])
def test_the_date_of_a_report_must_be_possible(committee, agency, day, rule):
    action = make_action(committee)
    reply = report(agency, action, reported_on=day)
    assert (reply.status, reply.rules) == (422, {rule})
    assert agency.send("listActionUpdates", id=action["id"])["items"] == []


def test_a_report_on_a_proposed_action_is_refused(committee, agency):
    reply = report(agency, make_action(committee, status="proposed"))
    assert (reply.status, reply.rules) == (409, {"not_in_progress"})


def test_the_owner_may_start_an_action(committee, agency):
    reply = change(agency, make_action(committee), status="in_progress")
    assert (reply.status, reply["status"]) == (200, "in_progress")


@pytest.mark.parametrize("members", [{"title": "Something easier"}, {"due_on": days_ahead(900)},
                                     {"status": "superseded", "reason": "We would rather not."},
                                     {"status": "in_progress", "priority": "low"},
                                     {"owner_accepted_on": today(), "contributors": []}])
def test_the_owner_may_change_nothing_but_the_status(committee, agency, members):
    reply = change(agency, make_action(committee), **members)
    assert (reply.status, reply.rules) == (422, {"committee_only"})


def test_a_new_due_date_shows_the_slippage(committee):
    reply = change(committee, make_action(committee, due_on=days_ahead(10)),
                   due_on=days_ahead(40), due_change_reason="The audit waits for new software.")
    assert (reply["original_due_on"], reply["slippage_days"]) == (days_ahead(10), 30)


def test_a_new_due_date_of_an_agreed_action_needs_a_reason(committee, agency):
    action = make_action(committee)
    refused = change(committee, action, due_on=days_ahead(120))
    assert (refused.status, refused.pointers, refused.rules) == (
        422, {"/due_change_reason"}, {"due_change_reason_required"})
    change(committee, action, due_on=days_ahead(120), due_change_reason="Staff left.").expect(200)
    entry = agency.send("listActionUpdates", id=action["id"])["items"][-1]
    assert (entry["kind"], entry["note"], entry["due_on"]) == ("due_change", "Staff left.",
                                                               days_ahead(120))


def test_a_new_due_date_of_a_proposed_action_needs_no_reason(committee):
    action = make_action(committee, status="proposed")
    assert change(committee, action, due_on=days_ahead(120)).status == 200
    assert committee.send("listActionUpdates", id=action["id"])["items"] == []


def test_a_reason_for_a_due_date_needs_a_new_due_date(committee):
    action = make_action(committee)
    reply = change(committee, action, due_change_reason="For no reason.")
    assert (reply.status, reply.rules) == (422, {"only_with_due_change"})
    assert committee.send("listActionUpdates", id=action["id"])["items"] == []


def test_an_action_has_no_date_before_its_case_was_opened(committee):
    reply = change(committee, make_action(committee), due_on=days_ago(400),
                   due_change_reason="A slip of the pen.")
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/due_on"}, {"date_order"})


@pytest.mark.parametrize("end", ["not_achieved", "superseded"])
def test_ending_an_action_early_needs_a_reason(committee, end):
    action = make_action(committee)
    refused = change(committee, action, status=end)
    assert (refused.status, refused.rules, refused.pointers) == (422, {"reason_required"},
                                                                 {"/reason"})
    reply = change(committee, action, status=end, reason="The service was closed.")
    assert (reply.status, reply["status"], reply["reason"]) == (200, end,
                                                                "The service was closed.")


def test_a_proposal_without_a_measure_of_success_can_be_dropped(committee):
    action = make_action(committee, status="proposed", success_measure=None)
    reply = change(committee, action, status="superseded", reason="The service was closed.")
    assert (reply.status, reply["success_measure"]) == (200, None)


def test_a_reason_is_allowed_only_for_an_action_that_ends(committee):
    reply = change(committee, make_action(committee), reason="For no reason.")
    assert (reply.status, reply.rules) == (422, {"only_when_ended"})


def test_an_ended_action_never_changes(committee, agency):
    action = make_action(committee)
    change(committee, action, status="superseded", reason="Another one covers it.").expect(200)
    again = change(committee, action, title="Once more")
    assert (again.status, again.rules) == (409, {"action_ended"})
    assert agency.send("completeAction", completion(), id=action["id"]).status == 409


def test_the_status_of_an_action_does_not_go_back(committee):
    action = make_action(committee)
    change(committee, action, status="in_progress").expect(200)
    reply = change(committee, action, status="agreed")
    assert (reply.status, reply.rules, reply.pointers) == (409, {"not_a_transition"}, {"/status"})


def test_the_owner_completes_an_action(committee, agency):
    action = make_action(committee)
    reply = agency.send("completeAction", completion(), id=action["id"])
    assert reply.status == 201
    assert (reply["status"], reply["progress"], reply["completed_on"]) == ("completed", 100,
                                                                          today())


def test_completion_must_not_be_in_the_future(committee, agency):
    reply = agency.send("completeAction", completion(completed_on=days_ahead(2)),
                        id=make_action(committee)["id"])
    assert (reply.status, reply.rules) == (422, {"date_in_future"})


def test_the_committee_verifies_what_the_owner_completed(committee, agency):
    action = make_completed_action(committee, agency)
    reply = committee.send("verifyAction", verification(), id=action["id"])
    assert (reply.status, reply["status"], reply["verified_on"]) == (201, "verified", today())


def test_the_committee_returns_an_action_without_sufficient_evidence(committee, agency):
    action = make_completed_action(committee, agency)
    reply = committee.send("verifyAction", verification(outcome="returned", note="Show the audit."),
                           id=action["id"])
    log = agency.send("listActionUpdates", id=action["id"])
    assert (reply["status"], reply["completed_on"], reply["evidence"]) == ("in_progress", None,
                                                                          None)
    assert log["items"][-1]["note"] == "Show the audit."


def test_the_client_that_completed_an_action_does_not_verify_it(committee, caller):
    action = make_completed_action(committee, committee)
    refused = committee.send("verifyAction", verification(), id=action["id"])
    assert (refused.status, refused.rules) == (409, {"separation_of_duties"})
    second = caller("CPC-GLA", "second-pair-of-eyes")
    assert second.send("verifyAction", verification(), id=action["id"]).status == 201


def test_an_owner_never_verifies(committee, agency, caller):
    action = make_completed_action(committee, agency)
    owner = caller("LA-S12000049", "another-client")
    assert owner.send("verifyAction", verification(), id=action["id"]).status == 404


def test_only_a_completed_action_is_verified(committee):
    reply = committee.send("verifyAction", verification(), id=make_action(committee)["id"])
    assert (reply.status, reply.rules) == (409, {"not_completed"})


@pytest.mark.parametrize("overrides, rule", [({"verified_on": days_ahead(2)}, "date_in_future"),
                                             ({"verified_on": days_ago(2)}, "date_order")])
def test_the_date_of_a_verification_must_be_possible(committee, agency, overrides, rule):
    action = make_completed_action(committee, agency)
    reply = committee.send("verifyAction", verification(**overrides), id=action["id"])
    assert (reply.status, reply.rules) == (422, {rule})


@pytest.mark.parametrize("operation, body", [("addActionUpdate", new_update()),
                                             ("completeAction", completion())])
def test_reporting_again_with_the_same_key_replays(committee, agency, operation, body):
    action, key = make_action(committee), new_key()
    first, second = [agency.send(operation, body, id=action["id"], key=key) for _ in range(2)]
    other = agency.send(operation, {**body, **({"progress": 41} if "progress" in body else
                                               {"evidence": "Another."})}, id=action["id"], key=key)
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"
    assert (other.status, other.code) == (422, "idempotency_key_reused")


# --- acceptance

def proposed(**overrides):
    return {"status": "proposed", "owner_accepted_on": None, **overrides}


def test_an_action_is_agreed_after_its_owner_has_accepted_it(committee, agency):
    action = make_action(committee, **proposed())
    refused = change(committee, action, status="agreed")
    assert (refused.status, refused.pointers, refused.rules) == (
        422, {"/owner_accepted_on"}, {"owner_acceptance_required"})
    accepted = change(agency, action, owner_accepted_on=today())
    assert (accepted.status, accepted["owner_accepted_on"], accepted["status"]) == (200, today(),
                                                                                   "proposed")
    assert change(committee, action, status="agreed")["status"] == "agreed"


def test_the_committee_may_record_acceptance_and_agreement_together(committee):
    action = make_action(committee, **proposed())
    reply = change(committee, action, status="agreed", owner_accepted_on=today())
    assert (reply.status, reply["status"]) == (200, "agreed")


def test_a_new_agreed_action_without_acceptance_is_refused(committee):
    case = make_case(committee, "decision")
    reply = committee.send("createAction", new_action(owner_accepted_on=None), id=case["id"])
    assert (reply.status, reply.rules) == (422, {"owner_acceptance_required"})
    assert committee.send("listCaseActions", id=case["id"])["items"] == []


def test_the_committees_own_action_needs_no_acceptance(committee):
    action = make_action(committee, owner_organisation="CPC-GLA", owner_accepted_on=None)
    assert (action["status"], action["owner_accepted_on"]) == ("agreed", None)


def test_another_committee_must_accept_its_action(committee):
    reply = committee.send("createAction", new_action(owner_organisation="CPC-EDH",
                                                      owner_accepted_on=None),
                           id=make_case(committee, "decision")["id"])
    assert reply.rules == {"owner_acceptance_required"}


def test_the_acceptance_of_an_agreed_action_cannot_be_withdrawn(committee, agency):
    action = make_action(committee)
    for client in (agency, committee):
        reply = change(client, action, owner_accepted_on=None)
        assert (reply.status, reply.rules) == (422, {"owner_acceptance_required"})


def test_a_new_owner_must_accept_again(committee):
    action = make_action(committee)
    refused = change(committee, action, owner_organisation="HB-S08000031")
    assert refused.rules == {"owner_acceptance_required"}
    reply = change(committee, make_action(committee, status="proposed"),
                   owner_organisation="HB-S08000031")
    assert (reply.status, reply["owner_accepted_on"]) == (200, None)


@pytest.mark.parametrize("day, rule", [(days_ahead(2), "date_in_future"),
                                       (days_ago(2), "date_order")])
def test_the_date_of_an_acceptance_must_be_possible(committee, agency, day, rule):
    action = make_action(committee, **proposed())
    reply = change(agency, action, owner_accepted_on=day)
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/owner_accepted_on"}, {rule})


def test_an_old_agreed_action_without_acceptance_can_still_be_updated(committee, agency,
                                                                      cluster):
    action = make_action(committee)
    cluster.execute("update register.action set owner_accepted_on = null, resource_issue = 'refused' "
                    "where id = %s", [action["id"]])
    assert change(agency, action, status="in_progress").status == 200
    assert change(committee, action, priority="low").status == 200


def test_an_agreed_action_without_resources_needs_the_chief_officers_answer(committee):
    case = make_case(committee, "decision")
    refused = committee.send("createAction", new_action(resource_issue="refused"), id=case["id"])
    assert (refused.status, refused.pointers, refused.rules) == (422, {"/cog_note"},
                                                                 {"cog_note_required"})
    action = make_action(committee, case, resource_issue="refused", cog_note="Within the budget.")
    assert change(committee, action, cog_note=None).rules == {"cog_note_required"}
    plain = make_action(committee, case)
    assert change(committee, plain, resource_issue="refused").rules == {"cog_note_required"}


def test_a_proposed_action_may_wait_for_the_chief_officers_answer(committee):
    action = make_action(committee, **proposed(resource_issue="refused"))
    reply = change(committee, action, status="agreed", owner_accepted_on=today())
    assert reply.rules == {"cog_note_required"}


# --- contributors and completion dates

def test_an_action_names_its_contributors(committee):
    action = make_action(committee, contributors=["HB-S08000031", "POL-G"],
                         owner_role="service_manager")
    assert action["contributors"] == ["HB-S08000031", "POL-G"]
    reply = change(committee, action, contributors=[], owner_role=None)
    assert (reply["contributors"], reply["owner_role"]) == ([], None)


def test_a_contributor_must_be_an_organisation(committee):
    reply = change(committee, make_action(committee), contributors=["POL-G", "LA-S12999999"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/contributors/1"},
                                                           {"unknown_code"})


def test_an_action_shows_the_delay_of_its_completion(committee, agency):
    action = make_action(committee, due_on=days_ago(5))
    assert action["lateness_days"] is None
    change(committee, action, due_on=days_ahead(9), due_change_reason="Staff left.").expect(200)
    done = agency.send("completeAction", completion(), id=action["id"])
    assert (done["lateness_days"], done["slippage_days"]) == (5, 14)


def test_completion_must_not_be_before_the_stage_decision(committee, agency):
    action = make_action(committee)
    reply = agency.send("completeAction", completion(completed_on=days_ago(1)), id=action["id"])
    assert (reply.status, reply.pointers, reply.rules) == (422, {"/completed_on"}, {"date_order"})
    assert agency.send("getAction", id=action["id"])["status"] == "agreed"


def test_a_verified_action_is_never_completed_again(committee, agency):
    action = make_verified_action(committee, agency)
    reply = agency.send("completeAction", completion(), id=action["id"])
    assert (reply.status, reply.rules) == (409, {"not_in_progress"})


def test_the_log_keeps_evidence_that_was_not_sufficient(committee, agency):
    action = make_completed_action(committee, agency)
    committee.send("verifyAction", verification(outcome="returned"), id=action["id"]).expect(201)
    agency.send("completeAction", completion(evidence="The second audit."), id=action["id"])
    committee.send("verifyAction", verification(), id=action["id"]).expect(201)
    log = agency.send("listActionUpdates", id=action["id"])["items"]
    assert [(one["kind"], one["evidence"]) for one in log] == [
        ("returned", "The audit of June shows it."), ("verified", None)]


@pytest.fixture(scope="module")
def borders(caller):
    """A committee with actions of this test only."""
    made = caller("CPC-SCB")
    case = make_case(made, "review", local_authority="S12000026")
    made.strategy = made.send("addStrategy", new_strategy(), id=case["id"]).expect(201)["id"]
    make_action(made, case, due_on=days_ago(5), themes=["child_voice"])
    make_action(made, case, due_on=days_ahead(5), owner_organisation="POL-J")
    make_action(made, case, due_on=days_ahead(50), status="proposed", scope="national",
                priority="high", strategy_id=made.strategy)
    late = make_action(made, case, due_on=days_ago(9))
    made.send("completeAction", completion(), id=late["id"]).expect(201)
    return made


@pytest.mark.parametrize("query, count", [
    ("", 4), ("status=proposed", 1), ("status=completed", 1), ("overdue=true", 1),
    ("overdue=false", 3), ("owner=POL-J", 1), ("theme=child_voice", 1),
    ("due_soon=4", 0), ("due_soon=5", 1), ("due_soon=365", 2), ("owner_kind=police", 1),
    ("owner_kind=local_authority", 3), ("priority=high", 1), ("scope=national", 1),
    ("strategy={strategy}", 1), ("owner_kind=police&priority=high", 0),
    (f"due_from={days_ahead(1)}", 2), (f"due_to={days_ahead(1)}", 2),
    ("theme=child_voice&status=proposed", 0)])
def test_filters_select_actions(borders, query, count):
    query = query.replace("{strategy}", borders.strategy)
    assert len(walk(borders, "listActions", query)) == count


def test_actions_are_sorted_by_due_date_or_by_change(borders):
    by_due = walk(borders, "listActions", "limit=1")
    by_change = walk(borders, "listActions", "limit=1&sort=-updated_at")
    assert [one["due_on"] for one in by_due] == sorted(one["due_on"] for one in by_due)
    assert [one["updated_at"] for one in by_change] == sorted(
        (one["updated_at"] for one in by_change), reverse=True)
    assert {one["id"] for one in by_due} == {one["id"] for one in by_change}
