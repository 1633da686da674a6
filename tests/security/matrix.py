"""Role × operation × owner: every cell, generated from the contract and a table of each role's relation to a case.

A new operation is included automatically: its scope and its address define the expectation. Only a new kind of resource
needs an entry in PARTIES; until then its cells fail. test_matrix.py tests the program as it is, and
test_matrix_database.py a build without scope checks in the service, where only the database protects.
"""
import collections
import uuid

import contract_reader
from client import AGENCY_SCOPES, ALL_SCOPES
from path_params import make_document_release, places_of_case
from payloads import dead_child, new_access, new_referral, new_transfer
from scenarios import make_action, make_case, make_delivery, make_request
from test_isolation import content
from test_proceedings import give_access
from test_retention import announce, erase, make_old_case, make_rule

OPERATIONS = contract_reader.operations()
REVIEWER = "matrix-reviewer"
LIAISON = "proceedings.read proceedings.write information.read information.write notices.read actions.read " \
    "actions.write changes.read"

MAKER = "matrix-maker"  # creates the resources; no role is this client
Role = collections.namedtuple("Role", "organisation client scopes relations")
# The relation of each role to the case. `asked`, `owner` and `sender`: it has an information request, an action, a
# referral.
ROLES = {
    "committee": Role("CPC-GLA", "matrix", ALL_SCOPES, {"committee"}),
    "chief officers": Role("COG-GLA", "matrix", "cases.read ratification.write notices.read actions.read changes.read",
                           {"chief officers"}),
    "council": Role("LA-S12000049", "matrix", AGENCY_SCOPES, {"asked", "owner", "sender"}),
    "health board": Role("HB-S08000031", "matrix", AGENCY_SCOPES, {"asked", "owner", "sender"}),
    "police": Role("POL-G", "matrix", AGENCY_SCOPES, {"asked", "owner", "sender"}),
    # Proceedings of its kind are open, so that it gets a notice of the decision.
    "prosecution": Role("COPFS", "matrix", LIAISON, {"asked", "owner", "sender", "liaison", "recipient"}),
    "reporter": Role("SCRA", "matrix", LIAISON, {"asked", "owner", "sender", "liaison"}),
    "reviewer with access": Role("INDEPENDENT", REVIEWER, "cases.read children.read reviews.write changes.read",
                                 {"access"}),
    "inspectorate": Role("CI", "matrix", "decisions.read notices.read observations.write", {"recipient", "inspectorate"}),
    "national hub": Role("HIS", "matrix", "notices.read", {"recipient"}),
    "dashboard": Role("SG", "matrix", "statistics.read", set()),
    "auditor": Role("SG", "matrix-auditor", "audit.read", set()),
    "reviewer without access": Role("INDEPENDENT", "matrix-other", "cases.read children.read reviews.write", set()),
    "another agency": Role("LA-S12000033", "matrix", AGENCY_SCOPES, set()),
    "another committee": Role("CPC-FIF", "matrix", ALL_SCOPES, set()),
    "receiving committee": Role("CPC-ORK", "matrix", ALL_SCOPES, {"receiving committee"}),
}
# Clients that act for one of several bodies: data of another client with the same code is not theirs, and they refer
# nothing.
COLLECTIVE = {"INDEPENDENT"}
# A committee that is asked to accept a case reads it before it answers, except its referrals, and changes nothing.
READERS = {"committee", "chief officers", "access", "receiving committee"}
# The parties by kind of resource (the first part of an address): to reading, to each scope that writes, and to
# operations for some of those only (the last part of an address).
PARTIES = {
    "cases": {"read": READERS, "ratification.write": {"chief officers"}, "reviews.write": {"committee", "access"},
              "*": {"committee"}},
    "referrals": {"read": {"committee", "chief officers", "sender"}, "referrals.write": {"sender"}, "*": {"committee"}},
    "actions": {"read": READERS | {"owner"}, "actions.write": {"committee", "owner"}, "split": {"committee"},
                "extension": {"owner"}, "answer": {"committee"}, "*": {"committee"}},
    "proceedings": {"read": READERS | {"liaison"}, "*": {"committee", "liaison"}},
    "information-requests": {"read": READERS | {"asked"}, "*": {"asked"}},
    "notices": {"read": READERS | {"recipient"}, "*": {"inspectorate"}},
    "document-releases": {"read": READERS, "*": {"committee"}},
    "transfers": {"read": {"committee", "chief officers", "receiving committee"}, "withdrawal": {"committee"},
                  "*": {"receiving committee"}},
    "anonymous-reviews": {"read": {"committee", "chief officers"}, "*": {"committee"}},
    "erasures": {"read": {"committee", "chief officers"}, "*": {"committee"}},
    "retention-rules": {"read": {"committee", "chief officers"}, "*": {"committee"}},
    "webhooks": {"read": {"registrant"}, "*": {"registrant"}},
}
# Scopes whose resources only a committee creates, because there is no case yet to which they could belong.
MADE_BY_COMMITTEES = {"cases.write", "retention.write"}
WRITTEN = {200, 201, 207, 409, 412, 422}  # visible, and decided by rules and versions
REFUSED = {403, 404, 409, 412, 422}  # visible, but not changeable
HIDDEN = {404}


def kind_of(operation):
    return operation.path.split("/")[2]


def is_by_id(operation):
    return operation.has_parameter("id", "path")


def relations(role):
    """Returns the role's relation to the existing resources; each role has its own webhooks."""
    return role.relations | {"registrant"}


def registrant(role):
    """Returns organisation and client that registered the webhooks which the role may use."""
    return role.organisation, role.client if role.organisation in COLLECTIVE else MAKER


def is_reader(role, operation):
    return bool(relations(role) & PARTIES[kind_of(operation)]["read"])


def is_writer(role, operation):
    rules = PARTIES[kind_of(operation)]
    wanted = rules.get(operation.path.split("/")[-1]) or rules.get(operation.scopes[0]) or rules["*"]
    return bool(relations(role) & wanted)


def is_committee(role):
    return role.organisation.startswith("CPC-")


def expected(role, operation, whose, scopes, checked):
    """Returns the statuses that the cell may have."""
    held = set(scopes.split())
    if operation.public or not operation.scopes:
        return {200}
    if not set(operation.scopes) <= held:
        if checked:
            return {403}
        return HIDDEN | {403} if is_by_id(operation) else {200, 207, 403, 404, 409, 422}
    if is_by_id(operation):
        if whose != "own" or not is_reader(role, operation):
            return HIDDEN
        if operation.method == "GET":
            return {200}
        return WRITTEN if is_writer(role, operation) else REFUSED
    if operation.method == "GET":
        return {200}
    if operation.scopes == ["referrals.write"] and role.organisation in COLLECTIVE:
        return {403, 207}  # for a batch, each item
    if operation.scopes[0] in MADE_BY_COMMITTEES and not is_committee(role):
        return {403, 404, 422}
    return WRITTEN


class World:
    """A case of one committee with every part, and with the resources given to each organisation."""

    def __init__(self, cluster, caller, code, authority, others):
        self.caller = caller
        committee = caller(f"CPC-{code}", MAKER)
        # The National Hub gets a notice when a child died.
        case = places_of_case(committee, make_case(committee, local_authority=authority, children=[dead_child()]))
        at = {"id": case["id"]}
        organisations = sorted({role.organisation for role in ROLES.values() if role.relations & {"asked"}})
        named = organisations if others else ["LA-S12000036"]
        self.places, self.granted = case, None
        self.sent = dict(cluster.execute("select to_organisation, id::text from register.notice where case_id = %s and "
                                         "sent_on is not null", [case["id"]])) if others else {}
        asked = dict(cluster.execute("select organisation, id::text from register.information_request "
                                     "where case_id = %s", [case["id"]]))
        self.requests = {one: asked.get(one) or make_request(committee, at, organisation=one)["id"] for one in named}
        self.actions = {one: make_action(committee, at, owner_organisation=one)["id"] for one in named}
        self.referrals = {}
        for one in named:
            referral = caller(one, MAKER).send("pushReferral", self.referral(code, authority)).expect(201)
            self.referrals[one] = referral["id"]
        committee.send("createNotices", {"kind": "alternative_outcome"}, id=case["id"])
        unsent = cluster.execute("select id::text from register.notice where case_id = %s and sent_on is null limit 1",
                                 [case["id"]])
        self.notice = unsent[0][0] if unsent else case["notice_id"]
        old = make_old_case(committee, cluster, make_case(committee, local_authority=authority)["id"])
        self.only = {
            "transfers": committee.send("proposeTransfer", new_transfer(to_committee="ORK" if others else "SHE"),
                                        id=case["id"]).expect(201)["id"],
            "anonymous-reviews": erase(committee, cluster, old).expect(201)["id"],
            "erasures": announce(committee, make_old_case(
                committee, cluster, make_case(committee, local_authority=authority)["id"])).expect(201)["id"],
            "retention-rules": make_rule(committee)["id"],
            "document-releases": make_document_release(committee, case["id"]),
            # A withdrawn document cannot be read: another release is withdrawn.
            "withdrawDocumentRelease": make_document_release(committee, case["id"]),
            "proceedings": case["proceeding_id"], "cases": case["id"]}
        registrants = {registrant(role) for role in ROLES.values()} if others else {(f"CPC-{code}", MAKER)}
        self.webhooks = {one: make_delivery(caller(*one)) for one in registrants}
        if others:
            granted = committee.send("grantAccess", new_access(client_id=REVIEWER), id=case["id"]).expect(201)
            self.granted = granted["id"]
            for one in ("COPFS", "SCRA"):
                give_access(cluster, {"committee": code, "id": case["id"]}, one, "proceedings_liaison")

    @staticmethod
    def referral(code, authority):
        return new_referral(committee=code, local_authority=authority)

    def place(self, operation, role):
        """Returns the path parameters of an operation."""
        found = {one["name"]: self.places.get(one["name"]) for one in operation.parameters if one["in"] == "path"}
        kind = kind_of(operation) if "id" in found else None
        given = {"information-requests": self.requests, "actions": self.actions, "referrals": self.referrals,
                 "notices": self.sent}.get(kind)
        if kind == "webhooks":
            if operation.method == "DELETE" and registrant(role) in self.webhooks:
                found["id"] = make_delivery(self.caller(*registrant(role)))["id"]
            else:
                given = self.webhooks.get(registrant(role)) or next(iter(self.webhooks.values()))
                found.update((name, given[name]) for name in given if name in found)
        elif given is not None:
            any_of_it = self.notice if kind == "notices" else next(iter(given.values()))
            found["id"] = given.get(role.organisation, any_of_it)
        elif kind is not None:
            found["id"] = self.only.get(operation.id, self.only[kind])
        if "access_id" in found and role.client == REVIEWER:
            found["access_id"] = self.granted or found["access_id"]
        return {**found, **{name: value for name, value in
                            {"code": "not_found", "name": "criteria", "table": "decisions", "page": "guide"}.items() if name in found}}

    def identifiers(self):
        """Returns identifiers that no other role may find in a list."""
        shared = {"request_id", "notice_id"}  # organisations outside also appear in the defaults of places.py
        return {*(value for name, value in self.places.items() if name not in shared), *self.requests.values(),
                *self.actions.values(), *self.referrals.values(), *self.only.values(),
                *(value for each in self.webhooks.values() for value in each.values())}


def unknown_place(place):
    return {name: value if name in ("code", "name", "table") else str(uuid.uuid4()) for name, value in place.items()}


def ask(client, operation, place):
    more = {"if_match": '"1-x"'} if operation.has_parameter("If-Match", "header") else {}
    query = "limit=200" if operation.has_parameter("limit", "query") else None
    return client.send(operation.id, operation.example_body() if operation.body else None, query=query, **more, **place)


class Cells:
    """Requests cell after cell and returns those with an unexpected status."""

    def __init__(self, client, role, worlds, scopes, checked):
        self.client, self.role, self.worlds, self.scopes, self.checked = client, role, worlds, scopes, checked
        self.count, self.unexpected = 0, []

    def note(self, operation, whose, reply, good, why=""):
        self.count += 1
        if not good:
            self.unexpected.append(f"{operation.id} {whose}: {reply.status} {reply.code if reply.json else ''} {why}")

    def run(self, operation):
        holds = set(operation.scopes) <= set(self.scopes.split())
        if is_by_id(operation) and (holds or not self.checked):
            replies = {}
            for whose in ("own", "foreign", "unknown"):
                place = self.worlds["foreign" if whose == "foreign" else "own"].place(operation, self.role)
                reply = ask(self.client, operation, unknown_place(place) if whose == "unknown" else place)
                wanted = expected(self.role, operation, whose, self.scopes, self.checked)
                replies[whose] = reply
                self.note(operation, whose, reply, reply.status in wanted, f"instead of {sorted(wanted)}")
            if content(replies["foreign"]) != content(replies["unknown"]):
                self.unexpected.append(f"{operation.id}: what is foreign differs from what does not exist")
            return
        reply = ask(self.client, operation, self.worlds["own"].place(operation, self.role))
        wanted = expected(self.role, operation, "all", self.scopes, self.checked)
        self.note(operation, "all", reply, reply.status in wanted, f"instead of {sorted(wanted)}")
        if operation.method != "GET":
            return
        hidden = ["foreign"] if holds else ["foreign", "own"]
        shown = [one for whose in hidden for one in self.worlds[whose].identifiers() if one in reply.bytes.decode()]
        if shown:
            self.unexpected.append(f"{operation.id} lists {len(shown)} things that are not for this caller")
        if not holds and reply.status == 200 and operation.has_parameter("cursor", "query") and reply["items"]:
            self.unexpected.append(f"{operation.id} lists something without its scope")


def run_all(client, role, worlds, scopes, checked):
    cells = Cells(client, role, worlds, scopes, checked)
    for operation in OPERATIONS.values():
        cells.run(operation)
    return cells
