"""The service's description of itself: index, contract, problems, and the caller."""
import re

import pytest

import contract_reader
from client import AGENCY_SCOPES

PUBLIC = [name for name, one in contract_reader.operations().items() if one.public]
DOCUMENTATION = [name for name in PUBLIC if name.startswith(("getDocumentation", "getIndex", "getProblem", "list"))]


def path_of(name):
    return {"getProblem": {"code": "version_stale"}, "getDocumentationPage": {"page": "guide"}}.get(name, {})


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_need_no_token(anonymous, name):
    assert anonymous.send(name, **path_of(name)).status == 200


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_ignore_an_invalid_token(committee, name):
    assert committee.at(committee.url, "not.a.token").send(name, **path_of(name)).status == 200


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_negotiate_their_media_type(anonymous, name):
    """The weights of Accept apply to pages, contract and problems."""
    path = path_of(name)
    others = len(contract_reader.operations()[name].responses["200"]["content"]) > 1
    kind = anonymous.send(name, **path).headers["Content-Type"].split(";")[0]
    for accept, status in ((kind, 200), (f"{kind.upper()};q=0.1, image/png", 200), (f"{kind.split('/')[0]}/*", 200),
                           (f"{kind};q=0, */*", 200 if others else 406), ("image/png, */*;q=0", 406),
                           (f"x{kind}", 406)):
        reply = anonymous.send(name, headers={"Accept": accept}, **path)
        assert (reply.status, reply.code) == (status, None if status == 200 else "not_acceptable"), accept


@pytest.mark.parametrize("accept", ["application/json", "text/html", "*/*;q=0"])
def test_a_problem_keeps_its_media_type_for_any_accept_header(anonymous, accept):
    reply = anonymous.send("getProblem", code="nothing", headers={"Accept": accept})
    assert reply.status >= 400 and reply.headers["Content-Type"] == "application/problem+json"


def test_the_index_links_to_every_resource(anonymous, agency):
    for link in anonymous.send("getIndex")["links"].values():
        assert agency.request("GET", link).status == 200


def test_the_documentation_shows_every_operation(anonymous):
    page = anonymous.send("getDocumentationPage", page="operations").bytes.decode()
    missing = [name for name in contract_reader.operations() if f"#operation-{name}\"" not in page]
    assert missing == []


def test_the_documentation_loads_nothing_from_other_sites(anonymous):
    page = anonymous.send("getDocumentation")
    assert set(re.findall(r'(?:src|<link rel="stylesheet" href)="([^"]+)"', page.bytes.decode())) == {
        "/docs/script.js", "/docs/style.css"}
    assert "default-src 'none'; script-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["getIndex", "listProblems", "getProblem"])
def test_browsers_get_a_page_and_programs_json(anonymous, name):
    path = path_of(name)
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    page = anonymous.send(name, headers={"Accept": accept}, **path)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.bytes.startswith(b"<!DOCTYPE html>") and "default-src 'none'" in page.headers["Content-Security-Policy"]
    for accept in ("application/json", "*/*"):
        assert anonymous.send(name, headers={"Accept": accept}, **path).headers["Content-Type"] == "application/json"


def test_the_type_of_a_problem_is_its_page(anonymous):
    problem = anonymous.send("getProblem", code="version_stale")
    assert problem["type"] == f"{anonymous.url}/v1/problems/version_stale"
    page = anonymous.request("GET", "/v1/problems/version_stale", headers={"Accept": "text/html"})
    assert problem["title"] in page.bytes.decode() and problem["meaning"] in page.bytes.decode()


@pytest.mark.parametrize("name", DOCUMENTATION)
def test_unchanged_documentation_is_304(anonymous, name):
    path = path_of(name)
    for encoding in ("identity", "gzip"):
        first = anonymous.send(name, headers={"Accept-Encoding": encoding}, **path)
        again = anonymous.send(name, headers={"Accept-Encoding": encoding}, none_match=first.headers["ETag"], **path)
        assert (first.status, again.status, again.bytes) == (200, 304, b"")


@pytest.mark.parametrize("name", [name for name in PUBLIC if name.startswith("getDocumentation")])
def test_the_compressed_documentation_has_the_same_content(anonymous, name):
    plain, small = (anonymous.send(name, headers={"Accept-Encoding": encoding}, **path_of(name))
                    for encoding in ("identity", "gzip"))
    assert ("Content-Encoding" not in plain.headers, small.headers["Content-Encoding"]) == (True, "gzip")
    assert small.bytes == plain.bytes  # decompressed by the client
    assert int(small.headers["Content-Length"]) < len(plain.bytes) / 2
    assert small.headers["ETag"] == plain.headers["ETag"][:-1] + '.gz"'


def test_an_unknown_page_of_the_documentation_is_404(anonymous):
    assert anonymous.send("getDocumentationPage", page="nothing").status == 404


def test_the_form_that_sends_requests_is_in_the_script_of_development_mode(anonymous):
    assert "Send the request" in anonymous.send("getDocumentationScript").bytes.decode()


def test_each_problem_is_explained_at_its_own_address(anonymous):
    for problem in anonymous.send("listProblems")["items"]:
        assert anonymous.send("getProblem", code=problem["code"]).json == problem


def test_the_caller_sees_how_its_token_is_interpreted(agency):
    me = agency.send("getPrincipal")
    assert me["organisation"] == {"code": "LA-S12000049", "name": "Glasgow City Council",
                                  "kind": "local_authority", "committee": None, "area": None}
    assert (me["client_id"], me["scopes"]) == ("council-casework", AGENCY_SCOPES.split())
    assert me["rate_limit"] == {"quota": 1000000, "organisation_quota": 4000000,
                                "window_seconds": 60}


def test_a_committee_sees_its_own_committee_code(committee):
    organisation = committee.send("getPrincipal")["organisation"]
    assert (organisation["kind"], organisation["committee"]) == ("committee", "GLA")
