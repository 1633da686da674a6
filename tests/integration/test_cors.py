"""Pages of other origins: what their browsers may read and send. The Fetch Standard, 3.2."""
import uuid

import pytest
import yaml

import contract_reader
from client import ALL_SCOPES
from scenarios import make_case

KNOWN, OTHER = "https://dashboard.example.org", "https://elsewhere.example.org"
PUBLIC = {"getIndex": {}, "getContractYaml": {}, "getContractJson": {}, "getDocumentation": {}, "listProblems": {},
          "getProblem": {"code": "not_found"}, "getStatistics": {"table": "decisions"}}


@pytest.fixture(scope="module")
def open_instance(module_instance):
    return module_instance(LR_CORS_ORIGINS=f"http://localhost:3000 {KNOWN}")


@pytest.fixture
def reader(caller, open_instance):
    return caller("CPC-GLA", "pages", ALL_SCOPES, open_instance)


def allowed(reply):
    return reply.headers.get("Access-Control-Allow-Origin")


def preflight(who, path, method, origin):
    return who.request("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": method})


@pytest.mark.parametrize("name", PUBLIC)
def test_every_page_may_read_what_needs_no_token(anonymous, name):
    reply = anonymous.send(name, headers={"Origin": OTHER}, **PUBLIC[name]).expect(200)
    assert allowed(reply) == "*" and "ETag" in reply.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_a_request_that_is_no_pages_has_no_such_headers(anonymous):
    """Nor does a cache give its response to a page of another origin: it varies by Origin."""
    reply = anonymous.send("listProblems")
    assert allowed(reply) is None and "Origin" in reply.headers["Vary"]


@pytest.mark.parametrize("origin", [OTHER, "null", KNOWN + ":443", KNOWN.upper(), KNOWN[:-1], "http://localhost:300", ""])
def test_a_page_of_an_unknown_origin_reads_nothing_that_needs_a_token(reader, origin):
    reply = reader.send("listCases", headers={"Origin": origin})
    assert allowed(reply) is None and "Origin" in reply.headers["Vary"]
    assert not [name for name in preflight(reader, "/v1/cases", "GET", origin).headers if name.startswith("Access-")]


@pytest.mark.parametrize("origin", [KNOWN, "http://localhost:3000"])
def test_a_page_of_a_known_origin_reads_answers_and_problems(reader, origin):
    case = make_case(reader)
    for reply in (reader.send("getCase", id=case["id"], headers={"Origin": origin}).expect(200),
                  reader.send("getCase", id=str(uuid.uuid4()), headers={"Origin": origin}).expect(404),
                  reader.at(reader.url, "a.b.c").send("listCases", headers={"Origin": origin}).expect(401)):
        assert allowed(reply) == origin and "Origin" in reply.headers["Vary"]


def test_without_the_setting_no_page_sends_a_token(committee):
    reply = preflight(committee, "/v1/cases", "POST", KNOWN)
    assert reply.status == 204 and not [name for name in reply.headers if name.startswith("Access-")]


def test_a_preflight_allows_the_methods_and_headers_of_the_path(reader):
    reply = preflight(reader, "/v1/cases", "POST", KNOWN)
    assert (reply.status, allowed(reply), reply.headers["Access-Control-Allow-Methods"]) == (
        204, KNOWN, "GET, HEAD, POST, OPTIONS")
    sent = reply.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"} <= set(sent)


def test_every_header_of_the_contract_is_allowed_and_readable(reader, anonymous):
    operations = contract_reader.operations().values()
    taken = {one["name"] for operation in operations for one in operation.parameters if one["in"] == "header"}
    assert taken <= set(preflight(reader, "/v1/cases", "POST", KNOWN).headers["Access-Control-Allow-Headers"].split(", "))
    readable = anonymous.send("listProblems", headers={"Origin": OTHER}).headers["Access-Control-Expose-Headers"].split(", ")
    # Browsers let pages read the safelisted headers; the others are for the browser itself.
    given = set(contract_reader.load()["components"]["headers"]) - {
        "Content-Security-Policy", "Referrer-Policy", "Definitions", "DocumentDisposition", "FirstStillRunning",
        "ScopeNeeded"}
    assert given <= set(readable)


@pytest.mark.parametrize("path, method", [("/v1/cases", "DELETE"), ("/v1/nothing", "GET"), ("/v1/cases", "get")])
def test_a_preflight_for_nothing_allows_nothing(reader, path, method):
    assert not [name for name in preflight(reader, path, method, KNOWN).headers if name.startswith("Access-")]


def test_a_preflight_of_an_unknown_origin_allows_public_reads_without_a_token(reader):
    reply = preflight(reader, "/v1/statistics/decisions", "GET", OTHER)
    assert allowed(reply) == "*" and "Authorization" not in reply.headers["Access-Control-Allow-Headers"]


# --- the served contract ---------------------------------------------------------------------------

def test_the_served_contract_names_this_service(extra_instance, anonymous):
    made = extra_instance(LR_PUBLIC_URL="https://register.example.org/area",
                          LR_TOKEN_URL="https://identity.example.org/realms/a/token")
    document = anonymous.at(made.url).send("getContractJson").json
    assert document["servers"][0]["url"] == "https://register.example.org/area"
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == "https://identity.example.org/realms/a/token"
    assert yaml.safe_load(anonymous.at(made.url).send("getContractYaml").bytes)["servers"] == document["servers"]
    assert "127.0.0.1:8080" not in anonymous.at(made.url).send("getContractYaml").bytes.decode()


@pytest.mark.parametrize("name", ["getContractYaml", "getContractJson"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_an_unchanged_contract_is_not_sent_again(anonymous, name, coding):
    first = anonymous.send(name, headers={"Accept-Encoding": coding}).expect(200)
    again = anonymous.send(name, headers={"Accept-Encoding": coding, "If-None-Match": first.headers["ETag"]})
    assert (again.status, again.bytes) == (304, b"")
