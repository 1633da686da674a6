"""Reference data: the values that forms and programs offer."""
import pytest

import contract_reader
from payloads import today

LISTS = ["listCommittees", "listLocalAuthorities", "listHealthBoards", "listOrganisations",
         "listStages", "listTimescales", "listBankHolidays", "listCodeLists"]


@pytest.mark.parametrize("operation, count", [("listCommittees", 30), ("listLocalAuthorities", 32),
                                              ("listHealthBoards", 14), ("listStages", 11)])
def test_the_lists_are_complete(agency, operation, count):
    reply = agency.send(operation)
    assert reply.status == 200
    assert len(reply["items"]) == count and reply["next"] is None


def test_every_council_belongs_to_the_committee_that_covers_it(agency):
    councils = {one["code"]: one["committee"]
                for one in agency.send("listLocalAuthorities")["items"]}
    covered = {code: one["code"] for one in agency.send("listCommittees")["items"]
               for code in one["local_authorities"]}
    assert covered == councils


def test_every_council_is_in_a_known_health_board(agency):
    boards = {one["code"] for one in agency.send("listHealthBoards")["items"]}
    assert {one["health_board"] for one in agency.send("listLocalAuthorities")["items"]} == boards


def test_every_committee_council_and_board_is_an_organisation(agency):
    codes = {one["code"] for one in agency.send("listOrganisations")["items"]}
    areas = [("CPC-", "listCommittees"), ("LA-", "listLocalAuthorities"),
             ("HB-", "listHealthBoards")]
    for prefix, operation in areas:
        assert {prefix + one["code"] for one in agency.send(operation)["items"]} <= codes


def test_only_committees_represent_a_committee(agency):
    for one in agency.send("listOrganisations")["items"]:
        assert (one["committee"] is not None) == (one["kind"] == "committee")
        assert (one["area"] is not None) == (one["kind"] == "chief_officers_group")


def test_the_stages_are_in_order_and_the_last_is_terminal(agency):
    stages = agency.send("listStages")["items"]
    assert [one["position"] for one in stages] == list(range(1, 12))
    assert [one["code"] for one in stages if one["terminal"]] == ["closed"]


def test_every_move_leads_to_a_stage(agency):
    stages = agency.send("listStages")["items"]
    codes = {one["code"] for one in stages}
    assert {move["to"] for one in stages for move in one["transitions"]} <= codes
    assert all(one["transitions"] for one in stages)


def test_every_stage_but_implementation_and_closure_has_a_default_timescale(agency):
    timed = {one["stage"] for one in agency.send("listTimescales")["items"]
             if one["committee"] is None and one["valid_from"] <= today()}
    assert {one["code"] for one in agency.send("listStages")["items"]} - timed == {
        "implementation", "closed"}


def test_every_code_list_can_be_read(agency):
    for one in agency.send("listCodeLists")["items"]:
        reply = agency.send("getCodeList", name=one["name"])
        assert reply.status == 200
        assert len(reply["entries"]) == one["entries_count"]
        assert (reply["label"], reply["version"]) == (one["label"], one["version"])


def enumerations(node):
    """Returns every set of values that the contract enumerates anywhere."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            yield frozenset(one for one in node["enum"] if one is not None)
        for inner in node.values():
            yield from enumerations(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from enumerations(inner)


def test_every_code_list_is_an_enumeration_of_the_contract(agency):
    known = set(enumerations(contract_reader.load()["components"]["schemas"]))
    for one in agency.send("listCodeLists")["items"]:
        entries = agency.send("getCodeList", name=one["name"])["entries"]
        assert frozenset(e["code"] for e in entries if not e["retired"]) in known, one["name"]


def test_an_unknown_code_list_is_not_found(agency):
    assert agency.send("getCodeList", name="nothing-like-it").status == 404


@pytest.mark.parametrize("operation", LISTS)
def test_unchanged_reference_data_is_not_sent_again(agency, operation):
    first = agency.send(operation)
    second = agency.send(operation, none_match=first.etag)
    assert (second.status, second.bytes, second.etag) == (304, b"", first.etag)


def test_an_unchanged_code_list_is_not_sent_again(agency):
    first = agency.send("getCodeList", name="criteria")
    assert agency.send("getCodeList", name="criteria", none_match=first.etag).status == 304


@pytest.mark.parametrize("operation", LISTS)
def test_reference_data_may_be_cached(agency, operation):
    assert agency.send(operation).headers["Cache-Control"] == "private, max-age=300"


@pytest.mark.parametrize("role", ["agency", "committee", "dashboard", "police"])
def test_any_caller_reads_reference_data(request, role):
    assert request.getfixturevalue(role).send("listStages").status == 200


def test_both_instances_give_the_same_tag(agency, instances):
    tags = {agency.at(each.url).send("listStages").etag for each in instances}
    assert len(tags) == 1


def test_the_documentation_shows_every_move_of_the_process(agency, anonymous):
    page = anonymous.send("getDocumentationPage", page="stages").bytes.decode()
    moves = [move for stage in agency.send("listStages")["items"] for move in stage["transitions"]]
    assert page.count('marker-end="url(#arrow)"') == len(moves)
    assert all(one["message"].replace("'", "&#x27;") in page for move in moves
               for one in move["guards"])
