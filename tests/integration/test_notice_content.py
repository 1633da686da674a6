"""The content of notices: the facts that each recipient may have, unchanged once sent."""
import pytest

from payloads import days_ago, dead_child, new_child, new_finding
from scenarios import (advance, decide, make_accepted_referral, make_case, make_proceeding, move, ratify, record_finding,
                       send_notices)

CONCLUSION = ["children", "decision"]
ALL = ["circumstances", "children", "decision", "recommendation", "proceedings"]  # of a decision notice
SECTIONS = {("care_inspectorate", "CI"): ALL, ("chief_officers_group", "COG-GLA"): ALL,
            ("national_hub", "HIS"): CONCLUSION, ("referrer", "LA-S12000049"): CONCLUSION,
            ("copfs", "COPFS"): ["circumstances", "children", "decision", "proceedings"]}
OUTCOME = ["circumstances", "children", "decision", "findings", "strategies", "actions", "family", "practitioners",
           "team", "timescales", "proceedings", "report", "publication"]


def notices(committee, case, kind="decision"):
    """Returns the identifiers of a case's notices of the kind, by recipient."""
    return {(one["to"], one["to_organisation"]): one["id"]
            for one in committee.send("listCaseNotices", id=case["id"]).expect(200)["items"] if one["kind"] == kind}


def content(client, notice):
    """Returns the sections that the recipient has."""
    sections = client.send("getNoticeContent", id=notice).expect(200)["sections"]
    return {name: section for name, section in sections.items() if section is not None}


def test_each_recipient_reads_the_sections_that_concern_it(agency, committee, caller):
    accepted = make_accepted_referral(agency, committee, incident_on=days_ago(40), aware_on=days_ago(39), children=[
        dead_child(age_band="1_4"), new_child(age_band="11_15")])
    case = advance(committee, {"id": accepted["case_id"], "stage": "notification"}, "recommendation")
    make_proceeding(committee, case)
    case = advance(committee, case, "decision")
    decide(committee, case["id"]).expect(201)
    send_notices(committee, case["id"])
    told = notices(committee, case)
    assert set(told) == set(SECTIONS)
    for (to, organisation), notice in told.items():
        reader = caller(organisation, f"reader-{to}", "notices.read")
        sections = content(reader, notice)
        assert list(sections) == SECTIONS[to, organisation]
        named = {"1_4"} if to == "national_hub" else {"1_4", "11_15"}
        assert {child["age_band"] for child in sections["children"]} == named
    inspected = content(caller("CI", "reader", "notices.read"), told["care_inspectorate", "CI"])
    assert inspected["circumstances"]["incident_months"] == [days_ago(40)[:7]]
    assert inspected["decision"]["outcome"] == "proceed"
    assert inspected["recommendation"]["expected_learning"] == "How each service could have seen the whole."
    assert inspected["proceedings"][0]["restrictions"] == ["no_witness_interviews"]


def test_an_outcome_notice_carries_the_learning_and_the_plan(committee, caller):
    case = make_case(committee, "ratification")
    ratify(committee, case)
    send_notices(committee, case["id"])
    sections = content(caller("CI", "reader", "notices.read"), notices(committee, case, "outcome")["care_inspectorate", "CI"])
    assert set(sections) == set(OUTCOME) - {"publication"}  # publication is not decided yet
    assert sections["findings"][0]["statement"] == new_finding()["statement"]
    assert {one["independence"] for one in sections["team"]} == {"external", "internal"}
    assert sections["report"]["ratified_on"] is not None
    assert [one["stage"] for one in sections["timescales"]][0] == "notification"


def advance_to_alternative(committee, case):
    return move(committee, case["id"], "review").expect(201).json


def test_the_content_of_a_sent_notice_never_changes(committee, caller):
    case = make_case(committee, "decision")
    decide(committee, case["id"], "alternative_review").expect(201)
    send_notices(committee, case["id"])
    case = advance_to_alternative(committee, case)
    committee.send("createNotices", {"kind": "alternative_outcome"}, id=case["id"]).expect(201)
    notice = notices(committee, case, "alternative_outcome")["care_inspectorate", "CI"]
    assert content(committee, notice)["findings"] == []
    record_finding(committee, case)
    waiting = content(committee, notice)  # not sent yet: the content of today
    assert len(waiting["findings"]) == 1
    send_notices(committee, case["id"])
    record_finding(committee, case)
    inspector = caller("CI", "reader", "notices.read")
    assert content(inspector, notice) == content(committee, notice) == waiting


def test_a_correction_names_what_changed_and_why(committee, caller):
    case = make_case(committee, "decision")
    decide(committee, case["id"], "alternative_review").expect(201)
    send_notices(committee, case["id"])
    advance_to_alternative(committee, case)
    ask = {"kind": "alternative_outcome"}
    committee.send("createNotices", ask, id=case["id"]).expect(201)
    send_notices(committee, case["id"])
    first = notices(committee, case, "alternative_outcome")["care_inspectorate", "CI"]
    assert committee.send("createNotices", ask, id=case["id"]).rules == {"already_told"}
    record_finding(committee, case)
    why = "A finding was left out."
    committee.send("createNotices", {**ask, "correction_reason": why}, id=case["id"]).expect(201)
    send_notices(committee, case["id"])
    second = notices(committee, case, "alternative_outcome")["care_inspectorate", "CI"]
    inspector = caller("CI", "reader", "notices.read")
    document = inspector.send("getNoticeContent", id=second).expect(200)
    assert (document["changed_sections"], document["correction_reason"]) == (["findings"], why)
    assert document["links"]["corrects"] == f"/v1/notices/{first}/content"
    former = inspector.send("getNoticeContent", id=first).expect(200)
    assert (former["changed_sections"], former["links"]["corrects"], former["sections"]["findings"]) == (None, None, [])


def test_nobody_else_reads_the_content(committee, other_committee, agency, caller):
    case = make_case(committee, "decision")
    decide(committee, case["id"]).expect(201)
    notice = notices(committee, case)["care_inspectorate", "CI"]
    inspector = caller("CI", "reader", "notices.read")
    assert inspector.send("getNoticeContent", id=notice).status == 404  # not sent yet
    send_notices(committee, case["id"])
    readers = [other_committee, caller("LA-S12000049", "reader", "notices.read"), caller("COG-GLA", "reader", "notices.read")]
    assert [one.send("getNoticeContent", id=notice).status for one in readers[:2]] == [404, 404]
    assert agency.send("getNoticeContent", id=notice).status == 403
    assert inspector.send("getNoticeContent", id=notice).status == 200
