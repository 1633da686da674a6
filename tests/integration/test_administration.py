"""Commands of operators: organisations, the organisation of a client, and blocks. All are in the audit trail."""
import datetime
import itertools
import subprocess

import pytest

from client import Client
from payloads import new_referral
from tokens import CLAIMS, make_token
from waiting import WATCHDOG_S, wait_until

NUMBERS = itertools.count()
CLIENT = "6731de76-14a6-49ae-97bc-6eba6914391e"


@pytest.fixture
def command(instance):
    """Runs a command; returns its status and what it prints."""
    def run(*words, **settings):
        done = subprocess.run([instance.binary, *words], env={**instance.environment, **settings}, check=False, text=True,
                              timeout=WATCHDOG_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.strip()
    return run


@pytest.fixture(autouse=True)
def _clean(cluster):
    yield
    cluster.execute("delete from register.exclusion")
    cluster.execute("delete from register.client_organisation")


@pytest.fixture
def bearer(keys, instance, recorder):
    """A caller with a new token of a client; without an organisation unless one is given."""
    def make(client=CLIENT, **claims):
        drop = [] if "organisation" in claims else ["organisation"]
        token = make_token(keys.token_secret, drop=drop, **{"client_id": client, "jti": f"jti-{next(NUMBERS)}",
                                                            "scope": "referrals.read referrals.write", **claims})
        return Client(instance.url, token, recorder)
    return make


def entries(cluster, count):
    """The newest entries of commands."""
    return cluster.execute("""select operation, collection, request from register.audit_entry
        where organisation = 'register' and client = 'register' and kind = 'change' order by number desc limit %s""",
                           [count])[::-1]


def organisation_of(caller):
    return caller.send("getPrincipal")["organisation"]["code"]


def test_a_client_without_an_organisation_is_told_who_can_map_it(bearer):
    reply = bearer().send("listReferrals")
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")
    assert CLIENT in reply["detail"] and "client map" in reply["detail"]


def test_the_log_names_the_client_to_map(bearer, instance):
    bearer("unknown-to-all").send("listReferrals")
    wait_until(lambda: [line for line in instance.log_lines() if line.get("reason") == "unmapped"
                        and line.get("client") == "unknown-to-all"], instance.log_text)


def test_a_mapped_client_acts_for_its_organisation(command, bearer, cluster):
    assert command("client", "map", "--client", CLIENT, "--organisation", "POL-G")[0] == 0
    caller = bearer()
    assert organisation_of(caller) == "POL-G"
    pushed = caller.send("pushReferral", new_referral())
    assert (pushed.status, pushed["source_organisation"]) == (201, "POL-G")
    assert entries(cluster, 1) == [("mapClient", "clients", f"{CLIENT}:POL-G")]


def test_another_mapping_counts_for_tokens_that_are_new_to_the_instance(command, bearer):
    command("client", "map", "--client", CLIENT, "--organisation", "POL-G")
    before = bearer()
    assert organisation_of(before) == "POL-G"
    assert command("client", "map", "--client", CLIENT, "--organisation", "POL-E")[0] == 0
    assert organisation_of(before) == "POL-G", "remembered with the token, for a minute"
    assert organisation_of(bearer()) == "POL-E"
    assert command("client", "unmap", "--client", CLIENT)[0] == 0
    assert bearer().send("listReferrals").code == "organisation_not_allowed"


def test_a_token_that_names_another_organisation_is_rejected(command, bearer):
    command("client", "map", "--client", CLIENT, "--organisation", "POL-G")
    caller = bearer(organisation="POL-E")
    for reply in (caller.send("listReferrals"), caller.send("listReferrals")):
        assert (reply.status, reply.code) == (401, "token_invalid")
        assert "another organisation" in reply["detail"]
    assert organisation_of(bearer(organisation="POL-G")) == "POL-G"
    assert organisation_of(bearer("another-client", organisation="POL-E")) == "POL-E"


@pytest.mark.parametrize("client", ["a b", "", "a\nb", "a'b", "é", "a" * 65])
def test_what_is_no_client_is_not_mapped(command, cluster, client):
    before = entries(cluster, 1)
    status, said = command("client", "map", "--client", client, "--organisation", "POL-G")
    assert (status, "A client is 1 to 64" in said) == (1, True)
    assert entries(cluster, 1) == before


@pytest.mark.parametrize("client", ["name@clients", "https://casework.example.org/app", "0oabskvc6442nkvQO0h7"])
def test_clients_of_issuers_are_mapped(command, bearer, client):
    assert command("client", "map", "--client", client, "--organisation", "POL-G")[0] == 0
    assert organisation_of(bearer(client)) == "POL-G"


def test_a_mapped_client_is_blocked_at_once_and_again_allowed(command, bearer, cluster):
    command("client", "map", "--client", CLIENT, "--organisation", "POL-G")
    caller = bearer()
    assert caller.send("listReferrals").status == 200
    assert command("client", "block", "--client", CLIENT)[0] == 0
    assert (caller.send("listReferrals").status, bearer().send("listReferrals").status) == (403, 403)
    assert f"blocked  {CLIENT}  POL-G" in command("client", "list")[1]
    assert command("client", "unblock", "--client", CLIENT)[0] == 0
    assert caller.send("listReferrals").status == 200
    assert entries(cluster, 2) == [("blockClient", "clients", f"{CLIENT}:POL-G"),
                                   ("unblockClient", "clients", f"{CLIENT}:POL-G")]


def test_a_block_ends_when_it_says(command, bearer, cluster):
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    caller = bearer(CLAIMS["client_id"], organisation=CLAIMS["organisation"])
    words = ("client", "block", "--client", CLAIMS["client_id"], "--organisation", CLAIMS["organisation"], "--until")
    assert until[:-1] in command(*words, until)[1]
    assert caller.send("listReferrals").status == 403
    cluster.execute("update register.exclusion set until = now() - interval '1 second'")
    assert caller.send("listReferrals").status == 200
    for wrong in ("2020-01-01T00:00:00Z", "soon"):
        assert command(*words, wrong)[0] == 1


def test_one_token_is_blocked_by_its_jti(command, bearer, cluster):
    lost = bearer(organisation="POL-G", jti="lost")
    assert lost.send("listReferrals").status == 200
    assert command("token", "block", "--id", "lost", "--organisation", "POL-G")[0] == 0
    assert lost.send("listReferrals").status == 403
    assert bearer(organisation="POL-G").send("listReferrals").status == 200
    assert entries(cluster, 1) == [("blockToken", "tokens", "lost")]


def test_an_organisation_is_added_renamed_and_retired(command, bearer, cluster, instance):
    code = f"TS-SC{next(NUMBERS):06}"
    add = ("organisation", "add", "--code", code, "--kind", "third_sector", "--name")
    assert bearer(organisation=code).send("getPrincipal").status == 403
    assert command(*add, "A charity")[0] == 0
    assert bearer(organisation=code).send("getPrincipal")["organisation"]["name"] == "A charity"
    assert command(*add, "Another charity")[0] == 1
    assert command("organisation", "rename", "--code", code, "--name", "The charity")[0] == 0
    assert bearer(organisation=code).send("getPrincipal")["organisation"]["name"] == "The charity"
    command("client", "map", "--client", CLIENT, "--organisation", code)
    assert command("organisation", "retire", "--code", code)[0] == 0
    assert bearer(organisation=code).send("getPrincipal").code == "organisation_not_allowed"
    assert bearer().send("getPrincipal").code == "organisation_not_allowed"
    assert command("organisation", "retire", "--code", code)[0] == 1
    assert command("client", "map", "--client", CLIENT, "--organisation", code)[0] == 1
    assert entries(cluster, 4) == [
        ("addOrganisation", "organisations", code), ("renameOrganisation", "organisations", code),
        ("mapClient", "clients", f"{CLIENT}:{code}"), ("retireOrganisation", "organisations", code)]
    instance.run("check", "audit")  # its status is 0


def test_a_name_of_the_program_s_own_organisation_stays_after_an_upgrade(command, instance, cluster):
    command("organisation", "rename", "--code", "CHS", "--name", "Children's Hearings")
    cluster.execute("delete from register.schema_file where path like '%rows_organisations%'")
    instance.run("migrate")
    assert cluster.execute("select name from register.organisation where code = 'CHS'") == [("Children's Hearings",)]


@pytest.mark.parametrize("words", [
    ("organisation", "add", "--code", "ts-1", "--kind", "third_sector", "--name", "A"),
    ("organisation", "add", "--code", "TS-1", "--kind", "committee", "--name", "A"),
    ("organisation", "add", "--code", "TS-1", "--kind", "third_sector", "--name", "  "),
    ("organisation", "rename", "--code", "TS-NONE", "--name", "A"),
    ("organisation", "retire", "--code", "CPC-GLA"),
    ("client", "map", "--client", "a", "--organisation", "TS-NONE"),
    ("client", "unmap", "--client", "nobody"),
    ("client", "block", "--client", "nobody"),
    ("client", "unblock", "--client", "nobody", "--organisation", "POL-G"),
    ("token", "block", "--id", "", "--organisation", "POL-G"),
    ("token", "block", "--id", "a", "--organisation", "TS-NONE")], ids=" ".join)
def test_what_the_register_refuses_changes_nothing(command, cluster, words):
    before = entries(cluster, 1)
    status, said = command(*words)
    assert (status, said.startswith("learning-reviews: "), said.endswith(".")) == (1, True, True), said
    assert entries(cluster, 1) == before


@pytest.mark.parametrize("words", [
    ("organisation",), ("client",), ("organisation", "delete"), ("client", "map"), ("client", "map", "--client", "a"),
    ("client", "unmap", "--client", "a", "--organisation", "POL-G"), ("token", "block"),
    ("token", "block", "--role", "agency"), ("token", "--role", "agency", "--id", "x"),
    ("client", "list", "--client", "a")], ids=" ".join)
def test_a_wrong_command_line_is_explained(command, words):
    status, said = command(*words)
    assert (status, "learning-reviews help" in said) == (64, True), said


def test_the_commands_need_the_rights_of_the_owner(command, cluster):
    status, said = command("client", "map", "--client", CLIENT, "--organisation", "POL-G",
                           LR_MIGRATION_DATABASE=cluster.connection_string("register_service"))
    assert (status, "permission denied" in said) == (69, True), said
    assert cluster.execute("select count(*) from register.client_organisation") == [(0,)]


@pytest.fixture
def explain(instance):
    def run(token):
        done = subprocess.run([instance.binary, "explain-token"], env=instance.environment, input=token, check=False,
                              text=True, timeout=WATCHDOG_S, stdout=subprocess.PIPE)
        return done.returncode, done.stdout
    return run


def test_explain_token_knows_the_mapping(command, bearer, explain):
    unmapped = explain(bearer().token)
    command("client", "map", "--client", CLIENT, "--organisation", "POL-G")
    mapped, other = explain(bearer().token), explain(bearer(organisation="POL-E").token)
    assert (unmapped[0], "organisation: FAULT: The token has none" in unmapped[1]) == (1, True)
    assert (mapped[0], "taken: POL-G, to which the register maps the client" in mapped[1]) == (0, True)
    assert (other[0], "organisation: FAULT: The register maps the client to another" in other[1]) == (1, True)


def test_explain_token_knows_the_blocks(command, bearer, explain):
    caller, blocked = bearer("casework", organisation="POL-G"), "admission: FAULT: The register blocks"
    assert (explain(caller.token)[0], "admission: in order" in explain(caller.token)[1]) == (0, True)
    command("client", "block", "--client", "casework", "--organisation", "POL-G")
    assert (explain(caller.token)[0], blocked in explain(caller.token)[1]) == (1, True)
    command("client", "unblock", "--client", "casework", "--organisation", "POL-G")
    command("token", "block", "--id", "stolen", "--organisation", "POL-G")
    stolen = explain(bearer("casework", organisation="POL-G", jti="stolen").token)
    assert (stolen[0], blocked in stolen[1], explain(caller.token)[0]) == (1, True, 0)
    stranger = explain(bearer(organisation="TS-UNKNOWN").token)
    assert (stranger[0], "admission: FAULT: The register does not know the organisation" in stranger[1]) == (1, True)
