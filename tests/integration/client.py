"""A client of the register: sends requests for one organisation and records every exchange."""
import collections
import json
import threading
import time
import uuid

import urllib3

import contract_reader
from trail import expected_of
from waiting import WATCHDOG_S

IDLE_S = 20  # the service closes connections that are idle for 75 s

ALL_SCOPES = ("referrals.read referrals.write cases.read cases.write children.read "
              "information.read information.write decisions.read decisions.write reviews.write "
              "ratification.write proceedings.read proceedings.write notices.read "
              "observations.write actions.read actions.write actions.verify retention.write "
              "holds.legal changes.read audit.read statistics.read statistics.unsuppressed webhooks.manage")
AGENCY_SCOPES = ("referrals.read referrals.write information.read information.write actions.read "
                 "actions.write changes.read")
REQUEST_BODY_KEPT = 4096


class SetupFailed(Exception):
    """A request that only prepares a test failed."""


Request = collections.namedtuple("Request", "url method target headers body")
Kept = collections.namedtuple("Kept", "url operation request_id status entry")


class Recorder:
    """Writes exchanges for tests/contract, one JSON document per line."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Line-buffered, because the contract tests read it before the session ends.
        self.file = open(path, "w", buffering=1, encoding="utf-8")
        self.lock = threading.Lock()
        self.kept = []  # trail.py compares these with the audit trail

    def add(self, request, reply):
        operation = contract_reader.operation_of(request.method, request.target.partition("?")[0])
        line = json.dumps({
            "operation": operation.id if operation else None,
            "method": request.method, "target": request.target,
            "request_headers": {name: value for name, value in request.headers.items()
                                if name.lower() != "authorization"},
            "request_body": (request.body or b"").decode(errors="replace")[:REQUEST_BODY_KEPT],
            "status": reply.status, "headers": dict(reply.headers),
            "body": reply.bytes.decode(errors="replace")})
        with self.lock:
            self.file.write(line + "\n")
            if operation:
                self.kept.append(Kept(request.url, operation.id, reply.headers["X-Request-Id"], reply.status,
                                      expected_of(operation, reply)))

    def close(self):
        self.file.close()


class Reply:
    """An answer: its status, headers and document."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.data
        is_json = self.headers.get("Content-Type", "").split(";")[0].endswith("json")
        self.json = json.loads(self.bytes) if is_json and self.bytes else None

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

    def expect(self, *statuses):
        """Returns itself after checking the status; for requests that only prepare a test."""
        if self.status not in (statuses or (200, 201)):
            raise SetupFailed(repr(self))
        return self


class Client:
    def __init__(self, url, token, recorder=None, others=None):
        """Without a recorder, exchanges are not recorded.
        `others` makes the caller of another organisation: others(organisation, client)."""
        self.url, self.token, self.recorder, self.others = url, token, recorder, others
        self.headers = {}  # of each request
        self.pool, self.used_at = self.fresh_pool(), time.monotonic()

    def fresh_pool(self):
        return urllib3.connection_from_url(self.url, maxsize=70, retries=False, timeout=WATCHDOG_S)

    def at(self, url, token=None):
        """Returns the same caller at another instance, or with another token."""
        return Client(url, token or self.token, self.recorder, self.others)

    def of(self, organisation, client):
        """Returns another organisation's caller, whose requests this one needs."""
        return self.others(organisation, client)

    def request(self, method, target, data=None, headers=None):
        """Sends bytes unchanged; only the token is added."""
        sent = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        sent.update({**self.headers, **(headers or {})})
        data = data.encode() if isinstance(data, str) else data
        if time.monotonic() - self.used_at > IDLE_S:  # clock: the service may close an idle connection at this moment
            self.pool = self.fresh_pool()
        self.used_at = time.monotonic()
        reply = Reply(self.pool.urlopen(method, target, data, sent, redirect=False))
        if self.recorder is not None:
            self.recorder.add(Request(self.url, method, target, sent, data), reply)
        return reply

    def send(self, operation, body=None, *, query=None, key=None, if_match=None, none_match=None,
             media_type=None, headers=None, data=None, **path):
        """Sends the request of an operation; `path` gives the parameters of its address."""
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
