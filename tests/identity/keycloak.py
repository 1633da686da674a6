"""A real Keycloak with the realm that the project delivers."""
import json
import os
import pathlib
import secrets

import requests

from contract_reader import ROOT
from server import Server, answered, keeping
from waiting import WATCHDOG_S

HOME = pathlib.Path(os.environ.get("LR_KEYCLOAK", ROOT / "build" / "identity" / "keycloak-24.0.5"))
REALM = json.loads((ROOT / "deploy" / "identity" / "keycloak-realm.json").read_text(encoding="utf-8"))
KEYS = "org.keycloak.keys.KeyProvider"


class Keycloak(Server):
    profile = "keycloak"
    audience = "learning-reviews"
    client = REALM["clients"][0]["clientId"]

    def __init__(self, certificates, realm=REALM["realm"]):
        super().__init__(certificates)
        self.realm = realm
        self.password = secrets.token_urlsafe(16)

    @property
    def issuer(self):
        return f"{self.url}/realms/{self.realm}"

    @property
    def jwks_url(self):
        return f"{self.issuer}/protocol/openid-connect/certs"

    @property
    def token_url(self):
        return f"{self.issuer}/protocol/openid-connect/token"

    def start(self):
        """Starts it in production mode over TLS, with a database in memory, and imports the realm. `run` built it."""
        self.run([HOME / "bin" / "kc.sh", "start", "--optimized", f"--hostname-url={self.url}",
                  f"--hostname-admin-url={self.url}", "--http-host=127.0.0.1", f"--https-port={self.port}",
                  f"--https-certificate-file={self.certificate}", f"--https-certificate-key-file={self.key}"],
                 KEYCLOAK_ADMIN="admin", KEYCLOAK_ADMIN_PASSWORD=self.password, JAVA_OPTS_KC_HEAP="-Xms64m -Xmx512m")
        self.wait_for(f"{self.url}/realms/master")
        self.admin("POST", "", REALM)
        return self

    def admin(self, method, path, document=None):
        """Sends a request of the administration interface; returns the document of the answer."""
        login = self.post(f"{self.url}/realms/master/protocol/openid-connect/token", grant_type="password",
                          client_id="admin-cli", username="admin", password=self.password)
        return answered(requests.request(method, f"{self.url}/admin/realms{path}", json=document, verify=self.authority,
                                         headers={"Authorization": f"Bearer {answered(login)['access_token']}"},
                                         timeout=WATCHDOG_S))

    def id_of(self, kind, **wanted):
        found = [one["id"] for one in self.admin("GET", f"/{self.realm}/{kind}")
                 if wanted.items() <= one.items()]
        assert len(found) == 1, (kind, wanted, found)
        return found[0]

    def ask_for_token(self, client=None, **parameters):
        """Keycloak made the secret of the client."""
        client = client or self.client
        secret = self.admin("GET", f"/{self.realm}/clients/{self.id_of('clients', clientId=client)}/client-secret")
        return self.post(self.token_url, grant_type="client_credentials", client_id=client,
                         client_secret=secret["value"], **parameters)

    def make_client(self, name, *scopes):
        """Makes a client as the console does, with client scopes of the realm."""
        self.admin("POST", f"/{self.realm}/clients", {"clientId": name, "serviceAccountsEnabled": True,
                                                      "standardFlowEnabled": False, "publicClient": False})
        client = self.id_of("clients", clientId=name)
        for scope in scopes:
            self.admin("PUT", f"/{self.realm}/clients/{client}/default-client-scopes/"
                              f"{self.id_of('client-scopes', name=scope)}")

    def token_without_audience(self):
        self.make_client("without-audience", "referrals.write")
        return answered(self.ask_for_token("without-audience"))["access_token"]

    def rotate(self):
        """Adds a key with a higher priority, which signs from then on."""
        self.admin("POST", f"/{self.realm}/components", {
            "name": "new", "providerId": "rsa-generated", "providerType": KEYS, "config": {"priority": ["200"]}})

    def remove_old_key(self):
        old = self.id_of(f"components?type={KEYS}", name="rsa-generated")
        self.admin("DELETE", f"/{self.realm}/components/{old}")

    def enable_client(self, enabled):
        self.admin("PUT", f"/{self.realm}/clients/{self.id_of('clients', clientId=self.client)}",
                   {"clientId": self.client, "enabled": enabled})

    def plain_realm(self):
        """Makes a realm with nothing but Keycloak's defaults and scopes of the register; returns it."""
        self.admin("POST", "", {"realm": "plain", "enabled": True})
        made = keeping(self, realm="plain", audience="account")
        made.admin("POST", "/plain/client-scopes", {"name": "referrals.write", "protocol": "openid-connect"})
        made.make_client(self.client, "referrals.write")
        return made
