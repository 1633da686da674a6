"""Data that must never leave the register: the tests plant values and search for them in logs, metrics and problems."""
import json
import pathlib

import pytest

from client import Client
from payloads import days_ahead, new_case, new_child, new_number, new_referral
from waiting import wait_until

TEXT = "Quillwhisper"  # represents free text
CHILD = "Canarychild-0815"  # represents an agency's identifier of a child


@pytest.fixture(scope="module")
def told(agency, committee, instance, recorder):
    """Sends requests with every kind of outcome and with the canaries in them; returns the bodies of all refusals."""
    # In one run with other suites the callers belong to their instance, but these tests read the log of this one.
    agency, committee = agency.at(instance.url), committee.at(instance.url)
    child = new_child(child_id=CHILD)
    reference = new_number("canary")
    referral = new_referral(basis=f"They heard of {TEXT}.", children=[child], source_reference=reference)
    replies = [
        agency.send("pushReferral", referral), agency.send("pushReferral", {**referral, "basis": f"{TEXT} again."}),
        agency.send("pushReferral", {**referral, "notified_on": days_ahead(9)}),
        agency.send("pushReferral", {**referral, "basis": [TEXT]}),
        agency.send("pushReferral", {**referral, "basis": f"{TEXT}@example.org"}),
        agency.send("pushReferral", data=json.dumps(referral).encode()[:-3]),
        agency.send("pushReferrals", [{**referral, "source_reference": TEXT, "committee": "EDH"}] * 2),
        agency.send("validateReferral", {**referral, "incident_kind": TEXT}),
        agency.send("listReferrals", query=f"source_reference={TEXT}&status={TEXT}"),
        agency.request("GET", f"/v1/{TEXT}?{TEXT}={TEXT}"),
        committee.send("openCase", new_case(summary=TEXT, children=[child])),
        committee.send("openCase", new_case(summary=TEXT, children=[child, child], opened_on=days_ahead(1))),
        agency.send("openCase", new_case(summary=TEXT, children=[child])),
        Client(instance.url, f"{agency.token}{TEXT}", recorder).send("listReferrals"),
        Client(instance.url, TEXT, recorder).send("listReferrals")]
    wanted = {reply.headers["X-Request-Id"] for reply in replies}
    wait_until(lambda: wanted <= {one.get("request_id") for one in instance.log_lines()}, "every request is in the log")
    return replies


@pytest.fixture(scope="module")
def canaries(keys, agency, committee):
    secrets = [keys.token_secret.decode(), pathlib.Path(keys.pseudonym_file).read_text(encoding="ascii")]
    tokens = [each for client in (agency, committee) for each in client.token.split(".")[1:]]
    return [TEXT, CHILD, *secrets, *tokens]


def test_the_requests_had_outcomes_of_every_kind(told):
    assert {reply.status for reply in told} >= {200, 201, 207, 400, 401, 403, 404, 409, 422}


def test_no_canary_is_in_the_log_of_the_service(told, canaries, instance):
    """Except the path of the unknown address, which an operator must see; its query is not logged."""
    lines = instance.log_lines()
    paths = [line.pop("path") for line in lines if "path" in line]
    assert [path for path in paths if any(each in path for each in canaries)] == [f"/v1/{TEXT}"]
    assert [each for each in canaries if each in json.dumps(lines)] == []
    others = [line for line in instance.log_text().splitlines() if not line.startswith("{")]
    assert [each for each in canaries for line in others if each in line] == []


def test_no_canary_is_in_the_metrics(told, canaries, instance):
    assert [each for each in canaries if each in instance.admin("/metrics")[1]] == []


def test_no_canary_is_in_the_log_of_the_database(told, canaries, cluster):
    text = (cluster.folder / "log").read_text(errors="replace")
    assert [each for each in canaries if each in text] == []


def test_no_canary_is_in_a_problem(told, canaries):
    refused = [reply.bytes.decode() for reply in told if reply.status >= 400 and reply.status != 404]
    assert refused and [each for each in canaries for text in refused if each in text] == []


def test_no_identifier_of_a_child_is_stored(told, cluster):
    tables = cluster.execute("select relname from pg_class where relkind = 'r' and relnamespace = "
                             "'register'::regnamespace")
    for (name,) in tables:
        found = cluster.execute(f"select count(*) from register.{name} t where t::text like %s", (f"%{CHILD}%",))
        assert found == [(0,)], name
