"""Production: signed tokens from a key set, TLS, and what the service refuses to start with."""
import base64
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from service import Instance
from waiting import WATCHDOG_S, wait_until

ISSUER = "https://identity.example.org/"
SETTINGS = {"LR_MODE": "production", "LR_ISSUER": ISSUER}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size):
    return encode(value.to_bytes(size, "big"))


class Issuer:
    """An identity provider: keys, the set it publishes, and tokens."""

    def __init__(self, folder):
        self.file = folder / "jwks.json"
        self.keys = {}

    def publish(self, **keys):
        self.keys = keys
        self.file.write_text(json.dumps({"keys": [self._jwk(kid, key) for kid, key in keys.items()]}))

    @staticmethod
    def _jwk(kid, key):
        public = key.public_key().public_numbers()
        if isinstance(key, rsa.RSAPrivateKey):
            return {"kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig",
                    "n": number(public.n, key.key_size // 8), "e": number(public.e, 3)}
        return {"kty": "EC", "kid": kid, "alg": "ES256", "use": "sig", "crv": "P-256",
                "x": number(public.x, 32), "y": number(public.y, 32)}

    def token(self, kid, key=None, typ="at+jwt", **claims):
        key = key or self.keys[kid]
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        now = int(time.time())
        header = {"alg": "RS256" if is_rsa else "ES256", "kid": kid, "typ": typ}
        body = {"iss": ISSUER, "aud": "learning-reviews", "sub": "committee-1", "client_id": "c1",
                "organisation": "CPC-GLA", "scope": "cases.read", "iat": now, "exp": now + 600, **claims}
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
    """The database of the tests keeps what it confirms for a while, as production asks."""
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
def test_a_token_signed_by_a_published_key_is_believed(production, issuer, kid, typ):
    assert status_of(production, issuer.token(kid, typ=typ)) == 200


def test_a_token_signed_by_another_key_is_not_believed(production, issuer):
    stranger = rsa.generate_private_key(65537, 2048)
    assert status_of(production, issuer.token("one", key=stranger)) == 401


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "https://elsewhere.example.org/"},
                                    {"exp": 1}, {"organisation": None}], ids=str)
def test_a_well_signed_token_with_a_wrong_claim_is_not_believed(production, issuer, claims):
    assert status_of(production, issuer.token("one", **claims)) == 401


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
def test_tls_is_spoken_when_configured(secured, certificate, version):
    context = tls(certificate, minimum_version=version, maximum_version=version)
    with urllib.request.urlopen(secured.url.replace("http:", "https:") + "/", context=context) as answer:
        assert answer.status == 200


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
    ({"LR_PSEUDONYM_KEY_FILE": b"a" * 48}, "LR_PSEUDONYM_KEY_FILE: the file has 32 bytes or more, but too few"),
    ({"LR_PSEUDONYM_KEY_FILE": b"CHANGE-ME"}, "LR_PSEUDONYM_KEY_FILE: the file has to hold at least 32 bytes"),
    ({"LR_DEV_SECRET_FILE": b"abcabcabc" * 8}, "LR_DEV_SECRET_FILE: the file has 32 bytes or more, but too few"),
    ({"LR_TRUSTED_PROXIES": "10.0.0.0/33"}, "LR_TRUSTED_PROXIES has to be addresses, or networks"),
    ({"LR_TRUSTED_PROXIES": "proxy.example.org"}, "LR_TRUSTED_PROXIES has to be addresses, or networks"),
    ({"LR_ADDRESS_CONNECTION_LIMIT": "0"}, "LR_ADDRESS_CONNECTION_LIMIT"),
    ({"LR_ORGANISATION_RATE_LIMIT": "0"}, "LR_ORGANISATION_RATE_LIMIT"),
    ({"LR_MODE": "production", "LR_ISSUER": ISSUER}, "LR_DEV_SECRET_FILE is for LR_MODE=dev only"),
    ({"LR_DEV_SECRET_FILE": None, "LR_JWKS_URL": "http://keys.example.org/jwks.json"},
     "LR_JWKS_URL: the address has to begin with https (http only in dev"),
    ({"LR_DEV_SECRET_FILE": None, "LR_JWKS_FILE": b'{"keys": []}'}, "LR_JWKS_FILE"),
], ids=str)
def test_what_is_weak_is_refused_with_a_sentence(instances, cluster, keys, tmp_path, changes, message):
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


def test_a_key_set_with_nothing_but_a_weak_key_is_refused(instances, cluster, keys, tmp_path):
    weak = Issuer(tmp_path)
    weak.publish(one=rsa.generate_private_key(65537, 1024))
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=weak.file)
    del made.environment["LR_DEV_SECRET_FILE"]
    ended = subprocess.run([made.binary, "serve"], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    assert (ended.returncode, "LR_JWKS_FILE" in ended.stderr.decode()) == (78, True), ended.stderr.decode()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_database_that_may_lose_what_it_confirmed_is_refused(durable, instances, cluster, keys, issuer, name,
                                                               command):
    made = Instance(cluster, keys, **SETTINGS, LR_JWKS_FILE=issuer.file)
    del made.environment["LR_DEV_SECRET_FILE"]
    set_database(cluster, name, "off")
    ended = subprocess.run([made.binary, command], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    set_database(cluster, name, "on")
    said = (ended.stdout + ended.stderr).decode()
    assert (ended.returncode, f"the database has {name} = off" in said) == (78, True), said


def test_a_database_that_may_lose_what_it_confirmed_will_do_in_dev(instances, cluster, keys):
    set_database(cluster, "fsync", "off")
    assert "durability: in order, not kept, which is allowed in dev" in Instance(cluster, keys).run("check")


def test_a_database_role_that_row_level_security_does_not_bind_is_refused(instances, cluster, keys):
    made = Instance(cluster, keys)
    made.environment["LR_DATABASE"] = cluster.connection_string("postgres")
    ended = subprocess.run([made.binary, "serve"], env=made.environment, capture_output=True, timeout=WATCHDOG_S,
                           check=False)
    assert (ended.returncode, "superuser" in ended.stderr.decode()) == (78, True)
