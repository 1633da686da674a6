"""Production mode: signed tokens from a key set, TLS, and the settings with which the service refuses to start."""
import base64
import functools
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from client import Client
from service import Instance
from tokens import encode
from waiting import WATCHDOG_S, wait_until

ISSUER = "https://identity.example.org/"
SETTINGS = {"LR_MODE": "production", "LR_ISSUER": ISSUER}


def number(value, size):
    return encode(value.to_bytes(size, "big"))


class Issuer:
    """An identity provider: keys, the published key set, and tokens."""

    def __init__(self, folder):
        self.file = folder / "jwks.json"
        self.keys = {}

    def publish(self, **keys):
        self.keys = keys
        self.file.write_text(json.dumps({"keys": [self.jwk(kid, key) for kid, key in keys.items()]}))

    @staticmethod
    def jwk(kid, key):
        public = key.public_key().public_numbers()
        if isinstance(key, rsa.RSAPrivateKey):
            return {"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig",
                    "n": number(public.n, key.key_size // 8), "e": number(public.e, 3)}
        return {"kty": "EC", "kid": kid, "alg": "ES256", "use": "sig", "crv": "P-256",
                "x": number(public.x, 32), "y": number(public.y, 32)}

    def token(self, kid, key=None, typ="at+jwt", only=None, **claims):
        """Claims of a committee's token with changes; or issuer, audience and times with the claims `only`."""
        key = key or self.keys[kid]
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        now = int(time.time())
        header = {"alg": "RS256" if is_rsa else "ES256", "kid": kid, "typ": typ}
        body = {"iss": ISSUER, "aud": "learning-reviews", "sub": "committee-1", "client_id": "c1",
                "organisation": "CPC-GLA", "scope": "cases.read", "iat": now, "exp": now + 600, **claims}
        if only is not None:
            body = {**{name: body[name] for name in ("iss", "aud", "iat", "exp")}, **only, **claims}
        text = ".".join(encode(json.dumps(part).encode()) for part in (header, body))
        if is_rsa:
            signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            pair = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            signature = b"".join(each.to_bytes(32, "big") for each in pair)
        return f"{text}.{encode(signature)}"


def status_of(instance, token, path="/v1/cases"):
    request = urllib.request.Request(instance.url + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=WATCHDOG_S) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    made = Issuer(tmp_path_factory.mktemp("issuer"))
    made.publish(one=rsa.generate_private_key(65537, 2048), two=ec.generate_private_key(ec.SECP256R1()))
    return made


def set_database(cluster, name, value):
    cluster.execute(f"alter system set {name} = {value}")
    cluster.execute("select pg_reload_conf()")
    wait_until(lambda: cluster.execute(f"show {name}")[0][0] == value, f"{name} is {value}")


@pytest.fixture(scope="module")
def durable(cluster):
    """Makes the tests' database durable for a while, as production requires."""
    set_database(cluster, "fsync", "on")
    yield
    set_database(cluster, "fsync", "off")


@pytest.fixture(scope="module")
def production(instances, durable, cluster, keys, issuer):
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=issuer.file)
    del made.environment["LR_DEV_SECRET_FILE"]
    yield made.start()
    assert made.stop() == 0


@pytest.mark.parametrize("kid", ["one", "two"])
@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
def test_a_token_signed_by_a_published_key_is_accepted(production, issuer, kid, typ):
    assert status_of(production, issuer.token(kid, typ=typ)) == 200


def test_the_documentation_has_no_form_that_sends_requests(production):
    script = Client(production.url, None, None, None).send("getDocumentationScript").expect(200).bytes.decode()
    assert "search.json" in script and "Send the request" not in script


def test_a_token_signed_by_another_key_is_rejected(production, issuer):
    stranger = rsa.generate_private_key(65537, 2048)
    assert status_of(production, issuer.token("one", key=stranger)) == 401


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "https://elsewhere.example.org/"},
                                    {"exp": 1}, {"organisation": None}], ids=str)
def test_a_correctly_signed_token_with_a_wrong_claim_is_rejected(production, issuer, claims):
    assert status_of(production, issuer.token("one", **claims)) == 401


APPLICATION = "6731de76-14a6-49ae-97bc-6eba6914391e"
# The issuer's own claims of a client without a user; the sources are in tests/unit/test_issuers.c.
AS_SENT = {
    "keycloak": {"azp": "casework", "typ": "Bearer", "aud": ["learning-reviews", "account"], "scope": "email cases.read"},
    "entra": {"azp": APPLICATION, "azpacr": "1", "ver": "2.0", "roles": ["cases.read"], "sub": APPLICATION,
              "exp": int(time.time()) + 5400},
    "auth0": {"azp": "awZfdIir8YFdGZWkvCejDoUb7SjTDicx", "gty": "client-credentials", "scope": "cases.read",
              "sub": "awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients", "exp": int(time.time()) + 80000},
    "okta": {"cid": "0oabskvc6442nkvQO0h7", "scp": ["cases.read"], "ver": 1, "sub": "0oabskvc6442nkvQO0h7"},
}
CLIENT_CLAIMS = {"keycloak": "azp", "entra": "azp", "auth0": "azp", "okta": "cid"}


@pytest.mark.parametrize("profile", AS_SENT)
def test_a_client_of_a_real_issuer_is_mapped_and_served(instances, durable, cluster, keys, issuer, profile):
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=issuer.file, LR_TOKEN_PROFILE=profile)
    del made.environment["LR_DEV_SECRET_FILE"]
    made.start()

    def token(number):
        return issuer.token("one", typ="JWT", only=AS_SENT[profile], jti=str(number))
    try:
        assert status_of(made, token(1)) == 403
        made.run("client", "map", "--client", AS_SENT[profile][CLIENT_CLAIMS[profile]], "--organisation", "CPC-GLA")
        assert (status_of(made, token(2)), status_of(made, token(3), "/v1/actions")) == (200, 403)
    finally:
        cluster.execute("delete from register.client_organisation")
        assert made.stop() == 0


def answer_to(instance, token):
    """Returns status, headers and body of a refusal, without the values that differ from request to request."""
    request = urllib.request.Request(instance.url + "/v1/cases", headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=WATCHDOG_S)
    problem = json.load(refusal.value)
    own = problem.pop("request_id")
    assert problem.pop("instance") == f"urn:uuid:{own}"
    headers = {name: value for name, value in refusal.value.headers.items()
               if name not in ("Date", "X-Request-Id", "Content-Length")}
    return refusal.value.code, headers, problem


def test_every_fault_of_a_token_gets_the_same_answer(production, issuer):
    """Expired, wrong audience, unknown key, bad signature, no token: the answers are the same."""
    good = issuer.token("one")
    head, body, signature = good.split(".")
    tokens = [issuer.token("one", exp=1, iat=0), issuer.token("one", aud="another"),
              issuer.token("one", iss="https://x/"), issuer.token("other", key=issuer.keys["one"]),
              issuer.token("two", key=ec.generate_private_key(ec.SECP256R1())),
              issuer.token("one", organisation=None), issuer.token("one", scope=7), issuer.token("one", nbf=2 ** 32),
              f"{head}.{body}.{'A' * len(signature)}", f"{head}.{body}.", "a.b.c", "x", "A" * 5000]
    answers = [answer_to(production, token) for token in tokens]
    assert all(answer == answers[0] for answer in answers)
    status, headers, problem = answers[0]
    assert (status, problem["code"], headers["WWW-Authenticate"]) == (
        401, "token_invalid", 'Bearer realm="learning-reviews", error="invalid_token"')
    reasons = {line.get("reason") for line in production.log_lines() if line.get("status") == 401}
    assert {"expired", "audience", "issuer", "unknown_kid", "signature"} <= reasons


def await_admin(instance, path, status):
    wait_until(lambda: instance.admin(path)[0] == status, lambda: instance.log_text()[-2000:])


def test_without_the_issuers_keys_a_token_is_not_called_invalid(instances, cluster, keys, issuer, recorder):
    """The address does not answer: 503 with Retry-After, not ready, no key in the metrics."""
    made = Instance(cluster, keys, LR_DEV_SECRET_FILE=None, LR_ISSUER=ISSUER, LR_JWKS_URL="http://127.0.0.1:1/keys")
    made.process = subprocess.Popen([made.binary, "serve"], env=made.environment, stdout=made.log,
                                    stderr=subprocess.STDOUT)
    try:
        await_admin(made, "/livez", 200)
        assert json.loads(made.admin("/readyz")[1])["keys"] is False
        reply = Client(made.url, issuer.token("two"), recorder).send("listCases")
        assert (reply.status, reply.code, reply["retryable"]) == (503, "token_keys_unavailable", True)
        assert int(reply.headers["Retry-After"]) >= 1 and "WWW-Authenticate" not in reply.headers
        assert (made.figure("token_keys"), made.figure("token_keys_accepted_seconds")) == (0, 86400)
        assert "keys" in {line.get("reason") for line in made.log_lines()}
    finally:
        assert made.stop() == 0


@pytest.fixture
def key_address(issuer, keys):
    """The issuer's keys at an address whose certificate is of an authority that the system does not know."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=issuer.file.parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.receiver_certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/{issuer.file.name}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("known", [True, False], ids=["own authority", "system's authorities"])
def test_the_issuers_certificate_is_verified(instances, cluster, keys, key_address, known):
    """LR_JWKS_CA_FILE names the authority of an issuer that the system does not know."""
    made = Instance(cluster, keys, LR_DEV_SECRET_FILE=None, LR_ISSUER=ISSUER, LR_JWKS_URL=key_address,
                    LR_JWKS_CA_FILE=keys.receiver_ca if known else None)
    done = subprocess.run([made.binary, "check", "--settings"], env=made.environment, check=False, text=True,
                          timeout=WATCHDOG_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode == 0, "certificate" in done.stdout) == (known, not known), done.stdout


P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def test_both_signatures_of_an_elliptic_key_are_accepted_and_mean_one_token(production, issuer, cluster):
    """ECDSA has two valid signatures for each: (r, s) and (r, n - s). Issuers send either, because JOSE does not
    require a normal form (RFC 7518 section 3.4); so no decision may depend on the text of a signature."""
    head, body, signature = issuer.token("two", jti="one-of-two").split(".")
    pair = base64.urlsafe_b64decode(signature + "==")
    mirrored = P256_ORDER - int.from_bytes(pair[32:], "big")
    twin = f"{head}.{body}.{encode(pair[:32] + mirrored.to_bytes(32, 'big'))}"
    tokens = [f"{head}.{body}.{signature}", twin]
    assert twin != tokens[0]
    # Twice, so that the cache of verified tokens gives the second answer.
    assert [status_of(production, token) for token in tokens * 2] == [200] * 4
    cluster.execute("insert into register.exclusion (organisation, client, token_id) "
                    "values ('CPC-GLA', null, 'one-of-two')")
    try:
        assert [status_of(production, token) for token in tokens * 2] == [403] * 4
    finally:
        cluster.execute("delete from register.exclusion where token_id = 'one-of-two'")


def test_an_ordinary_issuer_sends_high_and_low_signatures(production, issuer):
    """OpenSSL, like the JDK, does not normalise s: about half of its signatures are high, and all are accepted."""
    high = 0
    for number_of_token in range(40):
        token = issuer.token("two", jti=f"token-{number_of_token}")
        high += int.from_bytes(base64.urlsafe_b64decode(token.split(".")[2] + "==")[32:], "big") > P256_ORDER // 2
        assert status_of(production, token) == 200
    assert 0 < high < 40


def test_keys_are_changed_without_a_restart(production, issuer):
    old = issuer.token("one")
    assert status_of(production, old) == 200
    issuer.publish(three=rsa.generate_private_key(65537, 2048), two=issuer.keys["two"])
    wait_until(lambda: status_of(production, issuer.token("three")) == 200, "the new key is accepted")
    assert status_of(production, old) == 401


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-keyout", folder / "key", "-out", folder / "certificate", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return folder


@pytest.fixture
def secured(instances, cluster, keys, certificate):
    made = Instance(cluster, keys, LR_TLS_CERTIFICATE_FILE=certificate / "certificate",
                    LR_TLS_KEY_FILE=certificate / "key")
    yield made.start()
    made.stop()


def tls(certificate, **bounds):
    context = ssl.create_default_context(cafile=certificate / "certificate")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    for name, value in bounds.items():
        setattr(context, name, value)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_is_used_when_configured(secured, certificate, version):
    context = tls(certificate, minimum_version=version, maximum_version=version)
    with urllib.request.urlopen(secured.url.replace("http:", "https:") + "/", context=context) as answer:
        assert answer.status == 200
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_refusals_over_tls_have_strict_transport_security(secured, certificate):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(secured.url.replace("http:", "https:") + "/v1/me", context=tls(certificate))
    assert refusal.value.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_without_its_own_tls_the_service_sends_no_strict_transport_security(instances):
    with urllib.request.urlopen(instances[0].url + "/") as answer:
        assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(secured, certificate):
    context = tls(certificate, minimum_version=ssl.TLSVersion.TLSv1_1,
                  maximum_version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(secured.url.replace("http:", "https:") + "/", context=context)


@pytest.mark.parametrize("changes, named", [
    ({"LR_MODE": "production"}, "LR_DEV_SECRET_FILE"),
    ({"LR_MODE": "production", "LR_DEV_SECRET_FILE": None}, "LR_ISSUER"),
    ({**SETTINGS, "LR_DEV_SECRET_FILE": None}, "LR_JWKS_URL"),
    ({**SETTINGS, "LR_DEV_SECRET_FILE": None, "LR_JWKS_URL": "http://keys.example.org/"}, "LR_JWKS_URL"),
    ({"LR_PSEUDONYM_KEY_FILE": None}, "LR_PSEUDONYM_KEY_FILE"),
    ({"LR_PSEUDONYM_KEY_FILE": "/dev/null"}, "LR_PSEUDONYM_KEY_FILE"),
    ({"LR_DATABASE": None}, "LR_DATABASE"),
    ({"LR_UNKNOWN": "1"}, "LR_UNKNOWN"),
    ({"LR_WORKERS": "0"}, "LR_WORKERS"),
    ({"LR_TLS_KEY_FILE": "/dev/null"}, "LR_TLS_CERTIFICATE_FILE"),
    ({"LR_LISTEN": "nowhere"}, "LR_LISTEN"),
], ids=str)
def test_unsafe_settings_are_refused_by_name(instances, cluster, keys, changes, named):
    made = Instance(cluster, keys)
    for name, value in changes.items():
        if value is None:
            del made.environment[name]
        else:
            made.environment[name] = value
    ended = subprocess.run([made.binary, "serve"], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    assert (ended.returncode, named in ended.stderr.decode()) == (78, True)


@pytest.mark.parametrize("changes, message", [
    ({"LR_PSEUDONYM_KEY_FILE": b"a" * 48}, "has 32 bytes or more, but too few different ones"),
    ({"LR_PSEUDONYM_KEY_FILE": b"CHANGE-ME"}, "must hold at least 32 bytes"),
    ({"LR_DEV_SECRET_FILE": b"abcabcabc" * 8}, "has 32 bytes or more, but too few different ones"),
    ({"LR_TRUSTED_PROXIES": "10.0.0.0/33"}, "LR_TRUSTED_PROXIES must be addresses, or networks"),
    ({"LR_TRUSTED_PROXIES": "proxy.example.org"}, "LR_TRUSTED_PROXIES must be addresses, or networks"),
    ({"LR_ADDRESS_CONNECTION_LIMIT": "0"}, "LR_ADDRESS_CONNECTION_LIMIT"),
    ({"LR_ORGANISATION_RATE_LIMIT": "0"}, "LR_ORGANISATION_RATE_LIMIT"),
    ({"LR_MODE": "production", "LR_ISSUER": ISSUER}, "which is for LR_MODE=dev only"),
    ({"LR_DEV_SECRET_FILE": None, "LR_JWKS_URL": "http://keys.example.org/jwks.json"},
     "LR_JWKS_URL: the address must begin with https (http only in dev"),
    ({"LR_DEV_SECRET_FILE": None, "LR_JWKS_FILE": b'{"keys": []}'}, "LR_JWKS_FILE"),
], ids=str)
def test_a_weak_setting_is_refused_with_a_sentence(instances, cluster, keys, tmp_path, changes, message):
    made = Instance(cluster, keys)
    for name, value in changes.items():
        if isinstance(value, bytes):
            (tmp_path / name).write_bytes(value)
            (tmp_path / name).chmod(0o600)
            value = str(tmp_path / name)
        made.environment[name] = value
    made.environment = {name: value for name, value in made.environment.items() if value is not None}
    ended = subprocess.run([made.binary, "serve"], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    assert (ended.returncode, message in ended.stderr.decode()) == (78, True), ended.stderr.decode()


def test_a_key_set_with_only_a_weak_key_is_refused(instances, cluster, keys, tmp_path):
    weak = Issuer(tmp_path)
    weak.publish(one=rsa.generate_private_key(65537, 1024))
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=weak.file)
    del made.environment["LR_DEV_SECRET_FILE"]
    ended = subprocess.run([made.binary, "serve"], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    assert (ended.returncode, "LR_JWKS_FILE" in ended.stderr.decode()) == (78, True), ended.stderr.decode()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_database_that_is_not_durable_is_refused(durable, instances, cluster, keys, issuer, name,
                                                   command):
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=issuer.file)
    del made.environment["LR_DEV_SECRET_FILE"]
    set_database(cluster, name, "off")
    ended = subprocess.run([made.binary, command], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    set_database(cluster, name, "on")
    said = (ended.stdout + ended.stderr).decode()
    assert (ended.returncode, f"the database has {name} = off" in said) == (78, True), said


def test_a_database_that_is_not_durable_is_accepted_in_dev(durable, instances, cluster, keys):
    set_database(cluster, "fsync", "off")
    said = Instance(cluster, keys).run("check")
    set_database(cluster, "fsync", "on")
    assert "durability: in order, not kept, which is allowed in dev" in said


def test_a_database_role_that_row_level_security_does_not_bind_is_refused(instances, cluster, keys):
    made = Instance(cluster, keys)
    made.environment["LR_DATABASE"] = cluster.connection_string("postgres")
    ended = subprocess.run([made.binary, "serve"], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    assert (ended.returncode, "superuser" in ended.stderr.decode()) == (78, True)


# --- settings that production allows explicitly, or warns of

EVERYWHERE = {"LR_PUBLIC_URL": "https://register.example"}


def offered(cluster, keys, issuer, **settings):
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=issuer.file, **settings)
    del made.environment["LR_DEV_SECRET_FILE"]
    return made


def said_by(made, command, **environment):
    """Returns the status of the command, and its output."""
    ended = subprocess.run([made.binary, *command.split()], env={**made.environment, **environment},
                           capture_output=True, timeout=60, check=False)
    return ended.returncode, (ended.stdout + ended.stderr).decode()


def warnings_of(made):
    return [line["message"] for line in made.log_lines() if line["level"] == "warning"]


@pytest.mark.parametrize("host", ["", "0.0.0.0", "[::]"])
@pytest.mark.parametrize("command", ["serve", "check"])
def test_plain_http_on_a_reachable_address_is_refused(durable, instances, cluster, keys, issuer, host, command):
    made = offered(cluster, keys, issuer, **EVERYWHERE)
    made.environment["LR_LISTEN"] = f"{host}:{made.port}"
    status, said = said_by(made, command)
    assert status == 78
    assert f'LR_LISTEN is "{host}:{made.port}", which other machines can reach over plain HTTP.' in said
    assert "set LR_ALLOW_PLAIN_HTTP=1" in said


def test_plain_http_on_a_reachable_address_can_be_allowed_and_is_logged(durable, instances, cluster, keys, issuer):
    made = offered(cluster, keys, issuer, **EVERYWHERE, LR_ALLOW_PLAIN_HTTP=1)
    made.environment["LR_LISTEN"] = f":{made.port}"
    made.start()
    status, said = said_by(made, "check")
    assert made.stop() == 0
    assert status == 0 and "configuration: WARNING: LR_LISTEN is" in said
    assert any("over plain HTTP, as LR_ALLOW_PLAIN_HTTP=1 allows" in text for text in warnings_of(made))


def test_tls_on_a_reachable_address_needs_no_setting(durable, instances, cluster, keys, issuer, certificate):
    made = offered(cluster, keys, issuer, **EVERYWHERE, LR_TLS_CERTIFICATE_FILE=certificate / "certificate",
                   LR_TLS_KEY_FILE=certificate / "key")
    made.environment["LR_LISTEN"] = f":{made.port}"
    status, said = said_by(made, "check --settings")
    assert (status, "WARNING" in said) == (0, False), said


def test_dev_warns_of_plain_http_on_a_reachable_address(instances, cluster, keys):
    made = Instance(cluster, keys)
    made.environment["LR_LISTEN"] = f":{made.port}"
    status, said = said_by(made, "check --settings")
    assert status == 0 and "configuration: WARNING: LR_LISTEN is" in said and "development tokens" in said
    assert f"LR_PUBLIC_URL                http://127.0.0.1:{made.port}" in said


def test_listening_on_every_interface_needs_a_public_url(durable, instances, cluster, keys, issuer):
    made = offered(cluster, keys, issuer, LR_ALLOW_PLAIN_HTTP=1)
    made.environment["LR_LISTEN"] = f":{made.port}"
    status, said = said_by(made, "serve")
    assert (status, "LR_PUBLIC_URL is not set" in said) == (78, True), said


def test_a_public_url_with_plain_http_causes_a_warning(durable, instances, cluster, keys, issuer):
    status, said = said_by(offered(cluster, keys, issuer, LR_PUBLIC_URL="http://register.example"), "check --settings")
    assert status == 0 and 'configuration: WARNING: LR_PUBLIC_URL is "http://register.example"' in said


UNVERIFIED = "Add sslmode=verify-full (and sslrootcert), or set LR_ALLOW_UNVERIFIED_DATABASE=1"
# The tests below look up and connect to nothing: no host has such a name.
REMOTE = "host=db.invalid dbname=register user=register_service"


@pytest.mark.parametrize("text, mode", [
    (f"{REMOTE} sslmode=require", "require"), (f"{REMOTE} sslmode=verify-ca", "verify-ca"),
    (f"{REMOTE} sslmode=disable", "disable"), ("host=/tmp,db.invalid user=x", "prefer"),
    ("host=localhost hostaddr=192.0.2.1 user=x", "prefer"), ("host=192.0.2.1 user=x", "prefer"),
    ("postgresql://register_service@db.invalid/register?sslmode=require", "require"),
], ids=str)
def test_tcp_to_an_unverified_database_is_refused(durable, instances, cluster, keys, issuer, text, mode):
    status, said = said_by(offered(cluster, keys, issuer, LR_DATABASE=text), "serve")
    assert (status, f"over TCP with sslmode={mode}," in said, UNVERIFIED in said) == (78, True, True), said


@pytest.mark.parametrize("command, setting", [("serve", "LR_DATABASE"), ("check --database", "LR_DATABASE"),
                                              ("check audit", "LR_DATABASE"), ("serve", "LR_READ_DATABASE"),
                                              ("check --database", "LR_READ_DATABASE"),
                                              ("migrate", "LR_MIGRATION_DATABASE"),
                                              ("check --database", "LR_MIGRATION_DATABASE")])
def test_each_command_refuses_an_unverified_database(durable, instances, cluster, keys, issuer, command, setting):
    status, said = said_by(offered(cluster, keys, issuer, **{setting: REMOTE}), command)
    assert status == 78, said
    assert f"{setting} leads to db.invalid over TCP with sslmode=prefer," in said and UNVERIFIED in said


@pytest.mark.parametrize("environment, text", [
    ({"PGHOST": "db.invalid"}, "user=register_service"),
    ({"PGSSLMODE": "require"}, REMOTE),
    ({"PGSERVICE": "register"}, "user=register_service"), ({}, "service=register")], ids=str)
def test_libpq_s_own_variables_and_service_files_count(durable, instances, cluster, keys, issuer, tmp_path, environment,
                                                       text):
    (tmp_path / "services").write_text("[register]\nhost=db.invalid\n")
    status, said = said_by(offered(cluster, keys, issuer, LR_DATABASE=text), "serve",
                           PGSERVICEFILE=str(tmp_path / "services"), **environment)
    assert (status, "LR_DATABASE leads to db.invalid over TCP" in said) == (78, True), said


@pytest.mark.parametrize("settings", [
    {"LR_DATABASE": f"{REMOTE} sslmode=verify-full sslrootcert=/etc/ssl/certs/ca-certificates.crt"},
    {"LR_DATABASE": REMOTE, "LR_ALLOW_UNVERIFIED_DATABASE": "1"},
    {"LR_DATABASE": "host=127.0.0.1 port=1"}, {"LR_DATABASE": "host=localhost,::1 port=1"},
    {"LR_DATABASE": "host=db.invalid hostaddr=127.0.0.2 port=1"},
    {"LR_DATABASE": REMOTE, "LR_MODE": "dev"}], ids=str)
def test_a_verified_or_allowed_database_is_tried(durable, instances, cluster, keys, issuer, settings):
    made = offered(cluster, keys, issuer)
    made.environment.update(settings)
    status, said = said_by(made, "serve")
    assert (status, "LR_DATABASE: the database cannot be reached: " in said) == (69, True), said


def test_an_allowed_unverified_database_causes_a_warning(durable, instances, cluster, keys, issuer):
    made = offered(cluster, keys, issuer, LR_MIGRATION_DATABASE=REMOTE, LR_ALLOW_UNVERIFIED_DATABASE=1)
    status, said = said_by(made, "check --database")
    assert (status, "migration database: WARNING: LR_MIGRATION_DATABASE leads to db.invalid" in said) == (0, True), said


PRIVATE_LOG = {"log_error_verbosity": "terse", "log_min_error_statement": "panic", "log_parameter_max_length": "0",
               "log_parameter_max_length_on_error": "0", "log_statement": "none", "log_min_duration_statement": "-1"}


@pytest.fixture
def private_log(durable, instances, cluster):
    """Gives the serving role the settings of deploy/README.md for PostgreSQL's log, and removes them at the end."""
    def change(settings):
        for name, value in settings.items():
            cluster.execute(f"alter role register_service set {name} = '{value}'")
    change(PRIVATE_LOG)
    yield change
    cluster.execute("alter role register_service reset all")


def test_a_log_of_postgresql_without_request_data_is_accepted(private_log, cluster, keys, issuer):
    status, said = said_by(offered(cluster, keys, issuer), "check --database")
    assert (status, "database log: in order" in said, "WARNING" in said) == (0, True, False), said


@pytest.mark.parametrize("changes, name, value, safe", [
    ({"log_error_verbosity": "default"}, "log_error_verbosity", "default", "terse"),
    ({"log_min_error_statement": "error"}, "log_min_error_statement", "error", "panic"),
    ({"log_statement": "mod"}, "log_statement", "mod", "none"),
    ({"log_statement": "all"}, "log_statement", "all", "none"),
    ({"log_parameter_max_length_on_error": "-1"}, "log_parameter_max_length_on_error", "-1", "0"),
    ({"log_min_duration_statement": "0", "log_parameter_max_length": "-1"}, "log_parameter_max_length",
     "-1 with log_min_duration_statement = 0", "0"),
    ({"log_min_duration_sample": "100", "log_parameter_max_length": "16"}, "log_parameter_max_length",
     "16 with log_min_duration_sample = 100", "0"),
    ({"debug_print_plan": "on"}, "debug_print_plan", "on", "off"),
], ids=str)
def test_a_log_of_postgresql_with_values_is_reported_with_its_repair(private_log, cluster, keys, issuer,
                                                                     changes, name, value, safe):
    private_log(changes)
    made = offered(cluster, keys, issuer)
    found = f"PostgreSQL has {name} = {value}, so that its log records what requests hold."
    repair = f"alter role register_service set {name} = '{safe}'"
    status, said = said_by(made, "check --database")
    assert (status, f"database log: WARNING: {found}" in said, repair in said) == (0, True, True), said
    cluster.execute(repair)
    assert found not in said_by(made, "check --database")[1]


def test_slow_statements_may_be_logged_without_their_parameters(private_log, cluster, keys, issuer):
    private_log({"log_min_duration_statement": "100"})
    assert "database log: in order" in said_by(offered(cluster, keys, issuer), "check --database")[1]


def test_the_service_starts_and_logs_the_faults_of_postgresql_s_log(private_log, cluster, keys, issuer):
    private_log({"log_error_verbosity": "verbose"})
    made = offered(cluster, keys, issuer).start()
    assert made.stop() == 0
    assert [text for text in warnings_of(made) if "log_error_verbosity = verbose" in text]


def test_the_log_has_libpq_s_message_for_an_unreachable_standby(instances, cluster, keys):
    made = Instance(cluster, keys, LR_READ_DATABASE="host=/nonexistent password=hunter2").start()
    wait_until(lambda: any("no standby can be reached" in text for text in warnings_of(made)), made.log_text)
    assert made.stop() == 0
    text = next(text for text in warnings_of(made) if "no standby" in text)
    assert "No such file or directory" in text and "hunter2" not in made.log_text()
