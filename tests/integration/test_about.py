"""The service's description of itself: index, contract, problems, and the caller."""
import pytest

import contract_reader
from client import AGENCY_SCOPES

PUBLIC = [name for name, one in contract_reader.operations().items() if one.public]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_need_no_token(anonymous, name):
    path = {"code": "version_stale"} if name == "getProblem" else {}
    assert anonymous.send(name, **path).status == 200


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_ignore_an_invalid_token(committee, name):
    path = {"code": "version_stale"} if name == "getProblem" else {}
    assert committee.at(committee.url, "not.a.token").send(name, **path).status == 200


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_negotiate_their_media_type(anonymous, name):
    """The weights of Accept apply to pages, contract and problems."""
    path = {"code": "version_stale"} if name == "getProblem" else {}
    kind = anonymous.send(name, **path).headers["Content-Type"].split(";")[0]
    for accept, status in ((kind, 200), (f"{kind.upper()};q=0.1, image/png", 200), (f"{kind.split('/')[0]}/*", 200),
                           (f"{kind};q=0, */*", 406), ("image/png, */*;q=0", 406), (f"x{kind}", 406)):
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
    page = anonymous.send("getDocumentation").bytes.decode()
    missing = [name for name in contract_reader.operations() if name not in page]
    assert missing == []


def test_the_documentation_loads_nothing_from_other_sites(anonymous):
    page = anonymous.send("getDocumentation")
    assert "<script" not in page.bytes.decode()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


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
