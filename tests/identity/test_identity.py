"""The register with the tokens of real authorization servers, as these issue them: no mapper adds a claim.

The organisation comes from the register's table of clients; the server only names the register as the audience.
"""
import base64
import json
import signal

import pytest

from payloads import new_referral
from waiting import wait_until


def part(token, number):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[number] + "=="))


def status(register, token):
    return register.caller(token).send("listReferrals").status


def test_a_client_pushes_and_reads_once_it_is_mapped(serving, server):
    register, token = serving(server), server.token()
    reply = register.caller(token).send("listReferrals")
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")
    assert "client map" in register.explain(token)["organisation"]
    register.run("client", "map", "--client", server.client, "--organisation", "LA-S12000049")
    caller = register.caller(server.token())
    pushed = caller.send("pushReferral", new_referral())
    assert (pushed.status, pushed["source_organisation"]) == (201, "LA-S12000049")
    assert caller.send("getReferral", id=pushed["id"]).json == pushed.json
    assert register.explain(caller.token) == {}
    assert caller.send("listCases").code == "scope_missing"


def test_a_token_for_another_audience_is_rejected(register, server):
    token = server.token_without_audience()
    assert status(register, token) == 401
    assert "audience" in register.explain(token)


def test_a_stolen_token_is_blocked_by_its_identifier(register, server):
    stolen, other = server.token(), server.token()
    assert (status(register, stolen), status(register, other)) == (200, 200)
    register.run("token", "block", "--id", part(stolen, 1)["jti"], "--organisation", "LA-S12000049")
    assert (status(register, stolen), status(register, other)) == (403, 200)
    assert "blocks" in register.explain(stolen)["admission"]
    assert register.explain(other) == {}


def test_a_blocked_client_is_refused_whatever_token_it_has(register, server):
    before = server.token()
    assert status(register, before) == 200
    register.run("client", "block", "--client", server.client)
    after = server.token()
    assert (status(register, before), status(register, after)) == (403, 403)
    assert "blocks" in register.explain(after)["admission"]
    register.run("client", "unblock", "--client", server.client)
    assert (status(register, before), status(register, after)) == (200, 200)


def test_a_new_signing_key_is_found_and_a_removed_one_is_rejected(register, server):
    old = server.token()
    assert status(register, old) == 200
    server.rotate()
    new = server.token()
    assert part(new, 0)["kid"] != part(old, 0)["kid"]
    wait_until(lambda: status(register, new) == 200, "the unknown key makes the register fetch the key set")
    assert status(register, old) == 200
    server.remove_old_key()
    register.signal(signal.SIGHUP)
    wait_until(lambda: status(register, old) == 401, "the removed key is not accepted any more")
    assert set(register.explain(old)) == {"signature"}
    assert status(register, server.token()) == 200


@pytest.mark.parametrize("server", ["keycloak"], indirect=True)
def test_a_realm_without_any_mapper_is_accepted_with_its_own_audience(serving, server):
    realm = server.plain_realm()
    register = serving(realm)
    register.run("client", "map", "--client", realm.client, "--organisation", "LA-S12000049")
    token = realm.token()
    assert part(token, 1)["aud"] == realm.audience and "organisation" not in part(token, 1)
    assert register.caller(token).send("pushReferral", new_referral()).status == 201
    assert register.explain(server.token()).keys() == {"signature", "issuer", "audience"}


def test_a_client_disabled_at_the_server_gets_no_further_token(register, server):
    token = server.token()
    server.enable_client(False)
    assert server.ask_for_token().status_code in (400, 401, 403)
    server.enable_client(True)
    assert status(register, token) == 200, "a token is accepted until it expires or is blocked"
    register.run("client", "block", "--client", server.client)
    assert status(register, token) == 403
