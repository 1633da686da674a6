"""The decisions of all committees, as the inspectorate reads them."""
import pytest

from client import ALL_SCOPES
from payloads import days_ahead, dead_child, new_decision, today
from scenarios import decide, make_case, move, send_notices, tag_of, walk


@pytest.fixture
def decided(committee):
    case = make_case(committee, "decision", children=[dead_child(age_years=7)])
    decision = decide(committee, case["id"], note="The chair had doubts.").expect(201)
    return {**case, "decision": decision["id"]}


def find(client, case, query=""):
    """Returns the list's item of a case."""
    return [one for one in walk(client, "listDecisions", query + "&limit=200" if query
                                else "limit=200") if one["case_reference"] == case["reference"]]


def test_the_inspectorate_reads_decisions_of_all_committees(inspectorate, committee,
                                                            other_committee, decided):
    there = make_case(other_committee, "decision", local_authority="S12000036")
    decide(other_committee, there["id"], "do_not_proceed").expect(201)
    assert [one["committee"] for one in find(inspectorate, decided)] == ["GLA"]
    assert [one["outcome"] for one in find(inspectorate, there)] == ["do_not_proceed"]


def test_a_decision_shows_bands_and_no_free_text(inspectorate, decided, committee):
    child = committee.send("listChildren", id=decided["id"])["items"][0]
    seen = find(inspectorate, decided)[0]
    assert seen["children"] == [{name: child[name] for name in (
        "outcome", "age_band", "sex", "register_status", "legal_status")}]
    assert (seen["id"], seen["review_type"], seen["decided_on"]) == (decided["decision"], "single",
                                                                    today())
    assert not {"note", "case_id", "links", "no_bearing_reason"} & set(seen)
    assert decided["id"] not in str(seen) and child["child_ref"] not in str(seen)


def test_the_inspectorate_reads_nothing_else_of_the_case(decided, caller):
    reader = caller("CI", "curious-system", ALL_SCOPES)
    assert reader.send("getDecision", id=decided["id"]).status == 404
    assert reader.send("listCases").json == {"items": [], "next": None}


def test_a_committee_lists_its_own_decisions_only(committee, other_committee, decided):
    assert len(find(committee, decided)) == 1
    assert find(other_committee, decided) == []


def test_no_other_organisation_lists_decisions(caller, decided):
    for organisation in ("SG", "HIS", "LA-S12000049", "COPFS"):
        reply = caller(organisation, "curious-system", ALL_SCOPES).send("listDecisions")
        assert reply.json == {"items": [], "next": None}


def test_only_the_current_decision_is_listed(committee, inspectorate):
    case = make_case(committee, "decision")
    decide(committee, case["id"], "more_information").expect(201)
    former = find(inspectorate, case)[0]
    for stage in ("information_gathering", "recommendation", "decision"):
        move(committee, case["id"], stage).expect(201)
    committee.send("putDecision", new_decision(), id=case["id"],
                   if_match=tag_of(committee, "getDecision", id=case["id"])).expect(200)
    current = find(inspectorate, case)
    assert [(one["outcome"], one["supersedes"]) for one in current] == [("proceed", former["id"])]


def test_the_list_can_be_polled_and_corrections_appear_again(committee, inspectorate, decided):
    later = make_case(committee, "decision")
    decide(committee, later["id"]).expect(201)
    order = [one["case_reference"] for one in walk(inspectorate, "listDecisions",
                                                   f"recorded_from={today()}&limit=200")]
    assert order.index(decided["reference"]) < order.index(later["reference"])
    committee.send("putDecision", new_decision(unanimous=False), id=decided["id"],
                   if_match=tag_of(committee, "getDecision", id=decided["id"])).expect(200)
    items = walk(inspectorate, "listDecisions", f"recorded_from={today()}&limit=200")
    assert (items[-1]["case_reference"], items[-1]["version"]) == (decided["reference"], 2)
    recorded = [one["recorded_at"] for one in items]
    assert recorded == sorted(recorded)


def test_pages_of_any_size_have_the_same_items(inspectorate, decided):
    small = walk(inspectorate, "listDecisions", "limit=3")
    large = walk(inspectorate, "listDecisions", "limit=200")
    assert [one["id"] for one in small] == [one["id"] for one in large]


def test_decisions_are_filtered_by_outcome_committee_and_day(inspectorate, decided):
    for query in ("outcome=proceed", "committee=GLA", f"decided_from={today()}",
                  f"decided_to={days_ahead(1)}", f"recorded_from={today()}"):
        assert len(find(inspectorate, decided, query)) == 1
    for query in ("outcome=do_not_proceed", "committee=EDH", f"decided_from={days_ahead(1)}",
                  f"decided_to={today()}", f"recorded_from={days_ahead(1)}"):
        assert find(inspectorate, decided, query) == []


def test_sending_notices_does_not_change_the_listed_decision(committee, inspectorate, decided):
    before = find(inspectorate, decided)
    send_notices(committee, decided["id"])
    assert find(inspectorate, decided) == before
