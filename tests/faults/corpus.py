"""Requests of every kind, made again for every fault: method, target, header fields and body."""
import itertools
import json

from payloads import new_action, new_case, new_decision, new_referral, today
from scenarios import make_action, make_case

NUMBERS = itertools.count(1)


def write(method, target, body, media_type="application/json", **fields):
    names = {"key": "Idempotency-Key", "if_match": "If-Match", "none_match": "If-None-Match"}
    return (method, target, {"Content-Type": media_type,
                             **{names[name]: value for name, value in fields.items()}},
            json.dumps(body).encode())


def new_key():
    return f"fault-{next(NUMBERS)}"


class Corpus:
    """Makes requests by name; the resources that they need exist already."""

    def __init__(self, committee, agency):
        self.committee, self.agency = committee, agency
        self.case = make_case(committee, "decision")
        self.action = make_action(committee, self.case)
        self.referral = agency.send("pushReferral", new_referral()).expect(201).json
        self.reads = {
            "getIndex": ("GET", "/"), "getProblem": ("GET", "/v1/problems/not_found"),
            "getContract": ("GET", "/openapi.json", {"Accept-Encoding": "gzip"}),
            "getPrincipal": ("GET", "/v1/me"), "listStages": ("GET", "/v1/reference/stages"),
            "getCase": ("GET", self.at("")), "listChildren": ("GET", self.at("/children")),
            "listCases": ("GET", "/v1/cases?stage=decision&limit=1"),
            "listTimeline": ("GET", self.at("/timeline?limit=2")),
            "listTransitions": ("GET", self.at("/transitions")),
            "notFound": ("GET", "/v1/cases/01890000-0000-7000-8000-000000000000"),
            "noSuchPath": ("GET", "/v1/nothing"), "badQuery": ("GET", "/v1/cases?stage=x&limit=0"),
            "badBody": write("POST", "/v1/cases", {"surprise": [1, 2]}),
            "badJson": ("POST", "/v1/cases", {"Content-Type": "application/json"}, b'{"a":'),
            "badRule": write("POST", "/v1/cases", new_case(opened_on="2999-01-01")),
            "freeText": write("PATCH", self.at(""), {"summary": "a@b.example"},
                              "application/merge-patch+json", if_match='"1-x"'),
            "stale": write("PATCH", self.at(""), {"summary": "x"}, "application/merge-patch+json",
                           if_match='"99-x"'),
            "wrongType": ("POST", "/v1/cases", {"Content-Type": "text/plain"}, b"x")}
        self.writes = {
            "openCase": lambda: write("POST", "/v1/cases", new_case()),
            "openCaseOnce": lambda: write("POST", "/v1/cases", new_case(), key=new_key()),
            "changeCase": lambda: write(
                "PATCH", self.at(""), {"summary": f"Version {next(NUMBERS)}."},
                "application/merge-patch+json", if_match=self.tag("getCase", self.case["id"])),
            "putDecision": lambda: write("PUT", self.fresh("decision") + "/decision",
                                         new_decision(), none_match="*"),
            "moveCase": self.move,
            "createAction": lambda: write("POST", self.at("/actions"), new_action(), key=new_key()),
            "changeAction": lambda: write(
                "PATCH", f"/v1/actions/{self.action['id']}", {"title": f"Title {next(NUMBERS)}"},
                "application/merge-patch+json", if_match=self.tag("getAction", self.action["id"]))}
        self.pushes = {
            "pushReferral": lambda: write("POST", "/v1/referrals", new_referral()),
            "pushReferralOnce": lambda: write("POST", "/v1/referrals", new_referral(),
                                              key=new_key()),
            "pushReferrals": lambda: write("POST", "/v1/referrals/batch",
                                           [new_referral() for _ in range(3)]),
            "pushReferralsAtomic": lambda: write("POST", "/v1/referrals/batch?atomic=true",
                                                 [new_referral() for _ in range(3)],
                                                 key=new_key())}

    def at(self, rest):
        return f"/v1/cases/{self.case['id']}{rest}"

    def fresh(self, stage):
        return f"/v1/cases/{make_case(self.committee, stage)['id']}"

    def tag(self, operation, identifier):
        return self.committee.send(operation, id=identifier).expect(200).etag

    def move(self):
        case = make_case(self.committee)
        return write("POST", f"/v1/cases/{case['id']}/transitions",
                     {"to": "information_gathering", "occurred_on": today(), "reason": None},
                     if_match=self.tag("getCase", case["id"]), key=new_key())

    def token_of(self, name):
        """A token that the service has not seen yet."""
        return (self.agency if name in self.pushes else self.committee).new_token()

    def is_write(self, name):
        return name in self.writes or name in self.pushes

    @property
    def names(self):
        return [*self.reads, *self.writes, *self.pushes]

    def make(self, name):
        made = {**self.writes, **self.pushes}.get(name, lambda: self.reads[name])()
        method, target, fields, body = (*made, {}, None)[:4] if len(made) == 2 else (*made, None)[:4]
        return method, target, {"Authorization": f"Bearer {self.token_of(name)}",
                                "X-Request-Id": "fault", "Connection": "close", **fields}, body
