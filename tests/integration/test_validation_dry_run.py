"""The dry run reports why a push would be refused, and stores nothing."""
import pytest

from payloads import (days_ahead, dead_child, full_referral, new_child, new_number, new_referral,
                      today)


def check(agency, **overrides):
    return agency.send("validateReferral", new_referral(**overrides))


def rules(reply):
    return {(one["pointer"], one["rule"]) for one in reply["errors"]}


@pytest.mark.parametrize("document", [new_referral(), full_referral()], ids=["short", "full"])
def test_a_document_without_faults_is_valid(agency, document):
    reply = agency.send("validateReferral", document)
    assert reply.status == 200
    assert reply.json == {"valid": True, "errors": []}


def test_nothing_is_stored(agency):
    system = new_number("dry")
    check(agency, source_system=system)
    assert agency.send("listReferrals", query=f"source_system={system}")["items"] == []


def test_contract_violations_are_returned_in_the_answer(agency):
    reply = agency.send("validateReferral", {"committee": "glasgow", "surprise": 1})
    assert (reply.status, reply["valid"]) == (200, False)
    assert {"/committee", "/surprise"} <= {one["pointer"] for one in reply["errors"]}


@pytest.mark.parametrize("overrides, fault", [
    ({"committee": "ZZZ"}, ("/committee", "unknown_code")),
    ({"local_authority": "S12999999"}, ("/local_authority", "unknown_code")),
    ({"local_authority": "S12000036"}, ("/local_authority", "outside_committee_area")),
    ({"notified_on": days_ahead(2)}, ("/notified_on", "date_in_future")),
    ({"aware_on": today()}, ("/aware_on", "date_order")),
    ({"incident_on": today()}, ("/incident_on", "date_order")),
    ({"immediate_concerns": "passed_on"}, ("/passed_to_organisation", "required_when_passed_on")),
    ({"passed_to_organisation": "POL-X"}, ("/passed_to_organisation", "unknown_code")),
    ({"other_committees": ["GLA"]}, ("/other_committees", "unknown_code")),
    ({"other_committees": ["ZZZ"]}, ("/other_committees", "unknown_code")),
    ({"criteria_claimed": ["suicide"]}, ("/criteria_claimed", "criterion_not_supported_by_facts")),
    ({"criteria_claimed": ["carm_harm_to_other"]},
     ("/criteria_claimed", "criterion_not_supported_by_facts")),
    ({"children": [new_child(cause_of_death_group="accident")]},
     ("/children/0/cause_of_death_group", "only_for_a_death")),
    ({"children": [new_child(), new_child(age_years=17)]},
     ("/children/1/age_years", "age_outside_band")),
    ({"children": [new_child(child_id="same"), new_child(child_id="same")]},
     ("/children/1/child_id", "repeated_child")),
    ({"basis": "Telephone 0141 287 0555."}, ("/basis", "personal_identifier")),
])
def test_each_rule_violation_has_its_pointer(agency, overrides, fault):
    reply = check(agency, **overrides)
    assert (reply.status, reply["valid"]) == (200, False)
    assert rules(reply) == {fault}


def test_all_rule_violations_are_reported_at_once(agency):
    reply = check(agency, committee="ZZZ", notified_on=days_ahead(2), aware_on=days_ahead(3))
    assert {one["pointer"] for one in reply["errors"]} >= {"/committee", "/notified_on",
                                                          "/aware_on"}


def test_a_code_that_was_replaced_names_the_new_one(agency):
    reply = check(agency, local_authority="S12000046")
    assert "S12000049" in reply["errors"][0]["message"]


@pytest.mark.parametrize("overrides", [
    {"criteria_claimed": ["suicide"], "children": [dead_child()]},
    {"criteria_claimed": ["carm_harm_to_other"], "children": [new_child(carm=True)]},
    {"criteria_claimed": ["suicide"], "children": [new_child(), dead_child()]},
    {"criteria_claimed": ["effective_practice"], "children": [new_child(outcome="none")]},
    {"children": [new_child(age_band="under_1", age_years=0)]},
    {"children": [new_child(age_band="18_25", age_years=25)]},
    {"children": [new_child(age_band="unborn")]},
], ids=["death", "carm", "one of two", "practice", "baby", "grown", "unborn"])
def test_facts_that_support_the_claimed_criteria_are_valid(agency, overrides):
    assert check(agency, **overrides)["errors"] == []


def test_the_push_is_refused_as_the_dry_run_reports(agency):
    document = new_referral(committee="ZZZ", notified_on=days_ahead(2),
                            children=[new_child(age_years=17)])
    dry, push = agency.send("validateReferral", document), agency.send("pushReferral", document)
    assert push.status == 422
    assert push["errors"] == dry["errors"]


@pytest.mark.parametrize("body", ["[]", "7", "null", '"text"'])
def test_a_body_that_is_not_an_object_is_refused(agency, body):
    reply = agency.send("validateReferral", data=body.encode())
    assert (reply.status, reply.code) == (400, "schema_violation")
