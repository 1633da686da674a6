"""The service's TLS, as testssl.sh rates it."""
import json
import os
import subprocess

import pytest

from service import Instance
from waiting import WATCHDOG_S

HARMLESS = {"OK", "INFO", "LOW", "DEBUG"}
# All except the list of each cipher and the simulation of known clients.
PARTS = ("--protocols", "--std", "--fs", "--server-preference", "--server-defaults", "--headers", "--vulnerable")
EXPLAINED = {
    "engine_problem": "of the tool itself",
    "cert_revocation": "of the certificate made here",
    "BREACH": "the page at / is the same for everyone: no secret, and nothing of the request",
    "secure_client_renego": "it mistakes a connection that ends for one that continues: see the test below",
}


@pytest.fixture
def authority(tmp_path):
    """Returns a folder with a separate authority and its certificate for this machine."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    openssl("req", "-x509", *new_key, "-days", "90", "-keyout", "authority.key", "-out", "authority.pem",
            "-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-x509", *new_key, "-days", "90", "-keyout", "key", "-out", "certificate",
            "-subj", "/CN=localhost", "-CA", "authority.pem", "-CAkey", "authority.key",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "extendedKeyUsage=serverAuth")
    return tmp_path


@pytest.fixture
def secured(cluster, keys, authority):
    made = Instance(cluster, keys, LR_TLS_CERTIFICATE_FILE=authority / "certificate", LR_TLS_KEY_FILE=authority / "key")
    yield made.start()
    assert made.stop() == 0


def test_testssl_finds_nothing(secured, authority):
    report = authority / "report.json"
    subprocess.run(["testssl", "--quiet", "--warnings", "off", "--color", "0", "--add-ca", authority / "authority.pem",
                    *PARTS, "--jsonfile", report, f"localhost:{secured.port}"],
                   cwd=authority, timeout=600, capture_output=True, check=False)
    findings = {one["id"]: one for one in json.loads(report.read_text())}
    assert {"TLS1_2", "TLS1_3", "cipher_order", "cert_trust", "heartbleed", "LUCKY13"} <= set(findings)
    worse = {name: one["finding"] for name, one in findings.items()
             if one["severity"] not in HARMLESS and name not in EXPLAINED}
    assert worse == {}


@pytest.mark.parametrize("line, answer", [(b"R\n", "RENEGOTIATING"),
                                          (b"GET /v1/problems HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK")])
def test_a_connection_ends_at_renegotiation(secured, authority, line, answer):
    """As after an answer; the client, whose input stays open, ends exactly when the connection does."""
    read, write = os.pipe()
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"localhost:{secured.port}", "-tls1_2", "-CAfile",
                               authority / "authority.pem"], stdin=read, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    said = ""
    while "Verify return code: 0" not in said:
        said += client.stdout.readline()
    os.write(write, line)
    said = client.communicate(timeout=WATCHDOG_S)[0]
    os.close(read)
    os.close(write)
    assert answer in said
