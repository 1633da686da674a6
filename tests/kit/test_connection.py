"""TLS, tokens and settings: the kit connects as an operator set it up, or says in one line what is wrong."""
import http.server
import json
import ssl
import threading
import urllib.parse

import pytest

from council import KIT, new_row
from receiver import make_certificates
from service import Instance


@pytest.fixture
def secured(cluster, keys, tmp_path):
    """A register with TLS, whose certificate comes from its own authority."""
    authority, certificate = make_certificates(tmp_path)
    made = Instance(cluster, keys, LR_TLS_CERTIFICATE_FILE=certificate, LR_TLS_KEY_FILE=certificate)
    made.authority, made.certificate = authority, certificate
    yield made
    made.stop()


@pytest.fixture
def issuer(secured, agency):
    """A token endpoint with TLS: notes each request and issues the tokens in turn, the last one repeatedly."""
    asked, tokens = [], [agency.token]

    class Endpoint(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode())))
            good = asked[-1].get("client_secret") == "secret/ä"
            token = tokens.pop(0) if len(tokens) > 1 else tokens[0]
            body = json.dumps({"access_token": token, "expires_in": 3600} if good else
                              {"error": "invalid_client", "error_description": "Unknown secret."}).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secured.certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.asked, server.tokens = asked, tokens
    server.url = f"https://localhost:{server.server_port}/token"
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def ready(council, secured, issuer):
    secured.start()
    (council.folder / "secret.txt").write_text("secret/ä\n", encoding="utf-8")
    council.settings["register"].update(url=f"https://localhost:{secured.port}", ca_file=secured.authority)
    council.settings["token"] = {"url": issuer.url, "client_id": "council-casework", "secret_file": "secret.txt",
                                 "scope": "referrals.write", "audience": "learning-reviews"}
    return council


def test_a_token_of_client_credentials_over_tls_pushes(ready, issuer):
    ready.kit("lists")
    said = ready.kit("check")
    assert "Glasgow City Council" in said and said.endswith("in order\n")
    ready.drop("a.csv", [new_row("A/1")])
    ready.kit("run")
    assert len(ready.referrals()) == 1
    assert issuer.asked[0] == {"grant_type": "client_credentials", "client_id": "council-casework",
                               "client_secret": "secret/ä", "scope": "referrals.write", "audience": "learning-reviews"}


def test_a_rejected_token_is_renewed_once(ready, issuer):
    issuer.tokens.insert(0, "wrong")
    ready.kit("lists")
    assert len(issuer.asked) == 2


def test_a_token_that_stays_rejected_ends_with_78(ready, issuer):
    issuer.tokens[:] = ["wrong"]
    assert "[token] = council-casework: 401" in ready.kit("lists", status=78)


def test_an_unknown_secret_ends_with_78(ready):
    (ready.folder / "secret.txt").write_text("other", encoding="utf-8")
    assert "invalid_client Unknown secret.; check client_id" in ready.kit("lists", status=78)


def test_a_certificate_of_an_unknown_authority_ends_with_78(ready):
    del ready.settings["register"]["ca_file"]
    said = ready.kit("lists", status=78)
    assert "[token] url" in said and "[register] ca_file" in said and said.count("\n") == 1


def test_check_names_missing_sheets_and_scopes(council, instance):
    assert "run `kit.py lists`" in council.kit("check", status=78)
    token = instance.token("LA-S12000049", "reader", "referrals.read")
    (council.folder / "token.txt").write_text(token, encoding="utf-8")
    assert "lacks the scopes referrals.write changes.read" in council.kit("check", status=1)


def test_the_sample_file_is_stored(council):
    """The first thing that a newcomer does: lists, then the sample."""
    council.settings["folders"] = {"csv": "files", "quiet_seconds": "0"}
    council.kit("lists")
    (council.files / "in").mkdir(parents=True)
    (council.files / "in" / "referrals.csv").write_bytes((KIT / "referrals.csv").read_bytes())
    council.kit("run")
    assert len(council.referrals()) == 2
