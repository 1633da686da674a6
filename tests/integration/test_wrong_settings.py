"""Wrong settings: `serve` and `check` each name the setting, its value and the repair in one line."""
import re
import secrets
import subprocess
import threading

import pytest

from receiver import make_certificates
from service import Instance, free_port
from waiting import WATCHDOG_S

PASSWORD = "hunter2"  # never shown

# Changes of a correct configuration, and the parts of the line: setting, value, cause or rule, repair.
WRONG = {
    "unknown setting": ({"LR_WORKER": "8"}, ["LR_WORKER", "is not a setting", "Correct the name, or remove it"]),
    "number out of range": ({"LR_WORKERS": "0"}, ["LR_WORKERS", '"0"', "a whole number from 1 to 1024"]),
    "unknown mode": ({"LR_MODE": "test"}, ["LR_MODE", '"test"', "must be dev or production"]),
    "address without a port": ({"LR_LISTEN": "localhost"},
                               ["LR_LISTEN", '"localhost"', "has no port", "Write HOST:PORT, such as 127.0.0.1:8080"]),
    "port taken": ({"LR_LISTEN": "127.0.0.1:{taken}"},
                   ["LR_LISTEN", '"127.0.0.1:{taken}"', "Address already in use", "choose another port"]),
    "address of another machine": (
        {"LR_LISTEN": "192.0.2.1:8080", "LR_PUBLIC_URL": "https://register.example"},
        ["LR_LISTEN", '"192.0.2.1:8080"', "Cannot assign requested address", "an address that this machine has"]),
    "public address without a scheme": ({"LR_PUBLIC_URL": "register.example"},
                                        ["LR_PUBLIC_URL", '"register.example"', "Write it like https://"]),
    "token endpoint without a scheme": ({"LR_TOKEN_URL": "identity.example.org/token"},
                                        ["LR_TOKEN_URL", '"identity.example.org/token"', "Write it like https://"]),
    "token endpoint with an apostrophe": ({"LR_TOKEN_URL": "https://identity.example.org/'"},
                                          ["LR_TOKEN_URL", "a character that must not be in an address"]),
    "page instead of an origin": (
        {"LR_CORS_ORIGINS": "http://localhost:3000 https://dashboard.example.org/"},
        ["LR_CORS_ORIGINS", "dashboard.example.org/", "more than scheme, host in lower case, and port", "Write origins"]),
    "host of the database": ({"LR_DATABASE": "host=/nowhere user=register_service password={password}"},
                             ["LR_DATABASE", "/nowhere", "No such file or directory", "Correct the connection string"]),
    "user of the database": ({"LR_DATABASE": "host={socket} user=nobody password={password}"},
                             ["LR_DATABASE", 'role "nobody" does not exist', "Correct the connection string"]),
    "name of the database": ({"LR_DATABASE": "host={socket} user=postgres dbname=nowhere password={password}"},
                             ["LR_DATABASE", 'database "nowhere" does not exist', "Correct the connection string"]),
    "malformed connection string": ({"LR_DATABASE": "dbname=register password=correct {password}"},
                                    ["LR_DATABASE", 'missing "="', "Write NAME=value"]),
    "key that cannot be read": (
        {"LR_PSEUDONYM_KEY_FILE": "/nowhere/key"},
        ["LR_PSEUDONYM_KEY_FILE", '"/nowhere/key"', "No such file or directory", "Name a file that this user can read"]),
    "another pseudonym key": (
        {"LR_PSEUDONYM_KEY_FILE": "{folder}/key"},
        ["LR_PSEUDONYM_KEY_FILE", "{folder}/key", "another key than the register has used", "Put back the copy"]),
    "certificate without its key": (
        {"LR_TLS_CERTIFICATE_FILE": "{folder}/certificate.pem"},
        ["LR_TLS_CERTIFICATE_FILE", "{folder}/certificate.pem", "LR_TLS_KEY_FILE is not set", "set both or neither"]),
    "no certificate": ({"LR_TLS_CERTIFICATE_FILE": "{folder}/key", "LR_TLS_KEY_FILE": "{folder}/key"},
                       ["LR_TLS_CERTIFICATE_FILE", "{folder}/key", "as a certificate in PEM", "Name the certificate"]),
    "issuer missing": ({"LR_MODE": "production", "LR_DEV_SECRET_FILE": None, "LR_JWKS_FILE": "{folder}/keys.json"},
                       ["LR_ISSUER", "is not set", "such as https://identity.example.org"]),
    "two sources of keys": (
        {"LR_DEV_SECRET_FILE": None, "LR_JWKS_FILE": "{folder}/keys.json", "LR_JWKS_URL": "https://identity.example.org/keys"},
        ["LR_JWKS_URL", "https://identity.example.org/keys", "LR_JWKS_FILE", "{folder}/keys.json", "keep one of them"]),
    "development secret in production": (
        {"LR_MODE": "production", "LR_ISSUER": "https://identity.example.org"},
        ["LR_DEV_SECRET_FILE", "for LR_MODE=dev only", "use LR_JWKS_URL or LR_JWKS_FILE"]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("wrong")
    (made / "key").write_text(secrets.token_hex(32))
    (made / "key").chmod(0o600)
    make_certificates(made)
    return made


def configured(cluster, keys, changes):
    made = Instance(cluster, keys)
    made.environment.update(changes)
    made.environment = {name: value for name, value in made.environment.items() if value is not None}
    return made


def said_by(made, command):
    ended = subprocess.run([made.binary, command], env=made.environment, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=WATCHDOG_S, check=False)
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_explained_in_one_line(cluster, keys, instance, folder, name):
    words = {"taken": instance.port, "socket": cluster.folder, "folder": folder, "password": PASSWORD}
    changes, parts = WRONG[name]
    made = configured(cluster, keys, {setting: value and value.format(**words) for setting, value in changes.items()})
    parts = [part.format(**words) for part in parts]

    status, served = said_by(made, "serve")
    said = re.findall("^learning-reviews: .*$", served, re.MULTILINE)
    assert status in (69, 78) and len(said) == 1, served
    checked_status, checked = said_by(made, "check")
    faults = re.findall("^.*FAULT: .*$", checked, re.MULTILINE) or checked.splitlines()
    assert checked_status == status and any(all(part in line for part in parts) for line in faults), (parts, checked)
    assert all(part in said[0] for part in parts), (parts, served)
    assert PASSWORD not in served + checked


def test_an_issuer_that_does_not_answer_is_explained_by_check_and_in_the_log(cluster, keys):
    """The service starts all the same, because the issuer may answer later."""
    address = f"http://127.0.0.1:{free_port()}/keys"
    made = configured(cluster, keys, {"LR_DEV_SECRET_FILE": None, "LR_JWKS_URL": address})
    status, checked = said_by(made, "check")
    assert status == 69
    assert re.search(f"^keys: FAULT: LR_JWKS_URL: {address} gave no key set.*Check that this machine reaches", checked,
                     re.MULTILINE), checked
    served = subprocess.Popen([made.binary, "serve"], env=made.environment, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(WATCHDOG_S, served.kill)
    watchdog.start()
    line = next((line for line in served.stderr if "LR_JWKS_URL" in line), "")
    served.terminate()
    served.communicate()
    watchdog.cancel()
    assert f"the fetch of {address} failed: " in line and "Check that this machine reaches" in line, line
