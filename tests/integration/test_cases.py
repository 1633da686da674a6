"""Cases: opened, read, changed, and listed page by page while others are opened."""
import pytest

from client import new_key
from payloads import days_ago, days_ahead, dead_child, new_case, new_child, today
from scenarios import (advance, decide, make_accepted_referral, make_action, make_case, move, tag_of, walk)

PARTS = ["stages", "transitions", "children", "actions", "decision", "referrals"]


def change(committee, case, **members):
    return committee.send("changeCase", members, id=case["id"],
                          if_match=tag_of(committee, "getCase", id=case["id"]))


def test_a_committee_opens_a_case(committee):
    reply = committee.send("openCase", new_case(summary="Found by an audit.",
                                                review_type="sibling_group"))
    assert reply.status == 201
    assert reply.headers["Location"] == f"/v1/cases/{reply['id']}"
    assert (reply["committee"], reply["stage"], reply["version"]) == ("GLA", "notification", 1)
    assert (reply["summary"], reply["review_type"]) == ("Found by an audit.", "sibling_group")


def test_references_count_up_by_year_and_committee(caller):
    shetland = caller("CPC-SHE")
    references = [make_case(shetland, local_authority="S12000027",
                            opened_on=day)["reference"] for day in
                  ("2025-03-01", "2025-04-01", "2026-03-01")]
    assert references == ["LR-2025-SHE-0001", "LR-2025-SHE-0002", "LR-2026-SHE-0001"]


def test_notification_is_due_after_five_working_days(committee):
    # Good Friday and Easter Monday of 2026 are on 3 and 6 April.
    assert make_case(committee, opened_on="2026-03-02")["stage_due_on"] == "2026-03-09"


def test_a_case_past_the_due_day_of_its_stage_is_overdue(committee):
    assert make_case(committee, opened_on=days_ago(60))["overdue"] is True
    assert make_case(committee, opened_on=today())["overdue"] is False


def test_an_agency_opens_no_cases(caller):
    reply = caller("LA-S12000049", "too-many-scopes").send("openCase", new_case())
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"local_authority": "S12000036"}, "/local_authority", "outside_committee_area"),
    ({"opened_on": days_ahead(2)}, "/opened_on", "date_in_future"),
    ({"opened_on": "0901-12-12"}, "/opened_on", "date_order"),
    ({"criteria": ["suicide"]}, "/criteria", "criterion_not_supported_by_facts"),
    ({"children": [new_child(age_years=17)]}, "/children/0/age_years", "age_outside_band"),
])
def test_a_case_has_to_keep_the_rules(committee, overrides, pointer, rule):
    reply = committee.send("openCase", new_case(**overrides))
    assert (reply.status, reply.pointers, reply.rules) == (422, {pointer}, {rule})


def test_opening_repeated_by_key_opens_one_case(committee):
    document, key = new_case(), new_key()
    first, second = [committee.send("openCase", document, key=key) for _ in range(2)]
    assert second.bytes == first.bytes and second.headers["Idempotency-Replayed"] == "true"


def test_a_key_used_for_another_case_is_refused(committee):
    key = new_key()
    committee.send("openCase", new_case(), key=key)
    reply = committee.send("openCase", new_case(), key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


def test_expandable_parts_are_null_unless_asked_for(committee):
    case = committee.send("getCase", id=make_case(committee)["id"])
    assert [case[part] for part in PARTS] == [None] * 6


def test_all_parts_come_when_asked_for(agency, committee):
    case_id = make_accepted_referral(agency, committee)["case_id"]
    advance(committee, {"id": case_id, "stage": "notification"}, "decision")
    decide(committee, case_id).expect(201)
    make_action(committee, {"id": case_id})
    case = committee.send("getCase", id=case_id, query="expand=" + ",".join(PARTS))
    assert [one["stage"] for one in case["stages"]] == ["notification", "information_gathering",
                                                       "recommendation", "decision"]
    assert "set_up" in [one["to"] for one in case["transitions"]]
    assert case["decision"]["outcome"] == "proceed"
    assert [len(case[part]) for part in ("children", "actions", "referrals")] == [1, 1, 1]


def test_expanded_parts_without_content_are_empty(committee):
    case_id = make_case(committee)["id"]
    case = committee.send("getCase", id=case_id, query="expand=actions,decision,referrals")
    assert (case["actions"], case["decision"], case["referrals"]) == ([], None, [])


@pytest.mark.parametrize("expand", ["people", "stages,people", "stages,stages", ""])
def test_only_known_parts_can_be_expanded(committee, expand):
    reply = committee.send("getCase", id=make_case(committee)["id"], query=f"expand={expand}")
    assert (reply.status, reply.parameters) == (400, {"expand"})


def test_the_counts_of_a_case_follow_its_actions(committee):
    case = make_case(committee, "decision")
    make_action(committee, case)
    make_action(committee, case, due_on=days_ago(1))
    counts = committee.send("getCase", id=case["id"])["counts"]
    assert (counts["actions"], counts["actions_open"], counts["actions_overdue"]) == (2, 2, 1)


def test_a_committee_changes_what_it_recorded(committee):
    case = make_case(committee, summary="First.")
    reply = change(committee, case, summary="Second.", review_type="joint")
    assert reply.status == 200
    assert (reply["summary"], reply["review_type"]) == ("Second.", "joint")
    assert reply["version"] == 2


def test_null_clears_the_summary(committee):
    assert change(committee, make_case(committee, summary="First."), summary=None)[
        "summary"] is None


@pytest.mark.parametrize("members, pointer", [
    ({"stage": "closed"}, "/stage"), ({"review_type": None}, "/review_type"),
    ({"criteria": []}, "/criteria"), ({}, "")])
def test_a_change_has_to_keep_the_contract(committee, members, pointer):
    reply = change(committee, make_case(committee), **members)
    assert (reply.status, reply.pointers) == (400, {pointer})


def test_changed_criteria_have_to_be_supported(committee):
    reply = change(committee, make_case(committee), criteria=["suicide"])
    assert (reply.status, reply.rules) == (422, {"criterion_not_supported_by_facts"})


def hold(committee, case, in_force, reason):
    return committee.send("setLegalHold", {"in_force": in_force, "reason": reason}, id=case["id"],
                          if_match=tag_of(committee, "getCase", id=case["id"]))


def test_of_a_closed_case_only_the_legal_hold_changes(committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    refused = change(committee, case, summary="Later.")
    assert (refused.status, refused.rules) == (409, {"case_closed"})
    held = hold(committee, case, True, "public_inquiry")
    assert (held["legal_hold"], held["legal_hold_reason"]) == (True, "public_inquiry")
    lifted = hold(committee, case, False, None)
    assert (lifted["legal_hold"], lifted["legal_hold_reason"]) == (False, None)


@pytest.mark.parametrize("in_force, reason, rule", [
    (True, None, "reason_required"), (False, "other", "only_while_held")])
def test_a_legal_hold_has_a_reason_exactly_while_it_is_in_force(committee, in_force, reason, rule):
    reply = hold(committee, make_case(committee), in_force, reason)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {"/reason"})


def test_a_closed_case_says_how_long_it_is_kept(committee, cluster):
    case = make_case(committee)
    assert case["retain_until"] is None
    closed = move(committee, case["id"], "closed", "discontinued").expect(201)
    expected = cluster.execute("select (%s::date + interval '120 months')::date",
                               (closed["closed_on"],))[0][0].isoformat()
    assert closed["retain_until"] == expected


@pytest.fixture(scope="module")
def fife(caller):
    """A committee whose cases nothing else makes: ten of them, known in every detail."""
    made = caller("CPC-FIF")
    for day in range(1, 11):
        make_case(made, local_authority="S12000047", opened_on=f"2026-02-{day:02}",
                  review_type="thematic" if day <= 3 else "single",
                  criteria=["suicide"] if day == 1 else ["abuse_or_neglect"],
                  children=[dead_child()])
    make_case(made, local_authority="S12000047", opened_on=today())
    return made


@pytest.mark.parametrize("query, count", [
    ("", 11), ("stage=notification", 11), ("stage=review", 0), ("overdue=true", 10),
    ("overdue=false", 1), ("review_type=thematic", 3), ("criterion=suicide", 1),
    ("opened_from=2026-02-09", 3), ("opened_to=2026-02-09", 8),
    ("opened_from=2026-02-02&opened_to=2026-02-04", 2), ("review_type=thematic&overdue=false", 0)])
def test_filters_choose_cases(fife, query, count):
    assert len(walk(fife, "listCases", query)) == count


def test_cases_are_listed_newest_first(fife):
    days = [one["opened_on"] for one in walk(fife, "listCases", "limit=3")]
    assert days == sorted(days, reverse=True)


def test_cases_are_listed_by_due_day_with_those_without_one_last(caller):
    board = caller("CPC-ORK")
    last = make_case(board, "implementation", local_authority="S12000023")
    for day in ("2026-05-05", "2026-01-05", "2026-03-05"):
        make_case(board, local_authority="S12000023", opened_on=day)
    cases = walk(board, "listCases", "sort=stage_due_on&limit=1")
    assert [one["opened_on"] for one in cases[:3]] == ["2026-01-05", "2026-03-05", "2026-05-05"]
    assert (cases[3]["id"], cases[3]["stage_due_on"]) == (last["id"], None)


@pytest.mark.parametrize("sort", ["-opened_on", "stage_due_on"])
def test_a_walk_finds_each_case_once_while_others_are_opened(caller, sort):
    board = caller("CPC-MOR", f"walker{len(sort)}")
    before = {make_case(board, local_authority="S12000020", opened_on=days_ago(n % 7))["id"]
              for n in range(25)}
    seen, url = [], None
    while True:
        reply = board.follow(url) if url else board.send("listCases", query=f"limit=4&sort={sort}")
        seen += reply.ids
        for day in (0, 3, 6):
            make_case(board, local_authority="S12000020", opened_on=days_ago(day))
        url = reply["next"]
        if url is None or len(seen) > 400:
            break
    assert len(seen) == len(set(seen)) < 400
    assert before <= set(seen)


def test_the_next_page_is_named_in_a_header_too(fife):
    reply = fife.send("listCases", query="limit=2&overdue=true")
    assert reply.headers["Link"] == f'<{reply["next"]}>; rel="next"'
    assert "overdue=true" in reply["next"] and "limit=2" in reply["next"]


def test_the_last_page_names_no_next_page(fife):
    reply = fife.send("listCases", query="limit=11")
    assert reply["next"] is None and "Link" not in reply.headers


def cursor_of(reply):
    return reply["next"].rpartition("cursor=")[2]


@pytest.mark.parametrize("query", ["overdue=true", "sort=stage_due_on", "review_type=single"])
def test_a_cursor_of_other_filters_is_refused(fife, query):
    cursor = cursor_of(fife.send("listCases", query="limit=2"))
    reply = fife.send("listCases", query=f"{query}&cursor={cursor}")
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_cursor", {"cursor"})


def test_a_cursor_of_another_caller_or_list_is_refused(fife, committee):
    cursor = cursor_of(fife.send("listCases", query="limit=2"))
    assert committee.send("listCases", query=f"cursor={cursor}").code == "invalid_cursor"
    assert fife.send("listActions", query=f"cursor={cursor}").code == "invalid_cursor"


def test_a_forged_cursor_is_refused(fife):
    cursor = cursor_of(fife.send("listCases", query="limit=2"))
    forged = cursor[:-4] + ("AAAA" if cursor[-4:] != "AAAA" else "BBBB")
    assert fife.send("listCases", query=f"cursor={forged}").code == "invalid_cursor"


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5", "", "01x", "9" * 30])
def test_the_limit_of_a_page_is_1_to_200(fife, limit):
    reply = fife.send("listCases", query=f"limit={limit}")
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_parameter", {"limit"})
