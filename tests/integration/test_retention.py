"""Retention: closed cases past their date are listed, and reduced to facts that lead back to nobody."""
import concurrent.futures
import json

import pytest

from client import ALL_SCOPES, new_key
from documents import days_ago, days_ahead, dead_child, today
from steps import (advance, given_accepted, given_action, given_case, given_referral, given_verified, move, tag_of,
                   walk)
from test_changes import follow, types_of
from test_merge import merge
from waiting import wait_until


def age(cluster, case_id, years=11):
    """Lets a closed case have been closed years ago, by the hand of the database's owner."""
    cluster.execute("set session_replication_role = replica; "
                    "update register.case_stage set entered_on = entered_on - %s, left_on = left_on - %s "
                    "where case_id = %s; "
                    "update register.review_case set opened_on = opened_on - %s, "
                    "stage_entered_on = stage_entered_on - %s, closed_on = closed_on - %s where id = %s",
                    (years * 366, years * 366, case_id, years * 366, years * 366, years * 366, case_id))


def given_old(committee, cluster, case_id=None):
    case_id = case_id or given_case(committee)["id"]
    case = move(committee, case_id, "closed", "discontinued").needed(201).json
    age(cluster, case_id)
    return case


def erase(committee, case, key=None, reference=None):
    return committee.send("anonymiseCase", {"reference": reference or case["reference"]},
                          id=case["id"], key=key,
                          if_match=tag_of(committee, "getCase", id=case["id"]))


def test_cases_past_their_retention_date_are_listed(committee, cluster):
    old, recent = given_old(committee, cluster), given_case(committee)
    move(committee, recent["id"], "closed", "discontinued").needed(201)
    due = {one["id"] for one in walk(committee, "listCases", "retention_due=true&limit=200")}
    assert old["id"] in due and recent["id"] not in due
    rest = {one["id"] for one in walk(committee, "listCases", "retention_due=false&limit=200")}
    assert old["id"] not in rest and recent["id"] in rest


def test_an_erased_case_leaves_facts_and_nothing_else(agency, committee, cluster):
    referral = given_accepted(agency, committee)
    case = committee.send("getCase", id=referral["case_id"]).json
    given_old(committee, cluster, case["id"])
    reply = erase(committee, case)
    assert reply.status == 201
    assert reply["facts"]["closure"] == "discontinued"
    assert reply["facts"]["children"][0]["age_band"] == referral["children"][0]["age_band"]
    assert reply["facts"]["referrals"][0]["source_kind"] == "local_authority"
    assert committee.send("getCase", id=case["id"]).status == 404
    assert agency.send("getReferral", id=referral["id"]).status == 404
    assert committee.send("getAnonymousReview", id=reply["id"]).json == reply.json
    tables = cluster.execute("""select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and a.attname = 'case_id'
            and c.relname <> 'feed_event'""")  # consumers of the feed have to learn what is gone
    assert len(tables) > 15
    for (table,) in tables:
        assert cluster.execute(f"select count(*) from register.{table} where case_id = %s",
                               (case["id"],)) == [(0,)], table
    facts = json.dumps(reply.json)
    assert not [one for one in (case["id"], case["reference"], referral["reference"],
                                referral["children"][0]["child_ref"]) if one in facts]


def test_a_whole_review_leaves_facts_about_everything(agency, committee, cluster):
    case = given_case(committee, "implementation", children=[dead_child(age_years=7)],
                      criteria=["suicide"])
    given_verified(committee, agency, case=case)
    case = advance(committee, case, "closed")
    age(cluster, case["id"])
    facts = erase(committee, case).needed(201)["facts"]
    assert (facts["decision_outcome"], facts["closure"]) == ("proceed", "completed")
    assert facts["actions"][0]["status"] == "verified" and facts["actions"][0]["on_time"] is True
    assert facts["learning_themes"] == ["information_sharing"]
    assert facts["family_took_part"] is True and facts["publication_form"] == "not_published"
    assert facts["outcome_notice_days"] == 0
    assert facts["days_to_complete"] == facts["days_to_complete_net"] == 0


def test_erasing_is_done_once_for_a_key(committee, cluster):
    case, key = given_old(committee, cluster), new_key()
    tag = tag_of(committee, "getCase", id=case["id"])
    replies = [committee.send("anonymiseCase", {"reference": case["reference"]}, id=case["id"],
                              key=key, if_match=tag) for _ in range(2)]
    assert replies[0].json == replies[1].json
    assert replies[1].headers["Idempotency-Replayed"] == "true"


def test_a_case_goes_with_what_was_merged_into_it(committee, cluster):
    first, second = given_case(committee), given_case(committee)
    merge(committee, first["id"], second["id"]).needed(201)
    case = given_old(committee, cluster, second["id"])
    erase(committee, case).needed(201)
    assert committee.send("getCase", id=first["id"]).status == 404


def test_a_merged_case_goes_with_the_other_one_only(committee, cluster):
    first, second = given_case(committee), given_case(committee)
    case = merge(committee, first["id"], second["id"]).needed(201).json
    age(cluster, first["id"])
    reply = erase(committee, case)
    assert (reply.status, reply.rules) == (409, {"case_merged"})


def test_a_legal_hold_that_comes_in_between_is_kept(committee, cluster):
    """On a case that was merged into the one that is erased: it is not locked by the erasure's caller before."""
    def erased():
        """The answer to an erasure that met the hold; None when it waited too long for it and gave up."""
        first, second = given_case(committee), given_case(committee)
        merge(committee, first["id"], second["id"]).needed(201)
        case = given_old(committee, cluster, second["id"])
        with cluster.open() as link, concurrent.futures.ThreadPoolExecutor(1) as pool:
            link.cursor().execute("update register.review_case set legal_hold = true, "
                                  "legal_hold_reason = 'public_inquiry' where id = %s", [first["id"]])
            asked = pool.submit(erase, committee, case)
            met = cluster.wait_for_waiter(link, unless=[asked])
            link.commit()
            reply = asked.result()
        assert [committee.send("getCase", id=one["id"]).status for one in (first, second)] == [200, 200]
        return reply if met and reply.code != "overloaded" else None
    assert wait_until(erased, "an erasure meets the hold").status in (404, 409)


def test_a_case_is_kept_until_its_date(committee):
    case = given_case(committee)
    reply = erase(committee, case)
    assert (reply.status, reply.rules) == (409, {"case_open"})
    move(committee, case["id"], "closed", "discontinued").needed(201)
    reply = erase(committee, case)
    assert (reply.status, reply.rules) == (409, {"before_retention_date"})


def test_a_legal_hold_wins_over_every_date(committee, cluster):
    case = given_old(committee, cluster)
    committee.send("setLegalHold", {"in_force": True, "reason": "public_inquiry"}, id=case["id"],
                   if_match=tag_of(committee, "getCase", id=case["id"])).needed(200)
    reply = erase(committee, case)
    assert (reply.status, reply.rules) == (409, {"legal_hold"})
    assert committee.send("getCase", id=case["id"]).status == 200


def test_the_reference_has_to_be_named_once_more(committee, cluster):
    case = given_old(committee, cluster)
    reply = erase(committee, case, reference="LR-2001-GLA-0001")
    assert (reply.status, reply.rules, reply.pointers) == (422, {"reference_differs"},
                                                           {"/reference"})


def test_erasing_needs_its_own_scope(committee, cluster, caller, database_only):
    case = given_old(committee, cluster)
    scopes = ALL_SCOPES.replace("retention.write ", "")
    tag = tag_of(committee, "getCase", id=case["id"])
    for at in ({}, {"at": database_only}):
        clerk = caller("CPC-GLA", "clerk", scopes, **at)
        reply = clerk.send("anonymiseCase", {"reference": case["reference"]}, id=case["id"],
                           if_match=tag)
        assert reply.status in (403, 404)
    assert committee.send("getCase", id=case["id"]).status == 200


def test_another_committee_sees_nothing_of_the_facts(committee, other_committee, cluster):
    made = erase(committee, given_old(committee, cluster)).needed(201)
    assert other_committee.send("getAnonymousReview", id=made["id"]).status == 404
    assert made["id"] not in other_committee.send("listAnonymousReviews", query="limit=200").ids
    assert made["id"] in [one["id"] for one in walk(committee, "listAnonymousReviews", "limit=1")]


# --- referrals that never became a case

def age_referral(cluster, referral, years=11):
    cluster.execute("update register.referral set (received_on, notified_on, aware_on, incident_on, decided_on) "
                    "= (received_on - %(days)s, notified_on - %(days)s, aware_on - %(days)s, incident_on - %(days)s, "
                    "decided_on - %(days)s) where id = %(id)s", {"days": years * 366, "id": referral["id"]})


def given_rejected(agency, committee, cluster, years=11):
    referral = given_referral(agency)
    committee.send("rejectReferral", {"reason": "duplicate", "rejected_on": today()}, id=referral["id"]).needed(201)
    age_referral(cluster, referral, years)
    return committee.send("getReferral", id=referral["id"]).needed(200).json


def erase_referral(client, referral, tag=None, **more):
    return client.send("anonymiseReferral", {"reference": referral["reference"]}, id=referral["id"],
                       if_match=tag or f'"{referral["version"]}-0"', **more)


def referrals_counted(cluster):
    """What statistics count of referrals, with all that waited to be counted."""
    cluster.execute("select register.statistic_fold(100000)")
    return cluster.execute("select measure, scope, month, key, n from register.statistic_cell "
                           "where starts_with(measure, 'referrals') order by 1, 2, 3, 4")


def test_referrals_past_their_retention_date_are_listed(agency, committee, cluster):
    old, recent = (given_rejected(agency, committee, cluster, years) for years in (11, 9))
    assert old["retain_until"] < today() < recent["retain_until"]
    for client in (agency, committee):
        due, rest = ({one["id"] for one in walk(client, "listReferrals", f"retention_due={due}&limit=200")}
                     for due in ("true", "false"))
        assert old["id"] in due - rest and recent["id"] in rest - due


def test_an_erased_referral_goes_on_counting_and_nothing_else(agency, committee, cluster):
    referral, key = given_rejected(agency, committee, cluster), new_key()
    follower = follow(agency)
    follower.read()  # the owner's own change of its days
    before = referrals_counted(cluster)
    reply = erase_referral(committee, referral, key=key)
    assert reply.status == 200
    assert reply.json == {
        "committee": "GLA", "transferred_from": None, "source_kind": "local_authority",
        "received_month": referral["received_on"][:7], "status": "rejected", "reason": "duplicate",
        "anonymised_on": today()}
    assert erase_referral(committee, referral, key=key).json == reply.json
    for client in (agency, committee):
        assert client.send("getReferral", id=referral["id"]).status == 404
    assert erase_referral(committee, referral).status == 404
    assert types_of(follower.read(), referral["id"]) == ["referral.removed"]
    assert referrals_counted(cluster) == before


def test_a_referral_is_kept_until_its_date(agency, committee, cluster):
    recent = given_rejected(agency, committee, cluster, 9)
    assert (erase_referral(committee, recent).status, erase_referral(committee, recent).rules) == (
        409, {"before_retention_date"})
    waiting, accepted = given_referral(agency), given_accepted(agency, committee)
    for referral in (waiting, accepted):
        age_referral(cluster, referral)
        reply = erase_referral(committee, committee.send("getReferral", id=referral["id"]).json)
        assert (reply.status, reply.rules) == (409, {"referral_not_ended"})


def test_a_withdrawn_referral_is_erased_too(agency, committee, cluster):
    referral = given_referral(agency)
    agency.send("withdrawReferral", {"reason": "made_in_error"}, id=referral["id"],
                if_match=tag_of(agency, "getReferral", id=referral["id"])).needed(201)
    age_referral(cluster, referral)
    assert erase_referral(committee, committee.send("getReferral", id=referral["id"]).json)["status"] == "withdrawn"


def test_the_referral_is_named_once_more_and_as_it_was_read(agency, committee, cluster):
    referral = given_rejected(agency, committee, cluster)
    reply = erase_referral(committee, {**referral, "reference": "RF-2001-GLA-0001"})
    assert (reply.status, reply.rules, reply.pointers) == (422, {"reference_differs"}, {"/reference"})
    assert erase_referral(committee, referral, tag='"1-0"').status == 412
    assert committee.send("getReferral", id=referral["id"]).status == 200


def test_only_the_committee_erases_a_referral(agency, committee, other_committee, cluster, caller, database_only):
    referral = given_rejected(agency, committee, cluster)
    for at in ({}, {"at": database_only}):
        clerk = caller("CPC-GLA", "clerk", ALL_SCOPES.replace("retention.write ", ""), **at)
        sender = caller("LA-S12000049", "sender", ALL_SCOPES, **at)
        assert erase_referral(clerk, referral).status in (403, 404)
        assert erase_referral(sender, referral).status == 404
    assert erase_referral(other_committee, referral).status == 404
    assert committee.send("getReferral", id=referral["id"]).status == 200


# --- the rules

@pytest.fixture
def moray(caller):
    return caller("CPC-MOR")


def test_a_committee_sets_how_long_it_keeps_its_cases(moray, committee, cluster):
    case = given_case(moray, local_authority="S12000020")
    closed = move(moray, case["id"], "closed", "discontinued").needed(201)
    rule = {"months": 24, "valid_from": today()}
    reply = moray.send("addRetentionRule", rule)
    assert (reply.status, reply["committee"], reply["months"]) == (201, "MOR", 24)
    later = moray.send("getCase", id=case["id"])["retain_until"]
    expected = cluster.execute("select (%s::date + interval '24 months')::date",
                               (closed["closed_on"],))[0][0].isoformat()
    assert later == expected
    assert {**rule, "committee": "MOR"} in moray.send("listRetentionRules")["items"]
    assert {**rule, "committee": "MOR"} not in committee.send("listRetentionRules")["items"]
    again = moray.send("addRetentionRule", rule)
    assert (again.status, again.rules) == (409, {"rule_there_already"})


def test_a_rule_does_not_begin_in_the_past(committee):
    reply = committee.send("addRetentionRule", {"months": 24, "valid_from": days_ago(1)})
    assert (reply.status, reply.rules, reply.pointers) == (422, {"not_in_the_past"},
                                                           {"/valid_from"})


def test_a_rule_of_the_future_changes_nothing_yet(caller):
    fife = caller("CPC-FIF")
    case = given_case(fife, local_authority="S12000047")
    closed = move(fife, case["id"], "closed", "discontinued").needed(201)
    fife.send("addRetentionRule", {"months": 12, "valid_from": days_ahead(400)}).needed(201)
    assert fife.send("getCase", id=case["id"])["retain_until"] == closed["retain_until"]


def test_open_actions_do_not_outlive_their_case(committee, cluster):
    case = given_case(committee, "set_up")
    action = given_action(committee, case)
    cluster.execute("update register.review_case set stage = 'closed', closed_on = opened_on, "
                    "closure = 'discontinued', opened_on = opened_on - 5000, "
                    "stage_entered_on = opened_on where id = %s", (case["id"],))
    age(cluster, case["id"])
    erase(committee, case).needed(201)
    assert committee.send("getAction", id=action["id"]).status == 404
