"""A real glewlwyd with the configuration that the project delivers."""
import json
import os
import pathlib
import re
import secrets
import subprocess

import requests
from cryptography.hazmat.primitives.asymmetric import ec

from contract_reader import ROOT
from server import Server, answered
from test_production import Issuer, number
from waiting import WATCHDOG_S

HOME = pathlib.Path(os.environ.get("LR_GLEWLWYD", ROOT / "build" / "identity" / "glewlwyd"))
DELIVERED = ROOT / "deploy" / "identity"
PLUGIN = json.loads((DELIVERED / "glewlwyd-plugin.json").read_text(encoding="utf-8"))
SCOPES = ["referrals.read", "referrals.write"]
FIRST_PASSWORD = "password"  # of the package


def new_key(name):
    key = ec.generate_private_key(ec.SECP256R1())
    return {**Issuer.jwk(name, key), "d": number(key.private_numbers().private_value, 32)}


class Glewlwyd(Server):
    profile = "rfc9068"
    audience = "https://register.example.org"
    client = "council-casework"

    def __init__(self, certificates):
        super().__init__(certificates)
        self.secret, self.password = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.keys = [new_key("first")]

    @property
    def issuer(self):
        return f"{self.url}/api/{PLUGIN['name']}"

    @property
    def jwks_url(self):
        return f"{self.issuer}/jwks"

    @property
    def token_url(self):
        return f"{self.issuer}/token"

    def configuration(self):
        """Returns the delivered file with this server's address, certificates and folders."""
        text = (DELIVERED / "glewlwyd.conf").read_text(encoding="utf-8")
        changes = {"port": self.port, "external_url": f'"{self.url}"', "path ": f' "{self.folder}/glewlwyd.db"',
                   "secure_connection_key_file": f'"{self.key}"', "secure_connection_pem_file": f'"{self.certificate}"',
                   "secure_connection_ca_file": f'"{self.authority}"'}
        for name, value in changes.items():
            text, count = re.subn(rf"^( *{name})=.*$", rf"\1={value}", text, flags=re.MULTILINE)
            assert count == 1, name
        return text.replace('"/usr/lib/glewlwyd', f'"{HOME}/usr/lib/glewlwyd')

    def start(self):
        file = self.folder / "glewlwyd.conf"
        file.write_text(self.configuration(), encoding="utf-8")
        tables = (HOME / "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3").read_bytes()
        subprocess.run(["sqlite3", self.folder / "glewlwyd.db"], input=tables, check=True)
        self.run([HOME / "usr/bin/glewlwyd", "-c", file])
        self.wait_for(f"{self.url}/config")
        login = requests.post(f"{self.url}/api/auth/", json={"username": "admin", "password": FIRST_PASSWORD},
                              verify=self.authority, timeout=WATCHDOG_S)
        answered(login)
        self.cookies = "; ".join(f"{one.name}={one.value}" for one in login.cookies)
        self.admin("PUT", "/profile/password", {"old_password": FIRST_PASSWORD, "password": self.password})
        self.admin("POST", "/mod/plugin/", {**PLUGIN, "parameters": self.parameters()})
        for scope in SCOPES:
            self.admin("POST", "/scope/", {"name": scope, "password_required": False, "scheme": {}})
        self.admin("POST", "/client/", self.client_document(True))
        return self

    def parameters(self):
        return {**PLUGIN["parameters"], "iss": self.issuer, "jwks-private": json.dumps({"keys": self.keys})}

    def client_document(self, enabled):
        return {"client_id": self.client, "confidential": True, "enabled": enabled, "password": self.secret,
                "scope": SCOPES, "resource": [self.audience], "authorization_type": ["client_credentials"],
                "token_endpoint_auth_method": ["client_secret_basic"]}

    def admin(self, method, path, document=None):
        return answered(requests.request(method, f"{self.url}/api{path}", json=document, verify=self.authority,
                                         headers={"Cookie": self.cookies}, timeout=WATCHDOG_S))

    def ask_for_token(self, **parameters):
        return self.post(self.token_url, auth=(self.client, self.secret), grant_type="client_credentials",
                         **{"scope": " ".join(SCOPES), "resource": self.audience, **parameters})

    def token_without_audience(self):
        return answered(self.ask_for_token(resource=None))["access_token"]

    def _use_keys(self):
        self.admin("PUT", f"/mod/plugin/{PLUGIN['name']}", {**PLUGIN, "parameters": self.parameters()})
        self.admin("PUT", f"/mod/plugin/{PLUGIN['name']}/reset")

    def rotate(self):
        """The first key of the list signs."""
        self.keys.insert(0, new_key("second"))
        self._use_keys()

    def remove_old_key(self):
        self.keys.pop()
        self._use_keys()

    def enable_client(self, enabled):
        self.admin("PUT", f"/client/{self.client}", self.client_document(enabled))
