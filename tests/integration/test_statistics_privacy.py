"""An event in one committee changes nothing in the statistics that others see: no bytes, tags or times."""
import json

import pytest

from client import Client
from counting import EXACT, READ, until_counted
from payloads import (completion, dead_child, days_ago, new_access, new_child, new_transfer, today, verification)
from scenarios import (decide, discontinue, make_action, make_case, make_hold, make_proceeding,
                       make_referral, make_request, invite, record_decision, tag_of)
from waiting import wait_until

THEIRS = {"local_authority": "S12000036"}
SENT = {"committee": "EDH", **THEIRS}
# Organisation, whether it sees live figures, and which part of its possible requests the tests send.
VIEWERS = {
    "a committee": ("CPC-GLA", True, "all"),
    "its chief officers": ("COG-GLA", True, "tables"),
    "a dashboard": ("SG", False, "all"),
}
SAME_HEADERS = ("ETag", "Content-Length", "Content-Type", "Cache-Control", "Link", "Vary")


def client_of(instance, organisation, scope):
    """Does not record its answers: they are many, and other tests record the same for the contract."""
    token = instance.token(organisation, "privacy", scope)
    return Client(instance.url, token)


@pytest.fixture(scope="module")
def viewers(instance):
    return {name: (client_of(instance, organisation, READ), *more) for name, (organisation, *more) in VIEWERS.items()}


@pytest.fixture(scope="module")
def analyst(instance):
    return client_of(instance, "SG", EXACT)


def questions(client, live, extent):
    """Returns all possible requests: (table, query, format)."""
    for table in client.send("listStatistics").expect(200)["tables"]:
        name = table["table"]
        if live:
            yield name, "view=live&committee=GLA", "application/json"
        if extent == "tables":
            continue
        if live:
            yield name, "view=live&committee=GLA", "text/csv"
            if not table["snapshot"]:
                yield name, "view=live&committee=GLA&period_type=month", "application/json"
            for breakdown in set(table["breakdowns"]) - {"committee"}:
                yield name, f"view=live&committee=GLA&breakdown={breakdown}", "application/json"
        for part in table["released"]:
            query = f"breakdown={part['breakdown']}" if part["breakdown"] else None
            yield name, query, "application/json"
            yield name, query, "text/csv"


def everything(viewer):
    """Returns all answers, with all headers that could reveal something."""
    client = viewer[0]
    replies = {"list": client.send("listStatistics")}
    for table, query, form in questions(*viewer):
        replies[table, query, form] = client.send("getStatistics", table=table, query=query, headers={"Accept": form})
    return {name: (reply.expect(200).bytes, {header: reply.headers.get(header) for header in SAME_HEADERS})
            for name, reply in replies.items()}


def everything_of(viewers):
    return {name: everything(viewer) for name, viewer in viewers.items()}


@pytest.fixture(scope="module")
def seen(viewers, analyst, committee, cluster):
    """The last answers of each viewer; tests replace them."""
    make_case(committee, "set_up", children=[dead_child()])
    until_counted(analyst, cluster)
    yield {"day": the_day(cluster), **everything_of(viewers)}
    cluster.execute("delete from register.anonymous_review where facts ->> 'decided_month' = 'no month'")


def withdraw(theirs, agency, cluster):
    referral = make_referral(agency, **SENT)
    agency.send("withdrawReferral", {"reason": "made_in_error"}, id=referral["id"],
                if_match=tag_of(agency, "getReferral", id=referral["id"])).expect(200, 201)


def change_child(theirs, agency, cluster):
    case = make_case(theirs, "decision", children=[new_child()], **THEIRS)
    record_decision(theirs, case)
    child = theirs.send("listChildren", id=case["id"])["items"][0]
    path = {"id": case["id"], "child_id": child["id"]}
    theirs.send("changeChild", {"outcome": "died", "cause_of_death_group": "suicide"}, **path,
                if_match=tag_of(theirs, "getChild", **path)).expect(200)


def hold(theirs, agency, cluster):
    case = make_case(theirs, "review", **THEIRS)
    make_hold(theirs, case, proceeding_id=make_proceeding(theirs, case)["id"])


def act(theirs, agency, cluster):
    action = make_action(theirs, make_case(theirs, "implementation", **THEIRS))
    agency.send("completeAction", completion(), id=action["id"]).expect(201)
    theirs.send("verifyAction", verification(), id=action["id"]).expect(201)


def transfer(theirs, agency, cluster):
    case = make_case(theirs, "decision", **THEIRS)
    made = theirs.send("proposeTransfer", new_transfer(to_committee="FIF"), id=case["id"]).expect(201)
    receiver = theirs.of("CPC-FIF", "committee-system")
    receiver.send("acceptTransfer", {"decided_on": today(), "local_authority": "S12000047"}, id=made["id"],
                  if_match=tag_of(receiver, "getTransfer", id=made["id"])).expect(201)


def join(theirs, agency, cluster):
    case = make_case(theirs, "decision", **THEIRS)
    record_decision(theirs, case)
    made = theirs.send("grantAccess", new_access(organisation="CPC-FIF", role="joint_committee", client_id=None,
                                                 starts_on=days_ago(9), ends_on=None), id=case["id"]).expect(201)
    path = {"id": case["id"], "access_id": made["id"]}
    theirs.send("changeAccess", {"ended_on": today()}, **path, if_match=made.etag).expect(200)


def merge(theirs, agency, cluster):
    first, second = (make_case(theirs, "decision", **THEIRS) for _ in range(2))
    theirs.send("mergeCase", {"into_case_id": second["id"], "merged_on": today()}, id=first["id"],
                if_match=tag_of(theirs, "getCase", id=first["id"])).expect(201)


def accept(theirs, agency, cluster):
    referral = make_referral(agency, **SENT)
    return theirs.send("acceptReferral", {"accepted_on": today(), "case_id": None},
                       id=referral["id"]).expect(201)["case_id"]


def erase(theirs, agency, cluster):
    """Erases a case and its referrals."""
    case = accept(theirs, agency, cluster)
    cluster.execute("""
        insert into anonymous_review (committee, facts, anonymised_on)
            select committee, anonymous_facts(c), today() from review_case c where id = %s;
        delete from referral where case_id = %s;
        delete from review_case where id = %s;""", (case, case, case))


def cannot_be_counted(theirs, agency, cluster):
    cluster.execute("insert into register.anonymous_review (committee, facts, anonymised_on) "
                    "values ('EDH', %s, '2026-01-01')", (json.dumps({"decided_month": "no month"}),))


EVENTS = {
    "a referral": lambda theirs, agency, cluster: make_referral(agency, **SENT),
    "a withdrawal": withdraw,
    "an acceptance": accept,
    "a case about a death": lambda theirs, agency, cluster: make_case(theirs, children=[dead_child()], **THEIRS),
    "an information request": lambda theirs, agency, cluster: make_request(
        theirs, make_case(theirs, "information_gathering", **THEIRS)),
    "a decision against": lambda theirs, agency, cluster: decide(
        theirs, make_case(theirs, "decision", **THEIRS)["id"], "do_not_proceed").expect(201),
    "a child": change_child,
    "a hold": hold,
    "a member of the family": lambda theirs, agency, cluster: invite(
        theirs, make_case(theirs, "review", **THEIRS)["id"]).expect(201),
    "a discontinuation": lambda theirs, agency, cluster: discontinue(
        theirs, make_case(theirs, "review", **THEIRS)["id"]).expect(201),
    "a whole review": lambda theirs, agency, cluster: make_case(theirs, "closed", children=[dead_child()], **THEIRS),
    "an action": act,
    "a transfer": transfer,
    "a joint review": join,
    "a merger": merge,
    "an erasure": erase,
    "a case that cannot be counted": cannot_be_counted,
}


def the_day(cluster):
    return cluster.execute("select today()")[0][0]


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_elsewhere_leaves_all_answers(instances, viewers, analyst, other_committee, agency, cluster, seen,
                                               event):
    for each in instances:
        each.errors_expected = True  # because of the case that cannot be counted
    listed = analyst.send("listStatistics").etag
    EVENTS[event](other_committee, agency, cluster)
    until_counted(analyst, cluster)
    assert analyst.send("listStatistics").etag != listed  # the event changes statistics
    now = {"day": the_day(cluster), **everything_of(viewers)}
    for each in instances:
        each.complaints()
        each.errors_expected = False
    if now["day"] != seen["day"]:  # the age of open items grew by a day
        now = {"day": the_day(cluster), **everything_of(viewers)}
        EVENTS[event](other_committee, agency, cluster)
        until_counted(analyst, cluster)
        seen.update(now)
        now = {"day": the_day(cluster), **everything_of(viewers)}
    for name in viewers:
        assert len(now[name]) > 20 and set(now[name]) == set(seen[name])
        assert [question for question in now[name] if now[name][question] != seen[name][question]] == [], name


def test_the_committee_itself_sees_the_event(instance, analyst, other_committee, cluster):
    """Equal answers prove something only because the concerned committee sees different ones."""
    own = client_of(instance, "CPC-EDH", READ)
    until_counted(analyst, cluster)

    def state():
        listed = own.send("listStatistics").expect(200)
        return {one["table"]: one["changed_at"] for one in listed["tables"]}
    before = state()
    case = make_case(other_committee, "decision", children=[dead_child(cause_of_death_group="suicide")], **THEIRS)
    record_decision(other_committee, case)
    wait_until(lambda: state()["deaths_by_cause"] != before["deaths_by_cause"], "the death is counted")
    until_counted(analyst, cluster)
    after = state()
    assert {"decisions", "children", "deaths_by_cause", "caseload"} <= {one for one in after if after[one] != before[one]}
    assert after["non_proceed_reasons"] == before["non_proceed_reasons"]


KINDS = ["committee", "chief_officers_group", "local_authority", "health_board", "police", "prosecution", "reporter",
         "inspectorate", "national", "third_sector", "independent", "auditor"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_analysts_scope_has_an_effect_for_organisations_that_may_have_it(caller, cluster, kind):
    code = cluster.execute("select min(code) from register.organisation where kind = %s", (kind,))[0][0]
    reply = caller(code, "analyst", EXACT).send("getStatistics", table="decisions", query="view=live")
    others = caller(code, "analyst", EXACT).send("getStatistics", table="decisions", query="view=live&committee=ORK")
    if kind in ("inspectorate", "national"):
        assert (reply.status, others.status) == (200, 200)
        return
    assert {(one.status, one.code) for one in (reply, others)} == {(403, "scope_missing")}
    with_scope, without = (caller(code, "reader", scope).send("listStatistics").expect(200) for scope in (EXACT, READ))
    assert with_scope.bytes == without.bytes


def test_every_kind_of_organisation_is_covered(cluster, instances):
    assert {one[0] for one in cluster.execute("select distinct kind from register.organisation")} <= set(KINDS)
