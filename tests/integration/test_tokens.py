"""Tokens: which are accepted, and that all others get the same refusal."""
import concurrent.futures
import pathlib
import re
import time

import pytest

from client import Client, new_key
from payloads import new_referral
from tokens import CLAIMS, make_token
from waiting import wait_until


@pytest.fixture
def ask(instance, recorder, keys):
    """Sends a request with a token with these claims."""
    def send(token=None, **claims):
        token = make_token(keys.token_secret, **claims) if token is None else token
        return Client(instance.url, token, recorder).send("listReferrals")
    return send


def test_a_valid_token_is_accepted(ask):
    assert ask().status == 200


def test_without_a_token_the_answer_asks_for_one(anonymous):
    reply = anonymous.send("listReferrals")
    assert (reply.status, reply.code) == (401, "token_missing")
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="learning-reviews"'


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "bearer", "Token abc", ""])
def test_another_authorisation_scheme_is_refused(anonymous, header):
    reply = anonymous.send("listReferrals", headers={"Authorization": header})
    assert reply.status == 401


NOW = int(time.time())
BAD_CLAIMS = {
    "expired": {"iat": NOW - 1000, "exp": NOW - 100}, "wrong audience": {"aud": "another-service"},
    "wrong audiences": {"aud": ["another-service", "a-third"]}, "no audience": {"drop": ["aud"]},
    "wrong issuer": {"iss": "https://identity.invalid/other"}, "no issuer": {"drop": ["iss"]},
    "issuer with slash": {"iss": CLAIMS["iss"] + "/"}, "no expiry": {"drop": ["exp"]},
    "expiry as text": {"exp": "tomorrow"}, "issued later": {"iat": NOW + 50000, "exp": NOW + 50600},
    "not yet valid": {"nbf": NOW + 50000}, "too long a life": {"exp": NOW + 10 ** 7},
    "organisation null": {"organisation": None}, "organisation no text": {"organisation": 7},
    "no client": {"drop": ["client_id"]}, "no scope": {"drop": ["scope"]},
    "unknown key": {"header": {"alg": "HS256", "kid": "other"}},
    "other algorithm": {"header": {"alg": "HS512", "kid": "dev"}},
    "critical": {"header": {"alg": "HS256", "kid": "dev", "crit": ["exp"]}},
}


@pytest.mark.parametrize("kind", BAD_CLAIMS)
def test_a_token_with_a_fault_is_refused(ask, kind):
    reply = ask(**BAD_CLAIMS[kind])
    assert (reply.status, reply.code) == (401, "token_invalid")
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


REASONS = {
    "expired": "expired (`exp`)", "wrong audience": "`aud`", "wrong audiences": "`aud`", "no audience": "`aud`",
    "wrong issuer": "`iss`", "no issuer": "`iss`", "issuer with slash": "`iss`", "no expiry": "`exp` is missing",
    "expiry as text": "`exp` is missing", "issued later": "`iat` is in the future", "not yet valid": "`nbf`",
    "too long a life": "lifetime", "organisation null": "`organisation`", "organisation no text": "`organisation`",
    "no client": "`client_id`", "no scope": "`scope`", "unknown key": "`kid` is not in the key set",
    "other algorithm": "`alg`", "critical": "`crit`"}


@pytest.mark.parametrize("kind", BAD_CLAIMS)
def test_in_development_a_refusal_names_the_fault_of_the_token(ask, kind):
    problem = ask(**BAD_CLAIMS[kind]).json
    assert REASONS[kind] in problem["detail"]
    assert (problem["title"], problem["errors"]) == ("Token not accepted", [])


def test_in_development_a_refusal_says_why_a_text_is_not_a_token(ask):
    for token, reason in (("x", "three parts"), ("a.b.c", "base64url"), ("A" * 4097, "4096 bytes"),
                          ("e30.e30.e30", "`alg`"), (make_token(b"x" * 64), "signature")):
        assert reason in ask(token)["detail"], token


def test_the_reason_never_repeats_the_content_of_the_token(ask):
    assert "canary" not in ask(aud="canary-aud", sub="canary-sub", iss="canary-iss").bytes.decode()


def test_every_code_of_a_refusal_has_a_sentence():
    """The reasons that the sources return are those that token_explain knows; three others are a 503."""
    folder = pathlib.Path(__file__).parents[2] / "service" / "auth"
    parts = {name: (folder / f"{name}.c").read_text(encoding="utf-8")
             for name in ("token", "token_claims", "token_parse")}
    known = set(re.findall(r'^    \{"([a-z_]+)",', parts["token"], re.MULTILINE))
    returned = set(re.findall(r'(?:return|refusal =|NULL :|\?) "([a-z_]+)";', "".join(parts.values())))
    assert len(known) > 20 and known == returned - {"internal", "keys", "directory"}


def test_a_token_signed_with_another_secret_is_refused(ask):
    assert ask(make_token(b"x" * 64)).status == 401


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(ask, algorithm):
    token = make_token(b"", header={"alg": algorithm, "kid": "dev"})
    assert ask(token.rpartition(".")[0] + ".").status == 401
    assert ask(token).status == 401


def test_a_changed_token_is_refused(ask, keys):
    head, body, signature = make_token(keys.token_secret).split(".")
    other = make_token(keys.token_secret, organisation="CPC-GLA").split(".")[1]
    assert ask(f"{head}.{other}.{signature}").status == 401
    assert ask(f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}").status == 401


@pytest.mark.parametrize("token", ["x", "..", "a.b", "a.b.c.d", "é.é.é", "A" * 10_000, "a b.c.d"])
def test_a_text_that_is_not_a_token_is_refused(ask, token):
    assert ask(token.encode().decode("latin-1")).status in (400, 401)


def test_a_token_in_the_query_is_refused(anonymous, agency):
    reply = anonymous.send("listReferrals", query=f"access_token={agency.token}")
    assert reply.status == 401


@pytest.mark.parametrize("operation, scope", [
    ("pushReferral", "referrals.write"), ("listReferrals", "referrals.read"),
    ("listCases", "cases.read"), ("openCase", "cases.write"), ("listActions", "actions.read")])
def test_a_missing_scope_is_named(caller, operation, scope):
    reply = caller("CPC-GLA", "little", "statistics.read").send(operation, {} if "push" in operation
                                                                or "open" in operation else None)
    assert (reply.status, reply.code) == (403, "scope_missing")
    assert scope in reply["detail"]
    assert f'scope="{scope}"' in reply.headers["WWW-Authenticate"]


def test_a_scope_is_compared_as_a_whole(ask):
    assert ask(scope="referrals.reader").status == 403
    assert ask(scope="referrals.write").status == 403


@pytest.mark.parametrize("operation", ["getPrincipal", "listStages", "listReferrals", "listCases"])
def test_an_unknown_organisation_is_refused(caller, operation):
    reply = caller("LA-S12999999", "stranger").send(operation)
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")


@pytest.fixture
def shut_out(cluster):
    """Blocks a client (None: all of its organisation), or one of its tokens, until the end of the test."""
    def insert(organisation, client, token_id=None):
        cluster.execute("insert into register.exclusion (organisation, client, token_id) values (%s, %s, %s)",
                        [organisation, client, token_id])
    yield insert
    cluster.execute("delete from register.exclusion")


@pytest.mark.parametrize("whole", [False, True])
def test_a_blocked_client_is_refused_from_the_next_request_on(caller, instances, cluster, shut_out, whole):
    client, colleague = caller("POL-G", "lost-its-secret"), caller("POL-G", "keeps-its-secret")
    neighbour = caller("HB-S08000031", "lost-its-secret")
    assert client.send("pushReferral", new_referral()).status == 201
    shut_out("POL-G", None if whole else "lost-its-secret")
    for instance in instances:
        there = client.at(instance.url)
        replies = [there.send("getPrincipal"), there.send("listReferrals"), there.send("pushReferral", new_referral()),
                   there.send("pushReferral", new_referral(), key=new_key()),
                   there.send("pushReferrals", [new_referral()])]
        assert {(one.status, one.code) for one in replies} == {(403, "organisation_not_allowed")}
    assert colleague.send("pushReferral", new_referral()).status == (403 if whole else 201)
    assert neighbour.send("pushReferral", new_referral()).status == 201
    cluster.execute("delete from register.exclusion")
    assert client.send("pushReferral", new_referral()).status == 201


def test_a_blocked_client_gets_no_cached_statistics(caller, shut_out):
    client = caller("CPC-GLA", "lost-its-secret", "statistics.read")

    def ask():
        return client.send("getStatistics", table="decisions", query="view=live&committee=GLA").status
    assert {ask() for _ in range(3)} == {200}
    shut_out("CPC-GLA", "lost-its-secret")
    wait_until(lambda: ask() != 200, "the client is blocked")
    assert {ask() for _ in range(3)} == {403}


@pytest.mark.parametrize("client", [None, CLAIMS["client_id"]])
def test_one_token_is_blocked_by_its_jti(instances, recorder, keys, shut_out, client):
    def bearer(**claims):
        return make_token(keys.token_secret, scope="referrals.read referrals.write", **claims)

    lost, another, nameless = bearer(jti="lost"), bearer(jti="another"), bearer()
    shut_out(CLAIMS["organisation"], client, "lost")
    for instance in instances:
        there = Client(instance.url, lost, recorder)
        replies = [there.send("listReferrals"), there.send("pushReferral", new_referral(), key=new_key()),
                   there.send("pushReferrals", [new_referral()])]
        assert {(one.status, one.code) for one in replies} == {(403, "organisation_not_allowed")}
        for token in (another, nameless):
            assert Client(instance.url, token, recorder).send("listReferrals").status == 200


def test_concurrent_pushes_are_recorded_with_their_own_tokens(instance, recorder, keys, shut_out):
    """Pushes in one commit keep their own tokens, too."""
    tokens = [make_token(keys.token_secret, scope="referrals.write", jti=f"token-{n}") for n in range(2)]
    shut_out(CLAIMS["organisation"], None, "token-1")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda n: Client(instance.url, tokens[n % 2], recorder).send(
            "pushReferral", new_referral(), key=new_key()).status, range(200)))
    assert statuses == [201, 403] * 100


def test_only_the_owner_sees_or_changes_blocked_clients(cluster):
    assert cluster.execute("select has_table_privilege('register_service', 'register.exclusion', 'select, insert, update, "
                           "delete')") == [(False,)]


def test_the_kind_of_an_organisation_does_not_come_from_the_token(ask):
    reply = ask(scope="referrals.read cases.read", kind="committee", committee="GLA")
    assert reply.status == 200
    assert all(one["source_organisation"] == "LA-S12000049" for one in reply["items"])


def test_a_token_never_appears_in_the_log(ask, keys, instance):
    token = make_token(keys.token_secret, jti=new_key())
    ask(token)
    ask(token[:-3])
    assert token[-20:-3] not in instance.log_text()


def test_the_token_command_makes_tokens_for_the_roles(instance, recorder):
    for role, code in (("committee", "CPC-GLA"), ("agency", "LA-S12000049"),
                       ("health", "HB-S08000031"), ("police", "POL-G"), ("dashboard", "SG"),
                       ("other-committee", "CPC-EDH")):
        token = instance.run("token", "--role", role)
        me = Client(instance.url, token, recorder).send("getPrincipal")
        assert me["organisation"]["code"] == code
