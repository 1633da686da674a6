"""CSV: the same cells as the JSON, by the header Accept, the parameter `format` and the suffix of the path."""
import csv
import io
import re

import pytest

import contract_reader
from scenarios import make_accepted_referral, make_action, make_case, make_referral

OPERATIONS = contract_reader.operations()
LISTS = {"listReferrals": "referrals", "listCases": "cases", "listActions": "actions"}
each_list = pytest.mark.parametrize("name", LISTS)


@pytest.fixture(scope="module")
def filled(committee, agency):
    """Rows with quotes, commas, line breaks, apostrophes and formulas in their texts, and with other letters."""
    make_accepted_referral(agency, committee)
    make_referral(agency, basis='A "quoted" word, a comma;\nand a second line.')
    case = make_case(committee, "decision")
    for title in ('=HYPERLINK("http://evil.example";"x")', "+44 teams agree", "-1 is less than 0", "@SUM(A1)",
                  "Plain, with a comma", "Gàidhlig ✓", "1=1 is no formula", "'quoted'"):
        make_action(committee, case, title=title)


def columns_of(name):
    return OPERATIONS[name].responses["200"]["content"]["text/csv"]["x-columns"]


def cell_of(item, column):
    """The cell that the contract describes for a member of an item."""
    value = item
    for step in column.split("."):
        value = value[step]
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, int):
        return str(value)
    return ("'" if value[:1] in tuple("=+-@\t\r") else "") + value


def rows_of(reply):
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    text = reply.bytes.decode("utf-8")
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@each_list
def test_each_cell_is_that_of_the_json(committee, filled, name):
    reply = committee.send(name, query="limit=200&sort=-updated_at").expect(200)
    rows = rows_of(committee.send(name, query="limit=200&sort=-updated_at&format=csv"))
    assert rows[0] == columns_of(name)
    assert rows[1:] == [[cell_of(item, column) for column in rows[0]] for item in reply["items"]]
    assert len(rows) > 1


@each_list
def test_the_columns_are_the_members_of_an_item(name):
    """All that fit into a cell: not children, addresses and what only `expand` fills."""
    items = contract_reader.inline(OPERATIONS[name].responses["200"]["content"]["application/json"]["schema"])
    members = items["properties"]["items"]["items"]["properties"]
    left_out = {"children", "links", "etag", "counts", "stages", "transitions", "actions", "decision", "referrals"}
    plain = {column for column in columns_of(name) if "." not in column}
    assert plain == set(members) - left_out


def test_no_text_is_a_formula(committee, filled):
    rows = rows_of(committee.send("listActions", query="limit=200&sort=-updated_at&format=csv"))
    title = rows[0].index("title")
    texts = {row[title] for row in rows[1:]}
    assert {"'=HYPERLINK(\"http://evil.example\";\"x\")", "'+44 teams agree", "'-1 is less than 0", "'@SUM(A1)",
            "Gàidhlig ✓", "1=1 is no formula", "'quoted'"} <= texts
    assert not any(text.startswith(tuple("=+-@")) for text in texts)
    negative = [row[rows[0].index("slippage_days")] for row in rows[1:]]
    assert not any(value.startswith("'") for value in negative)


@each_list
def test_each_way_to_ask_for_csv_gives_the_same(committee, filled, name):
    path = OPERATIONS[name].path
    answers = [committee.request("GET", path, headers={"Accept": "text/csv"}),
               committee.request("GET", f"{path}?format=csv", headers={"Accept": "application/json"}),
               committee.request("GET", f"{path}.csv", headers={"Accept": "text/html"}),
               committee.request("GET", f"{path}.csv")]
    assert len({answer.bytes for answer in answers}) == 1
    for answer in answers:
        assert re.fullmatch(rf'attachment; filename="{LISTS[name]}-\d{{4}}-\d\d-\d\d\.csv"',
                            answer.headers["Content-Disposition"])
    json_reply = committee.request("GET", f"{path}?format=json", headers={"Accept": "text/csv"})
    assert json_reply.headers["Content-Type"] == "application/json"
    assert "Content-Disposition" not in json_reply.headers


@each_list
def test_the_pages_of_csv_are_those_of_the_json(committee, filled, name):
    path = OPERATIONS[name].path
    for first in (f"{path}.csv?limit=1", f"{path}?limit=1&format=csv"):
        json_reply = committee.send(name, query="limit=1").expect(200)
        csv_reply = committee.request("GET", first)
        for _ in range(3):
            assert [row[0] for row in rows_of(csv_reply)[1:]] == json_reply.ids
            assert ("Link" in csv_reply.headers) == (json_reply["next"] is not None)
            if json_reply["next"] is None:
                break
            address = re.fullmatch('<([^>]+)>; rel="next"', csv_reply.headers["Link"])[1]
            csv_reply, json_reply = committee.follow(address), committee.follow(json_reply["next"])
        assert json_reply.ids != committee.send(name, query="limit=1").ids


def test_a_cursor_works_in_either_form(committee, filled):
    following = committee.send("listCases", query="limit=1")["next"]
    assert rows_of(committee.follow(following + "&format=csv"))[1][0] == committee.follow(following).ids[0]


def test_an_empty_page_has_the_names_of_the_columns(committee):
    rows = rows_of(committee.request("GET", "/v1/cases.csv?reference=LR-1999-GLA-0001"))
    assert rows == [columns_of("listCases")]


@pytest.mark.parametrize("target, status, parameters", [
    ("/v1/cases.csv?format=csv", 400, {"format"}), ("/v1/cases.csv?format=json", 400, {"format"}),
    ("/v1/cases?format=xml", 400, {"format"}), ("/v1/cases?format=", 400, {"format"}),
    ("/v1/cases.csv?surprise=1", 400, {"surprise"}), ("/v1/notices?format=csv", 400, {"format"}),
    ("/v1/notices.csv", 404, set()), ("/v1/cases.json", 404, set()), ("/v1/.csv", 404, set()), ("/.csv", 404, set()),
    ("/v1/statistics.csv", 404, set()), ("/v1/cases.csv/", 404, set()), ("/v1/cases%2Ecsv", 404, set())])
def test_what_has_no_csv_is_refused(committee, target, status, parameters):
    reply = committee.request("GET", target)
    assert (reply.status, reply.parameters) == (status, parameters)
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_csv_can_only_be_read(committee):
    reply = committee.request("POST", "/v1/cases.csv", "{}", {"Content-Type": "application/json"})
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert committee.request("HEAD", "/v1/cases.csv").status == 200


@each_list
def test_csv_needs_the_same_token_and_scope(anonymous, dashboard, name):
    target = OPERATIONS[name].path + ".csv"
    assert anonymous.request("GET", target).code == "token_missing"
    assert dashboard.request("GET", target).code == "scope_missing"


def test_csv_shows_an_agency_no_more_than_json(agency, caller, filled):
    """The owner of an action sees neither the case nor its identifier."""
    rows = rows_of(agency.request("GET", "/v1/actions.csv?limit=200"))
    assert len(rows) > 1 and {row[rows[0].index("case_id")] for row in rows[1:]} == {""}
    stranger = caller("LA-S12000036", "stranger-system")
    assert len(rows_of(stranger.request("GET", "/v1/referrals.csv"))) == 1


@each_list
def test_csv_is_audited_like_json(committee, filled, cluster, name):
    replies = [committee.send(name, query="limit=3"), committee.request("GET", OPERATIONS[name].path + ".csv?limit=3")]
    entries = [cluster.execute("select operation, kind, ids::text[], items from register.audit_entry "
                               "where request = %s", [reply.headers["X-Request-Id"]]) for reply in replies]
    assert entries[0] == entries[1] and len(entries[0]) == 1 and entries[0][0][3] > 0


# ---- Statistics without a token.

def test_a_spreadsheet_reads_released_statistics_by_their_address(anonymous, dashboard):
    reply = anonymous.request("GET", "/v1/statistics/decisions.csv")
    rows = rows_of(reply)
    assert rows[0][:3] == ["table", "committee", "period"]
    assert re.fullmatch(r'attachment; filename="decisions-\d{4}-\d\d-\d\d\.csv"', reply.headers["Content-Disposition"])
    assert reply.bytes == dashboard.send("getStatistics", table="decisions", query="format=csv").bytes
    assert anonymous.request("GET", "/v1/statistics/decisions.csv", headers={"If-None-Match": reply.etag}).status == 304


def test_without_a_token_statistics_are_those_that_are_released(anonymous, dashboard):
    for operation, path in (("listStatistics", {}), ("getStatistics", {"table": "decisions"})):
        reply = anonymous.send(operation, **path)
        assert reply.status == 200 and reply.json == dashboard.send(operation, **path).json
        assert "RateLimit" not in anonymous.send(operation, **path).headers  # from memory


def test_the_live_view_needs_a_token(anonymous):
    for query in ("view=live", "view=live&committee=GLA", "view=live&format=csv"):
        reply = anonymous.send("getStatistics", table="decisions", query=query)
        assert (reply.status, reply.code) == (401, "token_missing")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_is_sent_counts_for_statistics(instance, anonymous, agency):
    assert anonymous.at(instance.url, "nonsense").send("listStatistics").code == "token_invalid"
    assert agency.send("listStatistics").code == "scope_missing"


@pytest.mark.parametrize("query, status", [("release=1999", 422), ("committee=GLA", 422), ("breakdown=criterion", 422)])
def test_without_a_token_faults_of_parameters_are_reported(anonymous, query, status):
    assert anonymous.send("getStatistics", table="decisions", query=query).status == status
    assert anonymous.send("getStatistics", table="no_such_table").status == 404


def test_a_quota_limits_what_callers_without_a_token_ask_the_database(extra_instance, anonymous):
    """Figures in memory have no limit; all callers without a token share the quota for the others."""
    caller = anonymous.at(extra_instance(LR_RATE_LIMIT=3).url)
    statuses = [caller.send("getStatistics", table="decisions", query=f"release={year}").status
                for year in range(1990, 1995)]
    assert statuses == [422, 422, 422, 429, 429]
