"""Functions that run as the owner: each is listed with its reason, and gives the service's role no more than that."""
import pathlib
import re

import psycopg2
import pytest

from client import ALL_SCOPES
from payloads import new_transfer
from scenarios import make_accepted_referral, make_delivery, make_referral

ADMINISTRATION = pathlib.Path(__file__).parents[2] / "sql" / "core" / "administration.sql"
# Why each function runs as the owner (SECURITY DEFINER), and how it limits its effect.
REASONS = {
    "access_of": "called before the claims are set: the cases to which a client has access, identifiers only",
    "offered_to": "the same for the cases offered to a committee",
    "organisation_of": "called before the claims are set: the code that one client is mapped to",
    "is_excluded": "called before the claims are set: the service has no privileges on the exclusions",
    "excluded_organisations": "called without claims, for cached answers: codes of organisations only",
    "audit_write": "it only adds to the trail; the caller is the one in the claims, which must name one organisation",
    "audit_pushed": "the same for pushed referrals",
    "audit_seal_next": "seals existing entries; the caller has no influence on them",
    "audit_state": "position, hash and delay of the chain; no entry",
    "audit_triggers_off": "names of disabled triggers",
    "audit_watch": "positions and hashes of the chain; no entry",
    "audit_write_reads": "adds entries about the claims' caller, as audit_write does",
    "audit_page": "with the policies PostgreSQL would not use the index; it shows the same rows",
    "audit_prune": "deletes only entries older than seven years, which a trigger checks as well",
    "feed_expire": "deletes events of all organisations, none younger than seven days",
    "webhook_expire": "deletes log lines of all webhooks, none younger than seven days",
    "feed_fresh": "one bit for each channel: whether there are events; the policies apply to the events themselves",
    "feed_sight_due": "adds events of accesses that begin or end today; the caller has no influence on them",
    "webhook_token_seen": "records scopes, token and issue time of the claims, for the claims' client only",
    "webhook_suspension": "one word: why a webhook sends nothing; the service has no privileges on the exclusions",
    "webhook_acts_as_newest": "one bit: whether the claims are those of the newest token",
    "webhook_pause_unconfirmed": "pauses webhooks that were not confirmed in time; the caller has no influence on them",
    "webhook_due": "which webhooks have work, never its content",
    "webhook_backlog": "two numbers",
    "webhook_erase": "the service deletes nothing itself; only a webhook of the claims' organisation",
    "case_erase": "the service deletes nothing itself; only a closed case of the claims' committee after its retention",
    "referral_anonymise": "the same for a referral that never became a case",
    "transfer_carry_out": "no committee writes another's data; only as an accepted transfer to the claims' committee says",
    "referral_carry_over": "the row becomes invisible to the caller; only undecided referrals of the claims' committee",
    "decision_notify_late_recipients": "a recorder of proceedings or answers does not see all data of notices; it adds "
                                       "only due ones",
    "notice_content_now": "who sends a notice may not see every part of a case; only notices of the claims' committee, "
                          "which knows their content",
    "case_outline": "reference, type and bands of a case, for those who have a request, grant or decision of it",
    "retained_until": "a day; the senders of a committee's referrals may not see its rules",
    "deciding_committee": "the code of a committee; a caller that counts cases may not see transfers",
    "joint_committees": "codes of committees; a caller that counts cases may not see accesses",
    "is_known_case": "one bit: whether the claims may know the identifier of a case",
    "has_written": "one bit: whether the claims' client wrote a part; not every caller may see the record",
    "case_decision_entered": "one day of a case whose action the caller sees",
    "case_is_closed": "one bit of a case whose proceedings the caller sees",
    "action_waits": "one bit of an action that the caller sees",
    "action_strategy_fault": "one bit: whether a strategy belongs to the case of an action",
    "statistic_poll": "counts changed subjects, and makes due releases; returns a version and no figure",
    "statistics_read": "no role may read the raw sums; it checks the caller's rights itself",
    "statistics_list": "the tables and when they changed, for those with the scope",
    "key_fingerprint_find": "the service has no privileges on the table; salted slow hashes only",
    "key_fingerprint_record": "adds the first fingerprint of a key, changes none",
}
# Triggers cannot be called; the row that was written under the policies determines their effect.
TRIGGERS = {"record_change", "forget_answers", "erasure_case_changed", "erasure_referral_changed",
            "feed_referrals_pushed", "feed_referral_changed", "feed_access_changed", "feed_case_deleted",
            "statistic_mark", "statistic_mark_subject", "statistic_count_referrals",
            "statistic_count_anonymous_referrals"}
CLAIMS = {"organisation": "CPC-EDH", "kind": "committee", "committee": "EDH", "area": "EDH", "client": "tests",
          "scopes": f" {ALL_SCOPES} ", "collective": "false", "granted": "{}", "liaison": "{}"}
NOBODY = dict.fromkeys(CLAIMS, "") | {"granted": "{}", "liaison": "{}"}
OWN = CLAIMS | {"organisation": "CPC-GLA", "committee": "GLA", "area": "GLA"}


def without(claims, scope):
    return claims | {"scopes": claims["scopes"].replace(f" {scope} ", " ")}


@pytest.fixture(scope="module")
def theirs(agency, committee):
    """Creates objects of Glasgow's committee; returns identifiers by kind."""
    case = make_accepted_referral(agency, committee)["case_id"]
    transfer = committee.send("proposeTransfer", new_transfer(to_committee="FIF"), id=case).expect(201)
    return {"case": case, "referral": make_referral(agency)["id"], "transfer": transfer["id"],
            "webhook": make_delivery(committee)["id"]}


@pytest.fixture
def attempt(cluster):
    """Runs a statement as the service's role with claims and rolls it back; returns its rows and the rows of `after`.
    """
    def run(claims, statement, after="select 1"):
        with cluster.open() as link, link.cursor() as cursor:
            cursor.execute("set local role register_service")
            for name, value in claims.items():
                cursor.execute("select set_config(%s, %s, true)", (f"register.{name}", value))
            cursor.execute(statement)
            rows = cursor.fetchall()
            cursor.execute("reset role")
            cursor.execute(after)
            return rows, cursor.fetchall()
    return run


def test_every_function_that_runs_as_the_owner_is_listed_with_its_reason(cluster, instances):
    found = cluster.execute("""select p.proname, p.prorettype = 'trigger'::regtype from pg_proc p
        where p.pronamespace::regnamespace::text ~ '^register' and p.prosecdef""")
    assert {name for name, is_trigger in found if not is_trigger} == set(REASONS)
    assert {name for name, is_trigger in found if is_trigger} == TRIGGERS


def test_public_executes_nothing_and_the_service_no_owner_only_function(cluster, instances):
    assert cluster.execute("""select p.oid::regprocedure::text from pg_proc p, aclexplode(coalesce(p.proacl,
        acldefault('f', p.proowner))) a where p.pronamespace::regnamespace::text ~ '^register' and a.grantee = 0""") == []
    shut = cluster.execute("""select p.proname from pg_proc p where p.pronamespace::regnamespace::text ~ '^register'
        and not has_function_privilege('register_service', p.oid, 'execute')""")
    commands = {row[0] for row in shut if row[0].startswith("administration_")}
    assert len(commands) == len(re.findall("^create function", ADMINISTRATION.read_text(encoding="utf-8"), re.MULTILINE))
    assert {row[0] for row in shut} - commands == {"feed_emit", "feed_change", "feed_tell_case", "feed_sight_set", "statistic_fold",
                                        "statistic_count_all", "statistic_retry", "statistic_release_make",
                                        "key_fingerprint_replace"}


@pytest.mark.parametrize("call", ["feed_expire(0, 1000000)", "feed_expire(6, 1)", "feed_expire(null, 1)",
                                  "feed_expire(-1, 1)", "webhook_expire(0, 1000000)", "webhook_expire(6, 1)",
                                  "webhook_expire(null, 1)"])
def test_events_are_not_deleted_early(attempt, theirs, call):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="7 days or more"):
        attempt(CLAIMS, f"select {call}")


ENTRIES = ["audit_write('getCase', 'read', 'request', 'cases', '{}', '{}', null)",
           """audit_write_reads('[{"n": 0, "operation": "getCase", "request": "request", "collection": "cases",
               "ids": "{}", "parts": "{}", "items": null}]')""",
           "audit_pushed('{request}', '{change}', array[gen_random_uuid()], '{null}', '{GLA}')"]


@pytest.mark.parametrize("call", ENTRIES)
@pytest.mark.parametrize("claims", [NOBODY, CLAIMS | {"organisation": "CPC-NOWHERE"}, CLAIMS | {"area": "GLA"},
                                    CLAIMS | {"organisation": "LA-S12000049"}, CLAIMS | {"client": ""}],
                         ids=["nobody", "unknown", "other-area", "other-organisation", "no-client"])
def test_the_trail_accepts_only_entries_of_the_claims_organisation(attempt, call, claims):
    with pytest.raises(psycopg2.errors.InsufficientPrivilege, match="needs the claims of an organisation"):
        attempt(claims, f"select {call}")


@pytest.mark.parametrize("call", ENTRIES)
def test_an_entry_names_the_organisation_of_the_claims(attempt, call):
    _, entries = attempt(CLAIMS, f"select {call}",
                         "select organisation, client from audit_entry order by number desc limit 1")
    assert entries == [("CPC-EDH", "tests")]


@pytest.mark.parametrize("claims, call", [
    (without(OWN, "retention.write"), "case_erase('{case}')"),
    (OWN, "case_erase('{case}')"),  # not closed
    (CLAIMS, "referral_anonymise('{referral}', null, '{{}}')"),
    (without(OWN, "retention.write"), "referral_anonymise('{referral}', null, '{{}}')"),
    (NOBODY, "referral_anonymise('{referral}', null, '{{}}')"),
    (CLAIMS, "referral_carry_over('{referral}', 'EDH', 'S12000036')"),
    (without(OWN, "cases.write"), "referral_carry_over('{referral}', 'EDH', 'S12000036')"),
    (CLAIMS, "transfer_carry_out('{transfer}', 'S12000036')"),
    (OWN, "transfer_carry_out('{transfer}', 'S12000036')"),
    (without(CLAIMS, "statistics.read"), "statistics_read('referrals', '{{}}', false)"),
    (without(CLAIMS, "statistics.read"), "statistics_list()"),
    (without(CLAIMS, "statistics.unsuppressed"),
     "statistics_read('referrals', '{{\"view\": \"live\", \"committee\": \"GLA\"}}', false)"),
])
def test_a_call_on_data_of_another_organisation_is_refused(attempt, theirs, claims, call):
    with pytest.raises(psycopg2.Error) as refusal:
        attempt(claims, f"select {call.format(**theirs)}")
    assert refusal.value.pgcode in ("LR404", "LR403", "P0002")  # P0002: no such row


@pytest.mark.parametrize("claims", [CLAIMS, NOBODY, without(OWN, "webhooks.manage")], ids=["other", "nobody", "scope"])
def test_a_webhook_of_another_client_is_not_erased(attempt, theirs, claims):
    _, left = attempt(claims, f"select webhook_erase('{theirs['webhook']}')",
                      f"select count(*) from webhook where id = '{theirs['webhook']}'")
    assert left == [(1,)]


def test_a_case_of_another_committee_is_not_erased(attempt, theirs):
    with pytest.raises(psycopg2.Error, match="state_conflict"):
        attempt(CLAIMS, f"select case_erase('{theirs['case']}')")


@pytest.mark.parametrize("claims", [CLAIMS, NOBODY], ids=["other", "nobody"])
def test_the_outline_of_another_committees_case_is_empty(attempt, theirs, claims):
    rows, _ = attempt(claims, f"select reference, review_type, children from case_outline('{theirs['case']}')")
    assert rows == [(None, None, [])]
    rows, _ = attempt(OWN, f"select reference like 'LR-%' from case_outline('{theirs['case']}')")
    assert rows == [(True,)]


def test_the_trail_of_other_organisations_is_not_shown(attempt, theirs, cluster):
    rows, _ = attempt(CLAIMS, "select items from audit_page('{}', null, 200)")
    assert {code for item in rows[0][0] for code in item["committees"]} <= {"EDH"}
    assert attempt(NOBODY, "select items from audit_page('{}', null, 200)")[0] == [([],)]
    assert attempt(without(OWN, "audit.read"), "select items from audit_page('{}', null, 200)")[0] == [([],)]


def test_entries_within_the_retention_are_not_pruned(attempt, theirs):
    rows, left = attempt(CLAIMS, "select audit_prune(1000000)", "select count(*) from audit_entry")
    assert rows == [(0,)] and left[0][0] > 0


def test_a_recorded_fingerprint_is_not_changed(attempt, instances):
    before = "select string_agg(k::text, ' ' order by key) from key_fingerprint k"
    _, unchanged = attempt(CLAIMS, "select 1", before)
    _, after = attempt(CLAIMS, """select key_fingerprint_record('pseudonym', substr(sha256('x'), 1, 16), 100000,
        sha256('y'))""", before)
    assert after == unchanged != [(None,)]
