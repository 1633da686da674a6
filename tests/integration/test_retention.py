"""Retention: closed cases past their date are listed, and reduced to anonymous facts."""
import concurrent.futures
import json

import psycopg2
import pytest

from client import ALL_SCOPES, new_key
from payloads import days_ahead, dead_child, new_access, new_case, new_number, today
from scenarios import (advance, make_accepted_referral, make_action, make_case, make_referral, make_verified_action,
                       move, tag_of, walk)
from test_changes import follow, types_of
from test_merge import merge
from waiting import wait_until


def age(cluster, case_id, years=11):
    """Moves the closure of a case years back, as the database's owner."""
    cluster.execute("set session_replication_role = replica; "
                    "update register.case_stage set entered_on = entered_on - %s, left_on = left_on - %s "
                    "where case_id = %s; "
                    "update register.review_case set opened_on = opened_on - %s, "
                    "stage_entered_on = stage_entered_on - %s, closed_on = closed_on - %s where id = %s",
                    (years * 366, years * 366, case_id, years * 366, years * 366, years * 366, case_id))


def make_old_case(committee, cluster, case_id=None):
    case_id = case_id or make_case(committee)["id"]
    case = move(committee, case_id, "closed", "discontinued").expect(201).json
    age(cluster, case_id)
    return case


def second_of(client, committee="GLA"):
    """Another client of the committee: one announces an erasure, the other carries it out."""
    return client.of(f"CPC-{committee}", "second")


def announce(client, case, key=None, reference=None):
    return client.send("announceCaseErasure", {"reference": reference or case["reference"]}, id=case["id"], key=key,
                       if_match=tag_of(client, "getCase", id=case["id"]))


def pass_notice(cluster, erasure, days=None):
    """Moves the announcement of an erasure back by a notice period, as the database's owner."""
    cluster.execute("update register.erasure set announced_on = announced_on - n, not_before = not_before - n "
                    "from (select coalesce(%s, days) as n from register.retention_notice) notice where id = %s",
                    (days, erasure["id"]))


def carry_out(client, case, key=None, reference=None):
    return client.send("anonymiseCase", {"reference": reference or case["reference"]}, id=case["id"], key=key,
                       if_match=tag_of(client, "getCase", id=case["id"]))


def make_rule(committee):
    """Creates a pending rule that begins on a day without another rule."""
    taken = {one["valid_from"] for one in committee.send("listRetentionRules").expect(200)["items"]}
    day = next(day for day in map(days_ahead, range(1000, 3000)) if day not in taken)
    return committee.send("addRetentionRule", {"months": 12, "valid_from": day}).expect(201).json


def erase(committee, cluster, case, key=None):
    """One client announces, the notice period passes, another client carries it out."""
    pass_notice(cluster, announce(committee, case).expect(201))
    return carry_out(second_of(committee, case["committee"]), case, key)


def test_cases_past_their_retention_date_are_listed(committee, cluster):
    old, recent = make_old_case(committee, cluster), make_case(committee)
    move(committee, recent["id"], "closed", "discontinued").expect(201)
    due = {one["id"] for one in walk(committee, "listCases", "retention_due=true&limit=200")}
    assert old["id"] in due and recent["id"] not in due
    rest = {one["id"] for one in walk(committee, "listCases", "retention_due=false&limit=200")}
    assert old["id"] not in rest and recent["id"] in rest


def test_an_erased_case_leaves_only_anonymous_facts(agency, committee, cluster):
    referral = make_accepted_referral(agency, committee)
    case = committee.send("getCase", id=referral["case_id"]).json
    make_old_case(committee, cluster, case["id"])
    reply = erase(committee, cluster, case)
    assert reply.status == 201
    assert reply["facts"]["closure"] == "discontinued"
    assert reply["facts"]["children"][0]["age_band"] == referral["children"][0]["age_band"]
    assert reply["facts"]["referrals"][0]["source_kind"] == "local_authority"
    assert committee.send("getCase", id=case["id"]).status == 404
    assert agency.send("getReferral", id=referral["id"]).status == 404
    assert committee.send("getAnonymousReview", id=reply["id"]).json == reply.json
    tables = cluster.execute("""select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and a.attname = 'case_id'
            and c.relname <> 'feed_event'""")  # consumers of the feed must learn what was erased
    assert len(tables) > 15
    for (table,) in tables:
        assert cluster.execute(f"select count(*) from register.{table} where case_id = %s",
                               (case["id"],)) == [(0,)], table
    facts = json.dumps(reply.json)
    assert not [one for one in (case["id"], case["reference"], referral["reference"],
                                referral["children"][0]["child_ref"]) if one in facts]


def test_a_whole_review_leaves_facts_about_every_part(agency, committee, cluster):
    case = make_case(committee, "implementation", children=[dead_child(age_years=7)],
                     criteria=["suicide"])
    make_verified_action(committee, agency, case=case)
    case = advance(committee, case, "closed")
    age(cluster, case["id"])
    facts = erase(committee, cluster, case).expect(201)["facts"]
    assert (facts["decision_outcome"], facts["closure"]) == ("proceed", "completed")
    assert facts["actions"][0]["status"] == "verified" and facts["actions"][0]["on_time"] is True
    assert facts["learning_themes"] == ["information_sharing"]
    assert facts["family_took_part"] is True and facts["publication_form"] == "not_published"
    assert facts["outcome_notice_days"] == 0
    assert facts["days_to_complete"] == facts["days_to_complete_net"] == 0


def test_erasing_again_with_the_same_key_replays(committee, cluster):
    case, key = make_old_case(committee, cluster), new_key()
    pass_notice(cluster, announce(committee, case).expect(201))
    second = second_of(committee)
    tag = tag_of(second, "getCase", id=case["id"])
    replies = [second.send("anonymiseCase", {"reference": case["reference"]}, id=case["id"],
                           key=key, if_match=tag) for _ in range(2)]
    assert replies[0].json == replies[1].json
    assert replies[1].headers["Idempotency-Replayed"] == "true"


def test_erasing_a_case_erases_the_cases_merged_into_it(committee, cluster):
    first, second = make_case(committee), make_case(committee)
    merge(committee, first["id"], second["id"]).expect(201)
    case = make_old_case(committee, cluster, second["id"])
    assert announce(committee, case).rules == {"before_retention_date"}  # because of the case that was merged into it
    age(cluster, first["id"])
    erase(committee, cluster, case).expect(201)
    assert committee.send("getCase", id=first["id"]).status == 404


def test_a_merged_case_is_erased_only_with_its_target(committee, cluster):
    first, second = make_case(committee), make_case(committee)
    case = merge(committee, first["id"], second["id"]).expect(201).json
    age(cluster, first["id"])
    reply = announce(committee, case)
    assert (reply.status, reply.rules) == (409, {"case_merged"})


def test_a_concurrent_legal_hold_is_respected(committee, cluster):
    """The hold is on a case merged into the erased one, which the erasure does not lock before."""
    def erased():
        """Returns the answer to an erasure that met the hold; None when it waited too long for it."""
        first, second = make_case(committee), make_case(committee)
        merge(committee, first["id"], second["id"]).expect(201)
        case = make_old_case(committee, cluster, second["id"])
        age(cluster, first["id"])
        pass_notice(cluster, announce(committee, case).expect(201))
        with cluster.open() as link, concurrent.futures.ThreadPoolExecutor(1) as pool:
            link.cursor().execute("update register.review_case set legal_hold = true, "
                                  "legal_hold_reason = 'public_inquiry' where id = %s", [first["id"]])
            asked = pool.submit(carry_out, second_of(committee), case)
            met = cluster.wait_for_waiter(link, unless=[asked])
            link.commit()
            reply = asked.result()
        assert [committee.send("getCase", id=one["id"]).status for one in (first, second)] == [200, 200]
        return reply if met and reply.code != "overloaded" else None
    assert wait_until(erased, "an erasure meets the hold").status in (404, 409)


def test_a_case_is_kept_until_its_date(committee):
    case = make_case(committee)
    for act in (announce, carry_out):
        assert (act(committee, case).status, act(committee, case).rules) == (409, {"case_open"})
    move(committee, case["id"], "closed", "discontinued").expect(201)
    for act in (announce, carry_out):
        assert (act(committee, case).status, act(committee, case).rules) == (409, {"before_retention_date"})


def test_a_legal_hold_overrides_every_date(committee, cluster):
    case = make_old_case(committee, cluster)
    hold(committee, case)
    for act in (announce, carry_out):
        assert (act(committee, case).status, act(committee, case).rules) == (409, {"legal_hold"})
    assert committee.send("getCase", id=case["id"]).status == 200


def test_erasing_needs_the_reference_as_confirmation(committee, cluster):
    case = make_old_case(committee, cluster)
    for act in (announce, carry_out):
        reply = act(committee, case, reference="LR-2001-GLA-0001")
        assert (reply.status, reply.rules, reply.pointers) == (422, {"reference_differs"}, {"/reference"})


def test_erasing_needs_its_own_scope(committee, cluster, caller, database_only):
    """Announcing needs it too; and without the scope to read cases, fewer would be counted than exist."""
    case = make_old_case(committee, cluster)
    tag = tag_of(committee, "getCase", id=case["id"])

    def asked(operation, scopes, at):
        clerk = caller("CPC-GLA", "clerk", scopes, **at)
        return clerk.send(operation, {"reference": case["reference"]}, id=case["id"], if_match=tag).status
    for at in ({}, {"at": database_only}):
        assert asked("announceCaseErasure", ALL_SCOPES.replace("retention.write ", ""), at) in (403, 404)
    pass_notice(cluster, announce(committee, case).expect(201))
    for at in ({}, {"at": database_only}):
        for scopes in (ALL_SCOPES.replace("retention.write ", ""), "retention.write"):
            assert asked("anonymiseCase", scopes, at) in (403, 404)
    assert committee.send("getCase", id=case["id"]).status == 200
    assert asked("anonymiseCase", "retention.write cases.read", {}) == 201


def test_another_committee_does_not_see_the_facts(committee, other_committee, cluster):
    made = erase(committee, cluster, make_old_case(committee, cluster)).expect(201)
    assert other_committee.send("getAnonymousReview", id=made["id"]).status == 404
    assert made["id"] not in other_committee.send("listAnonymousReviews", query="limit=200").ids
    assert made["id"] in [one["id"] for one in walk(committee, "listAnonymousReviews", "limit=1")]


# --- referrals that never became a case

def age_referral(cluster, referral, years=11):
    cluster.execute("update register.referral set (received_on, notified_on, aware_on, incident_on, decided_on) "
                    "= (received_on - %(days)s, notified_on - %(days)s, aware_on - %(days)s, incident_on - %(days)s, "
                    "decided_on - %(days)s) where id = %(id)s", {"days": years * 366, "id": referral["id"]})


def make_rejected_referral(agency, committee, cluster, years=11):
    referral = make_referral(agency)
    committee.send("rejectReferral", {"reason": "duplicate", "rejected_on": today()}, id=referral["id"]).expect(201)
    age_referral(cluster, referral, years)
    return committee.send("getReferral", id=referral["id"]).expect(200).json


def erase_referral(client, referral, tag=None, operation="anonymiseReferral", **more):
    return client.send(operation, {"reference": referral["reference"]}, id=referral["id"],
                       if_match=tag or f'"{referral["version"]}-0"', **more)


def announce_referral(client, referral, tag=None):
    return erase_referral(client, referral, tag, "announceReferralErasure")


def announce_erasure_and_wait(committee, cluster, referral):
    pass_notice(cluster, announce_referral(committee, referral).expect(201))
    return second_of(committee)


def referrals_counted(cluster):
    """Returns what statistics count of referrals, after everything pending was counted."""
    cluster.execute("select statistic_fold(100000)")
    return cluster.execute("select measure, scope, month, key, n from register.statistic_cell "
                           "where starts_with(measure, 'referrals') order by 1, 2, 3, 4")


def test_referrals_past_their_retention_date_are_listed(agency, committee, cluster):
    old, recent = (make_rejected_referral(agency, committee, cluster, years) for years in (11, 9))
    assert old["retain_until"] < today() < recent["retain_until"]
    for client in (agency, committee):
        due, rest = ({one["id"] for one in walk(client, "listReferrals", f"retention_due={due}&limit=200")}
                     for due in ("true", "false"))
        assert old["id"] in due - rest and recent["id"] in rest - due


def test_an_erased_referral_is_counted_and_nothing_else_remains(agency, committee, cluster):
    referral, key = make_rejected_referral(agency, committee, cluster), new_key()
    follower = follow(agency)
    follower.read()  # the event of the owner's own change of its days
    before = referrals_counted(cluster)
    second = announce_erasure_and_wait(committee, cluster, referral)
    reply = erase_referral(second, referral, key=key)
    assert reply.status == 200
    assert reply.json == {
        "committee": "GLA", "transferred_from": None, "source_kind": "local_authority",
        "received_month": referral["received_on"][:7], "status": "rejected", "reason": "duplicate",
        "anonymised_on": today()}
    assert erase_referral(second, referral, key=key).json == reply.json
    for client in (agency, committee):
        assert client.send("getReferral", id=referral["id"]).status == 404
    assert erase_referral(committee, referral).status == 404
    assert types_of(follower.read(), referral["id"]) == ["referral.removed"]
    assert referrals_counted(cluster) == before


def test_a_referral_is_kept_until_its_date(agency, committee, cluster):
    recent = make_rejected_referral(agency, committee, cluster, 9)
    for act in (announce_referral, erase_referral):
        assert (act(committee, recent).status, act(committee, recent).rules) == (409, {"before_retention_date"})
    waiting, accepted = make_referral(agency), make_accepted_referral(agency, committee)
    for referral in (waiting, accepted):
        age_referral(cluster, referral)
        for act in (announce_referral, erase_referral):
            reply = act(committee, committee.send("getReferral", id=referral["id"]).json)
            assert (reply.status, reply.rules) == (409, {"referral_not_ended"})


def test_a_withdrawn_referral_is_erased_too(agency, committee, cluster):
    referral = make_referral(agency)
    agency.send("withdrawReferral", {"reason": "made_in_error"}, id=referral["id"],
                if_match=tag_of(agency, "getReferral", id=referral["id"])).expect(201)
    age_referral(cluster, referral)
    referral = committee.send("getReferral", id=referral["id"]).json
    assert erase_referral(announce_erasure_and_wait(committee, cluster, referral), referral)["status"] == "withdrawn"


def test_erasing_a_referral_needs_its_reference_and_version(agency, committee, cluster):
    referral = make_rejected_referral(agency, committee, cluster)
    for act in (announce_referral, erase_referral):
        reply = act(committee, {**referral, "reference": "RF-2001-GLA-0001"})
        assert (reply.status, reply.rules, reply.pointers) == (422, {"reference_differs"}, {"/reference"})
        assert act(committee, referral, tag='"1-0"').status == 412
    assert committee.send("getReferral", id=referral["id"]).status == 200


def test_only_the_committee_erases_a_referral(agency, committee, other_committee, cluster, caller, database_only):
    referral = make_rejected_referral(agency, committee, cluster)
    for at in ({}, {"at": database_only}):
        clerk = caller("CPC-GLA", "clerk", ALL_SCOPES.replace("retention.write ", ""), **at)
        sender = caller("LA-S12000049", "sender", ALL_SCOPES, **at)
        for act in (announce_referral, erase_referral):
            assert act(clerk, referral).status in (403, 404)
            assert act(sender, referral).status == 404
            assert act(other_committee, referral).status == 404
    assert committee.send("getReferral", id=referral["id"]).status == 200


# --- retention rules

@pytest.fixture
def moray(caller):
    return caller("CPC-MOR")


def notice_ends(cluster):
    return cluster.execute("select notice_ends()::text")[0][0]


def begin(cluster, rule):
    """Makes a rule begin today, as the database's owner."""
    cluster.execute("update retention_rule set (announced_on, valid_from) = "
                    "(announced_on - 30, today()) where id = %s", (rule["id"],))


def test_a_committee_sets_the_retention_of_its_cases(moray, committee, cluster):
    case = make_case(moray, local_authority="S12000020")
    closed = move(moray, case["id"], "closed", "discontinued").expect(201)
    rule = {"months": 24, "valid_from": notice_ends(cluster)}
    reply = moray.send("addRetentionRule", rule)
    assert (reply.status, reply["committee"], reply["months"], reply["status"], reply["announced_on"]) == (
        201, "MOR", 24, "pending", today())
    assert reply.headers["Location"] == f"/v1/retention-rules/{reply['id']}"
    assert moray.send("getRetentionRule", id=reply["id"]).json == reply.json
    assert reply.json in moray.send("listRetentionRules")["items"]
    assert reply["id"] not in repr(committee.send("listRetentionRules").json)
    again = moray.send("addRetentionRule", rule)
    assert (again.status, again.rules) == (409, {"rule_there_already"})
    assert moray.send("getCase", id=case["id"])["retain_until"] == closed["retain_until"]
    begin(cluster, reply)
    later = moray.send("getCase", id=case["id"])["retain_until"]
    expected = cluster.execute("select (%s::date + interval '24 months')::date",
                               (closed["closed_on"],))[0][0].isoformat()
    assert later == expected
    assert moray.send("getRetentionRule", id=reply["id"])["status"] == "begun"


@pytest.mark.parametrize("days", [-1, 0, 29])
def test_a_rule_does_not_begin_before_the_notice_period_is_over(committee, cluster, days):
    """Otherwise one token could shorten the rule to today and erase at once."""
    case = make_case(committee)
    closed = move(committee, case["id"], "closed", "discontinued").expect(201)
    for months in (12, 1200):
        reply = committee.send("addRetentionRule", {"months": months, "valid_from": days_ahead(days)})
        assert (reply.status, reply.rules, reply.pointers) == (422, {"before_notice_period"}, {"/valid_from"})
        assert notice_ends(cluster) in reply["errors"][0]["message"]
    assert committee.send("getCase", id=case["id"])["retain_until"] == closed["retain_until"]


def test_the_database_alone_allows_no_rule_to_begin_early(cluster, instances):
    """It also prevents changes and withdrawal of a rule that has begun, whatever the service's functions do."""
    as_committee = """begin; set local role register_service;
        select set_config('register.committee', 'GLA', true), set_config('register.area', 'GLA', true),
            set_config('register.scopes', ' retention.write ', true); """
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="row-level security"):
        cluster.execute(as_committee + "insert into retention_rule (committee, months, valid_from, announced_on) "
                                       "values ('GLA', 12, today() + 29, today())")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="permission denied"):
        cluster.execute(as_committee + "update retention_rule set valid_from = today()")
    assert cluster.execute(as_committee + "update retention_rule set withdrawn_on = today() "
                                          "where valid_from <= today() returning 1") == []


def test_only_a_pending_rule_can_be_withdrawn(caller, cluster):
    fife, highland = caller("CPC-FIF"), caller("CPC-HLD")
    rule = fife.send("addRetentionRule", {"months": 12, "valid_from": days_ahead(400)}).expect(201)
    assert highland.send("withdrawRetentionRule", id=rule["id"], if_match=rule.etag).status == 404
    reply, key = fife.send("withdrawRetentionRule", id=rule["id"], if_match=rule.etag), new_key()
    assert (reply.status, reply["status"], reply["withdrawn_on"]) == (200, "withdrawn", today())
    again = fife.send("withdrawRetentionRule", id=rule["id"], if_match=reply.etag)
    assert (again.status, again.rules) == (409, {"rule_not_pending"})
    # The day is free again; a withdrawn rule never counts.
    other = fife.send("addRetentionRule", {"months": 600, "valid_from": days_ahead(400)}).expect(201)
    begin(cluster, other)
    begun = fife.send("withdrawRetentionRule", id=other["id"], key=key,
                      if_match=tag_of(fife, "getRetentionRule", id=other["id"]))
    assert (begun.status, begun.rules) == (409, {"rule_not_pending"})
    default = next(one for one in fife.send("listRetentionRules")["items"] if one["committee"] is None)
    assert fife.send("withdrawRetentionRule", id=default["id"], if_match='"1-0"').status == 404


def test_rules_are_in_the_feed_and_in_the_audit_trail(caller, cluster):
    angus, others = caller("CPC-ANG"), caller("CPC-DND")
    reader, stranger = follow(angus), follow(others)
    rule = angus.send("addRetentionRule", {"months": 12, "valid_from": days_ahead(40)}).expect(201)
    angus.send("withdrawRetentionRule", id=rule["id"], if_match=rule.etag).expect(200)
    events = reader.read()
    assert types_of(events, rule["id"]) == ["retention_rule.created", "retention_rule.changed"]
    assert events[-1]["links"]["self"] == f"/v1/retention-rules/{rule['id']}"
    assert types_of(stranger.read(), rule["id"]) == []
    assert cluster.execute("select operation, committees from register.audit_entry "
                           "where ids @> array[%s::uuid] order by number", (rule["id"],)) == [
        ("addRetentionRule", ["ANG"]), ("withdrawRetentionRule", ["ANG"])]
    assert others.send("getRetentionRule", id=rule["id"]).status == 404


def test_a_future_rule_changes_nothing_yet(caller):
    inverclyde = caller("CPC-INV")
    case = make_case(inverclyde, local_authority="S12000018")
    closed = move(inverclyde, case["id"], "closed", "discontinued").expect(201)
    inverclyde.send("addRetentionRule", {"months": 12, "valid_from": days_ahead(400)}).expect(201)
    assert inverclyde.send("getCase", id=case["id"])["retain_until"] == closed["retain_until"]


def test_senders_see_the_retention_date_by_the_committees_own_rule(agency, caller, cluster):
    """Although they cannot see the rule."""
    stirling = caller("CPC-CLS")
    referral = make_referral(agency, committee="CLS", local_authority="S12000030")
    stirling.send("rejectReferral", {"reason": "duplicate", "rejected_on": today()}, id=referral["id"]).expect(201)
    begin(cluster, stirling.send("addRetentionRule", {"months": 24, "valid_from": days_ahead(40)}).expect(201))
    expected = cluster.execute("select (%s::date + interval '24 months')::date::text", (today(),))[0][0]
    assert [client.send("getReferral", id=referral["id"])["retain_until"] for client in (agency, stirling)] == [
        expected, expected]


# --- announced erasures

def hold(client, case, in_force=True):
    return client.send("setLegalHold", {"in_force": in_force, "reason": "public_inquiry" if in_force else None},
                       id=case["id"], if_match=tag_of(client, "getCase", id=case["id"])).expect(200)


def state_of(client, erasure):
    found = client.send("getErasure", id=erasure["id"]).expect(200)
    return found["status"], found["stopped_because"]


def test_a_single_client_erases_nothing(committee, cluster, agency):
    case, referral = make_old_case(committee, cluster), make_rejected_referral(agency, committee, cluster)
    assert carry_out(committee, case).rules == erase_referral(committee, referral).rules == {"erasure_not_announced"}
    for erasure in (announce(committee, case).expect(201), announce_referral(committee, referral).expect(201)):
        pass_notice(cluster, erasure)
    for reply in (carry_out(committee, case), erase_referral(committee, referral)):
        assert (reply.status, reply.rules) == (409, {"separation_of_duties"})
    assert committee.send("getCase", id=case["id"]).status == 200
    assert committee.send("getReferral", id=referral["id"]).status == 200


def test_an_announced_erasure_waits_for_its_day(committee, cluster, agency):
    case, referral = make_old_case(committee, cluster), make_rejected_referral(agency, committee, cluster)
    erasures = [announce(committee, case).expect(201), announce_referral(committee, referral).expect(201)]
    assert {one["not_before"] for one in erasures} == {notice_ends(cluster)} == {days_ahead(30)}
    for days in (0, 29):
        for erasure in erasures:
            pass_notice(cluster, erasure, days)
        for reply in (carry_out(second_of(committee), case), erase_referral(second_of(committee), referral)):
            assert (reply.status, reply.rules) == (409, {"before_erasure_day"})
    for erasure in erasures:
        pass_notice(cluster, erasure, 1)
    assert carry_out(second_of(committee), case).status == 201
    assert erase_referral(second_of(committee), referral).status == 200
    assert {committee.send("getErasure", id=one["id"]).status for one in erasures} == {404}


def test_an_announcement_is_readable_listed_and_in_the_feed(committee, other_committee, cluster, caller):
    case = make_old_case(committee, cluster)
    reader, chief, stranger = follow(committee), follow(caller("COG-GLA")), follow(other_committee)
    erasure = announce(committee, case).expect(201)
    assert (erasure["status"], erasure["announced_by"], erasure["case_id"], erasure["referral_id"]) == (
        "announced", "committee-system", case["id"], None)
    assert erasure.headers["Location"] == f"/v1/erasures/{erasure['id']}" == erasure["links"]["self"]
    assert committee.send("getErasure", id=erasure["id"]).json == erasure.json
    assert erasure.json in walk(committee, "listErasures", "limit=1&status=announced")
    assert erasure["id"] not in repr(walk(committee, "listErasures", "status=stopped"))
    for each in (reader, chief):
        events = [one for one in each.read() if one["subject_id"] == erasure["id"]]
        assert [(one["type"], one["links"]["self"]) for one in events] == [
            ("erasure.created", f"/v1/erasures/{erasure['id']}")]
    assert types_of(stranger.read(), erasure["id"]) == []
    timeline = walk(committee, "listTimeline", "subject=erasure", id=case["id"])
    assert [(one["kind"], one["client_id"]) for one in timeline] == [("created", "committee-system")]
    again = announce(second_of(committee), case)
    assert (again.status, again.rules) == (409, {"erasure_announced"})


def test_clients_with_access_see_no_erasure_in_the_timeline(committee, cluster, caller):
    case = make_case(committee)
    name = new_number("reviewer")[:30]
    committee.send("grantAccess", new_access(client_id=name), id=case["id"]).expect(201)
    announce(committee, make_old_case(committee, cluster, case["id"])).expect(201)
    seen = walk(caller("INDEPENDENT", name), "listTimeline", "limit=200", id=case["id"])
    assert seen and "erasure" not in {one["subject"] for one in seen}


def test_the_committee_can_stop_an_erasure_before_it_is_carried_out(committee, caller, cluster, agency):
    case, referral = make_old_case(committee, cluster), make_rejected_referral(agency, committee, cluster)
    clerk = caller("CPC-GLA", "clerk-of-cases", "cases.read cases.write changes.read")
    reader = follow(clerk)
    for erasure in (announce(committee, case).expect(201), announce_referral(committee, referral).expect(201)):
        pass_notice(cluster, erasure)
        stopped = clerk.send("stopErasure", id=erasure["id"],
                             if_match=tag_of(clerk, "getErasure", id=erasure["id"])).expect(200)
        assert (stopped["status"], stopped["stopped_on"], stopped["stopped_because"]) == (
            "stopped", today(), "committee")
        assert types_of(reader.read(), erasure["id"])[-1] == "erasure.changed"
        again = clerk.send("stopErasure", id=erasure["id"], if_match=stopped.etag)
        assert (again.status, again.rules) == (409, {"erasure_stopped"})
    for reply in (carry_out(second_of(committee), case), erase_referral(second_of(committee), referral)):
        assert (reply.status, reply.rules) == (409, {"erasure_not_announced"})
    assert announce(committee, case).expect(201)["not_before"] == notice_ends(cluster)  # a new notice period begins


def test_setting_or_lifting_a_hold_stops_an_erasure(committee, cluster):
    """Also for a case that was merged into it; after a hold is lifted, a new notice period must pass."""
    first, second = make_case(committee), make_case(committee)
    merge(committee, first["id"], second["id"]).expect(201)
    case = make_old_case(committee, cluster, second["id"])
    age(cluster, first["id"])
    for held in (second, first):
        erasure = announce(committee, case).expect(201)
        pass_notice(cluster, erasure)
        hold(committee, held)
        assert state_of(committee, erasure) == ("stopped", "legal_hold")
        hold(committee, held, in_force=False)
        reply = carry_out(second_of(committee), case)
        assert (reply.status, reply.rules) == (409, {"erasure_not_announced"})
    # A hold set concurrently: the announcement read the case before it.
    cluster.execute("set session_replication_role = replica; update register.review_case set legal_hold = true, "
                    "legal_hold_reason = 'other' where id = %s", (first["id"],))
    cluster.execute("insert into register.erasure (id, committee, case_id, reference, announced_on, announced_by, "
                    "not_before) values (gen_random_uuid(), 'GLA', %s, %s, current_date, 'x', current_date)",
                    (case["id"], case["reference"]))
    assert carry_out(committee, case).rules == {"legal_hold"}
    hold(committee, first, in_force=False)
    assert carry_out(committee, case).rules == {"erasure_not_announced"}


def test_a_case_re_opened_and_closed_with_a_past_date_waits_again(committee, cluster):
    case = make_old_case(committee, cluster)
    erasure = announce(committee, case).expect(201)
    pass_notice(cluster, erasure)
    past = committee.send("getCase", id=case["id"])["closed_on"]
    move(committee, case["id"], "information_gathering", "error", occurred_on=past).expect(201)
    assert state_of(committee, erasure) == ("stopped", "changed")
    move(committee, case["id"], "closed", "discontinued", occurred_on=past).expect(201)
    assert carry_out(second_of(committee), case).rules == {"erasure_not_announced"}
    assert announce(committee, case).expect(201)["not_before"] == notice_ends(cluster)


def test_a_case_opened_and_closed_with_past_dates_is_not_erased_at_once(committee, cluster):
    case = committee.send("openCase", new_case(opened_on="2001-01-01")).expect(201)
    case = move(committee, case["id"], "closed", "discontinued", occurred_on="2001-01-02").expect(201).json
    assert case["retain_until"] < today()
    assert announce(committee, case).expect(201)["not_before"] == notice_ends(cluster)
    assert carry_out(second_of(committee), case).rules == {"before_erasure_day"}


def test_a_longer_rule_that_begins_meanwhile_keeps_the_case(caller, cluster):
    orkney = caller("CPC-ORK")
    case = make_case(orkney, local_authority="S12000023")
    case = make_old_case(orkney, cluster, case["id"])
    pass_notice(cluster, announce(orkney, case).expect(201))
    begin(cluster, orkney.send("addRetentionRule", {"months": 1200, "valid_from": days_ahead(40)}).expect(201))
    reply = carry_out(second_of(orkney, "ORK"), case)
    assert (reply.status, reply.rules) == (409, {"before_retention_date"})


def test_the_database_alone_erases_nothing_without_an_announcement(committee, cluster):
    case = make_old_case(committee, cluster)
    as_committee = f"""begin; set local role register_service;
        select set_config('register.committee', 'GLA', true), set_config('register.area', 'GLA', true),
            set_config('register.client', 'second', true),
            set_config('register.scopes', ' retention.write cases.read ', true); """
    with pytest.raises(psycopg2.Error, match="state_conflict"):
        cluster.execute(as_committee + f"select case_erase('{case['id']}')")
    erasure = ("insert into erasure (id, committee, case_id, reference, announced_on, announced_by, not_before) values "
               f"(gen_random_uuid(), 'GLA', '{case['id']}', 'x', today(), '%s', today() + %s)")
    for who, days in (("second", 29), ("first", 30)):  # too early; in the name of another client
        with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="row-level security"):
            cluster.execute(as_committee + erasure % (who, days))
    cluster.execute(as_committee + erasure % ("second", 30))


def test_erasing_a_case_erases_its_open_actions(committee, cluster):
    case = make_case(committee, "set_up")
    action = make_action(committee, case)
    cluster.execute("update register.review_case set stage = 'closed', closed_on = opened_on, "
                    "closure = 'discontinued', opened_on = opened_on - 5000, "
                    "stage_entered_on = opened_on where id = %s", (case["id"],))
    age(cluster, case["id"])
    erase(committee, cluster, case).expect(201)
    assert committee.send("getAction", id=action["id"]).status == 404
