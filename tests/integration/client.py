"""A client of the register: speaks for one organisation and records every exchange."""
import json
import threading
import uuid

import requests

import contract_reader
from waiting import WATCHDOG_S

ALL_SCOPES = ("referrals.read referrals.write cases.read cases.write children.read "
              "information.read information.write decisions.read decisions.write reviews.write "
              "ratification.write proceedings.read proceedings.write notices.read "
              "observations.write actions.read actions.write actions.verify retention.write "
              "holds.legal changes.read audit.read statistics.read statistics.unsuppressed webhooks.manage")
AGENCY_SCOPES = ("referrals.read referrals.write information.read information.write actions.read "
                 "actions.write changes.read")
REQUEST_BODY_KEPT = 4096


class SetupFailed(Exception):
    """A step that only prepares a test did not succeed."""


class Recorder:
    """Writes exchanges, one JSON document a line, for tests/contract."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # By the line, because the contract tests read it before the session ends.
        self.file = open(path, "w", buffering=1, encoding="utf-8")
        self.lock = threading.Lock()
        self.kept = []  # of operations: what test_audit.py compares the audit trail with

    def add(self, response):
        request = response.request
        path = request.path_url.partition("?")[0]
        operation = contract_reader.operation_of(request.method, path)
        body = request.body if isinstance(request.body, str) else (
            request.body or b"").decode(errors="replace")
        line = json.dumps({
            "operation": operation.id if operation else None,
            "method": request.method, "target": request.path_url,
            "request_headers": {name: value for name, value in request.headers.items()
                                if name.lower() != "authorization"},
            "request_body": body[:REQUEST_BODY_KEPT],
            "status": response.status_code, "headers": dict(response.headers),
            "body": response.content.decode(errors="replace")})
        with self.lock:
            self.file.write(line + "\n")
            if operation:
                self.kept.append((operation, response))

    def close(self):
        self.file.close()


class Reply:
    """An answer: status, headers and the document in it."""

    def __init__(self, response):
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        self.bytes = response.content
        is_json = response.headers.get("Content-Type", "").split(";")[0].endswith("json")
        self.json = json.loads(response.content) if is_json and response.content else None

    def __repr__(self):
        return f"<{self.status} {self.bytes[:600]!r}>"

    def __getitem__(self, member):
        return self.json[member]

    @property
    def etag(self):
        return self.headers.get("ETag")

    @property
    def code(self):
        """The code of the problem, or None for a success."""
        return self.json["code"] if self.status >= 400 else None

    def _named(self, member):
        errors = self.json.get("errors", []) if isinstance(self.json, dict) else []
        return {one[member] for one in errors}

    @property
    def rules(self):
        return self._named("rule")

    @property
    def pointers(self):
        return self._named("pointer")

    @property
    def parameters(self):
        return self._named("parameter")

    @property
    def ids(self):
        return [one["id"] for one in self.json["items"]]

    def needed(self, *statuses):
        """Itself, for steps that only prepare a test."""
        if self.status not in (statuses or (200, 201)):
            raise SetupFailed(repr(self))
        return self


class Client:
    def __init__(self, url, token, recorder=None, others=None):
        """Without a recorder nothing is kept.
        `others` makes the caller of another organisation: others(organisation, client)."""
        self.url, self.token, self.recorder, self.others = url, token, recorder, others
        self.session = requests.Session()
        self.session.trust_env = False
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=70)
        self.session.mount("http://", adapter)
        self.session.headers.clear()

    def at(self, url, token=None):
        """The same caller at another instance, or with another token."""
        return Client(url, token or self.token, self.recorder, self.others)

    def of(self, organisation, client):
        """Another organisation's caller, for what this one waits for."""
        return self.others(organisation, client)

    def request(self, method, target, data=None, headers=None):
        """Sends bytes as they are; nothing but the token is added."""
        sent = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        sent.update(headers or {})
        response = self.session.request(method, self.url + target, data=data, headers=sent,
                                        timeout=WATCHDOG_S, allow_redirects=False)
        if self.recorder is not None:
            self.recorder.add(response)
        return Reply(response)

    def send(self, operation, body=None, *, query=None, key=None, if_match=None, none_match=None,
             media_type=None, headers=None, data=None, **path):
        """Sends the request of an operation; `path` fills the places in its address."""
        known = contract_reader.operations()[operation]
        target = known.path.format(**path) + (f"?{query}" if query else "")
        sent = {"Accept": "*/*"}
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None and known.media_types:
            sent["Content-Type"] = media_type or known.media_types[0]
        conditional = {"Idempotency-Key": key, "If-Match": if_match, "If-None-Match": none_match}
        sent.update({name: value for name, value in conditional.items() if value is not None})
        return self.request(known.method, target, data, {**sent, **(headers or {})})

    def follow(self, url):
        """Gets the absolute address of a next page."""
        if not url.startswith(self.url + "/"):
            raise AssertionError(f"{url} does not begin with {self.url}")
        return self.request("GET", url.removeprefix(self.url))


def new_key():
    return str(uuid.uuid4())
