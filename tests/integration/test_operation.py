"""The service in operation: health, limits, an unreachable database, and shutdown."""
import concurrent.futures
import json
import re
import signal
import socket
import threading

import pytest
import urllib3

import contract_reader
from client import AGENCY_SCOPES, Client
from cluster import Cluster
from payloads import new_number, new_referral
from service import Instance
from test_sweep import PRIVATE, ask
from waiting import WATCHDOG_S, wait_until

REQUEST_ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def test_the_service_is_alive_and_ready(instance):
    assert instance.admin("/livez")[0] == 200
    assert instance.admin("/readyz")[0] == 200


def test_the_admin_port_has_no_other_pages(instance):
    assert instance.admin("/v1/referrals")[0] == 404


def test_the_admin_pages_are_not_on_the_public_port(anonymous):
    for path in ("/livez", "/readyz", "/metrics"):
        assert anonymous.request("GET", path).status == 404


def count_of(instance, operation, status):
    found = re.search(rf'http_requests_total{{operation="{operation}",status="{status}"}} (\d+)',
                      instance.admin("/metrics")[1])
    return int(found[1]) if found else 0


def test_metrics_count_requests_by_operation_and_status(agency, instance):
    before = count_of(instance, "pushReferral", 201)
    agency.send("pushReferral", new_referral()).expect(201)
    assert count_of(instance, "pushReferral", 201) == before + 1


def test_every_line_of_the_metrics_is_well_formed(instance):
    line = re.compile(r'^(#.*|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)$')
    assert [one for one in instance.admin("/metrics")[1].splitlines() if not line.match(one)] == []


def test_the_manual_lists_every_metric_with_its_type_and_labels(instance):
    table = (contract_reader.ROOT / "deploy" / "README.md").read_text(encoding="utf-8").split("\n### Metrics\n")[1].split("\n#")[0]
    listed = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in re.findall(
        r"^\| `(\w+)` \| (\w+) \| ([^|]*)\|", table, re.MULTILINE)}
    page = instance.admin("/metrics")[1]
    served = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE))
    assert served and {name: listed.get(name, [None])[0] for name in served} == served
    for name, labels in re.findall(r"^(\w+?)(?:_bucket|_sum|_count)?\{(.*)\} ", page, re.MULTILINE):
        if name in listed:
            assert set(re.findall(r'(\w+)="', labels)) - {"le"} <= listed[name][1], name


def test_a_request_gets_an_identifier(anonymous):
    assert REQUEST_ID.match(anonymous.send("getIndex").headers["X-Request-Id"])


def test_a_request_id_of_the_client_is_kept_and_logged(agency, instance):
    mine = new_number("request")
    reply = agency.send("listReferrals", headers={"X-Request-Id": mine})
    lines = [one for one in instance.log_lines() if one.get("request_id") == mine]
    assert reply.headers["X-Request-Id"] == mine
    assert [one["operation"] for one in lines] == ["listReferrals"]


@pytest.mark.parametrize("value", ["a b", "x" * 129, "a;b", "<a>", "ü"])
def test_an_invalid_request_id_is_replaced(anonymous, value):
    reply = anonymous.send("getIndex", headers={"X-Request-Id": value})
    assert REQUEST_ID.match(reply.headers["X-Request-Id"])


def test_a_trace_is_continued(agency, instance):
    trace = "0af7651916cd43dd8448eb211c80319c"
    parents = [agency.send("getPrincipal", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-{flags}"}).headers[
        "traceparent"].split("-") for flags in ("01", "01", "00", "fe")]
    assert {(version, kept) for version, kept, _, _ in parents} == {("00", trace)}
    assert [flags for *_, flags in parents] == ["01", "01", "00", "00"]
    spans = {span for _, _, span, _ in parents}
    assert len(spans) == 4 and not spans & {"b7ad6b7169203331", trace[16:], "0" * 16}
    assert spans == {one["span_id"] for one in instance.log_lines() if one.get("trace_id") == trace}


@pytest.mark.parametrize("value", [
    "x", "00-zz-b7ad6b7169203331-01", "00-" + "0" * 32 + "-1-01", f"00-{'0' * 32}-b7ad6b7169203331-01",
    f"00-{'a' * 32}-{'0' * 16}-01", f"ff-{'a' * 32}-{'b' * 16}-01"])
def test_an_invalid_traceparent_begins_a_new_trace(anonymous, value):
    reply = anonymous.send("getIndex", headers={"traceparent": value})
    _, trace, _ = re.fullmatch("(00)-([0-9a-f]{32})-([0-9a-f]{16})-00", reply.headers["traceparent"]).groups()
    assert trace not in ("0" * 32, "a" * 32)


def test_without_traceparent_there_is_no_trace(anonymous):
    assert "traceparent" not in anonymous.send("getIndex").headers


def line_of(instance, reply):
    """Returns the log line of an answer; the service writes it before it sends the answer."""
    found, = [one for one in instance.log_lines() if one.get("request_id") == reply.headers["X-Request-Id"]]
    return found


@pytest.mark.parametrize("method, target, path", [
    ("GET", "/v1/referral?child=Xavier", "/v1/referral"), ("BREW", "/v1/me", "/v1/me"),
    ("DELETE", "/v1/referrals", "/v1/referrals"), ("POST", "/v2/cases/a%20b", "/v2/cases/a%20b"),
    ("GET", "/v1/token/" + "eyJ0" * 20, "/v1/token/(80 bytes)"), ("GET", "/" + "a/" * 900, "/" + "a/" * 99 + "a...")])
def test_the_log_shows_an_unknown_address(anonymous, instance, method, target, path):
    line = line_of(instance, anonymous.request(method, target))
    assert (line["method"], line["path"], line["address"]) == (method, path, "127.0.0.1")
    assert line["problem"] in ("not_found", "method_not_allowed") and "Xavier" not in json.dumps(line)


def test_the_log_hides_a_personal_number_in_an_unknown_address(anonymous, instance):
    line = line_of(instance, anonymous.request("GET", "/v1/children/0101100000"))
    assert line["path"] == "(withheld: looks like a CHI number)"
    assert "0101100000" not in instance.log_text()


def test_the_log_shows_a_known_address_only_as_its_operation(agency, instance):
    line = line_of(instance, agency.send("listReferrals"))
    assert line["operation"] == "listReferrals" and not {"path", "address"} & set(line)


def test_the_log_shows_the_client_address_that_a_trusted_proxy_reports(extra_instance, anonymous, instance):
    """The last address that is not a proxy counts; addresses before it come from the client."""
    forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 127.0.0.1"}
    assert line_of(instance, anonymous.request("GET", "/x", headers=forwarded))["address"] == "198.51.100.7"
    for text in ("x", "", "<script>", "198.51.100.7, "):
        line = line_of(instance, anonymous.request("GET", "/x", headers={"X-Forwarded-For": text}))
        assert line["address"] == "127.0.0.1", text
    plain = extra_instance(LR_TRUSTED_PROXIES="192.0.2.1")
    assert line_of(plain, anonymous.at(plain.url).request("GET", "/x", headers=forwarded))["address"] == "127.0.0.1"


def test_the_log_shows_a_message_that_is_not_http_with_its_reason(anonymous, instance):
    reply = Client(anonymous.url, None).request("GET", "/v1/problems?x=Xavier", headers={"Host": "a b"})
    line = line_of(instance, reply)
    assert (line["status"], line["problem"], line["path"]) == (400, "bad_request", "/v1/problems")
    assert (line["method"], line["address"], line["reason"]) == (
        "GET", "127.0.0.1", "Host is not a host, or a host and a port.")


def test_a_client_over_its_quota_must_wait(extra_instance, caller):
    narrow = extra_instance(LR_RATE_LIMIT=20, LR_RATE_WINDOW_SECONDS=3600)  # one more request after 3 min
    hasty = caller("LA-S12000049", "hasty", AGENCY_SCOPES, narrow)
    patient = caller("LA-S12000049", "patient", AGENCY_SCOPES, narrow)
    replies = [hasty.send("listReferrals") for _ in range(21)]
    assert [reply.status for reply in replies] == [200] * 20 + [429]
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 3600 / 20 + 1
    assert re.search("r=19;", replies[0].headers["RateLimit"])
    assert patient.send("listReferrals").status == 200


def test_the_clients_of_an_organisation_share_its_quota(extra_instance, caller):
    """No client may use the whole quota, and another organisation has its own."""
    narrow = extra_instance(LR_RATE_LIMIT=20, LR_ORGANISATION_RATE_LIMIT=30, LR_RATE_WINDOW_SECONDS=3600)
    first, second = (caller("LA-S12000049", name, AGENCY_SCOPES, narrow) for name in ("share-1", "share-2"))
    assert {first.send("listReferrals").status for _ in range(20)} == {200}
    replies = [second.send("listReferrals") for _ in range(11)]
    assert [reply.status for reply in replies] == [200] * 10 + [429]
    last = replies[-1]
    assert '"organisation";q=30;w=3600' in last.headers["RateLimit-Policy"]
    assert re.search('"client";r=10;.*"organisation";r=0;', last.headers["RateLimit"])
    assert 1 <= int(last.headers["Retry-After"]) <= 3600 / 30 + 1 and "of the organisation" in last["detail"]
    assert caller("HB-S08000031", "share-1", AGENCY_SCOPES, narrow).send("listReferrals").status == 200
    narrow.stop()  # other tests need its database connections


def connect_from(address, port):
    return socket.create_connection(("127.0.0.1", port), timeout=WATCHDOG_S, source_address=(address, 0))


def is_open(link):
    """Returns whether the service keeps the connection open: it answers on it."""
    try:
        link.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return link.recv(15).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


@pytest.mark.parametrize("trusted, most", [("127.0.0.1", 20), ("127.0.0.1 127.0.0.2", 40), ("127.0.0.0/8", 40)])
def test_connections_of_an_address_are_limited_unless_it_is_trusted(extra_instance, trusted, most):
    crowded = extra_instance(LR_ADDRESS_CONNECTION_LIMIT=20, LR_TRUSTED_PROXIES=trusted)
    links = [connect_from("127.0.0.2", crowded.port) for _ in range(40)]
    kept = [link for link in links if is_open(link)]
    other = connect_from("127.0.0.3", crowded.port)
    assert (len(kept), is_open(other)) == (most, True)
    assert f"http_connections_refused_total {40 - most}" in crowded.admin("/metrics")[1]
    told = [one for one in crowded.log_text().splitlines() if "LR_ADDRESS_CONNECTION_LIMIT" in one]
    assert len(told) == (most < 40)
    kept[0].close()
    again = [connect_from("127.0.0.2", crowded.port)]
    wait_until(lambda: is_open(again[0]) or again.insert(0, connect_from("127.0.0.2", crowded.port)),
               "a connection becomes free")
    for link in links + again + [other]:
        link.close()
    assert crowded.stop() == 0  # other tests need its database connections


@pytest.fixture(scope="module")
def fragile(keys):
    """An instance on a separate database that tests stop."""
    own = Cluster()
    made = Instance(own, keys)
    made.errors_expected = True
    yield made.start(), own
    made.stop()
    own.remove()


@pytest.fixture
def fragile_agency(fragile, caller):
    return caller("LA-S12000049", "fragile", AGENCY_SCOPES, fragile[0])


def await_ready(instance, status=200):
    wait_until(lambda: instance.admin("/readyz")[0] == status, f"/readyz answers {status}")


@pytest.fixture
def stopped_database(fragile):
    fragile[1].stop()
    yield fragile[0]
    fragile[1].start()
    await_ready(fragile[0])


@pytest.mark.parametrize("operation", ["listReferrals", "pushReferral", "getPrincipal"])
def test_without_its_database_requests_get_503(fragile_agency, stopped_database, operation):
    reply = ask(fragile_agency, operation)
    assert (reply.status, reply.code) == (503, "database_unavailable")
    assert int(reply.headers["Retry-After"]) >= 1


def test_every_operation_reports_that_the_database_is_unreachable(stopped_database, caller):
    client = caller("CPC-GLA", "without-database", at=stopped_database)
    answers = {name: ask(client, name) for name in PRIVATE}
    assert {name: reply.status for name, reply in answers.items()
            if reply.status != 503 or "Retry-After" not in reply.headers} == {}


def test_without_its_database_the_service_is_alive_but_not_ready(stopped_database):
    assert stopped_database.admin("/livez")[0] == 200
    await_ready(stopped_database, 503)


def test_without_its_database_the_contract_is_still_served(stopped_database, recorder):
    assert Client(stopped_database.url, None, recorder).send("getContractYaml").status == 200


def test_the_service_recovers_when_the_database_returns(fragile, fragile_agency):
    instance, cluster = fragile
    for _ in range(2):
        cluster.stop()
        assert fragile_agency.send("listReferrals").status == 503
        cluster.start()
        wait_until(lambda: fragile_agency.send("pushReferral", new_referral()).status == 201, "pushes are stored again")
    assert instance.process.poll() is None


def test_a_push_acknowledged_during_an_outage_was_stored(fragile, fragile_agency):
    """Every push answered with 201 is stored, whatever happened to the others."""
    system, accepted = new_number("outage"), []

    def push(number):
        reply = fragile_agency.send("pushReferral", new_referral(
            source_system=system, source_reference=f"n/{number}"))
        if reply.status == 201:
            accepted.append(reply["id"])
        return reply.status
    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as pool:
        waiting = [pool.submit(push, number) for number in range(600)]
        wait_until(lambda: accepted, "the first push is answered")
        fragile[1].stop()
        fragile[1].start()
        statuses = {one.result() for one in waiting}
    await_ready(fragile[0])
    stored = {str(row[0]) for row in fragile[1].execute(
        "select id from register.referral where source_system = %s", [system])}
    assert statuses <= {201, 503}
    assert set(accepted) <= stored


def test_sigterm_lets_every_accepted_request_finish(extra_instance, caller, cluster):
    """Every stored push was answered: the service closes a connection only between requests."""
    leaving = extra_instance()
    sender = caller("LA-S12000049", "leaving", AGENCY_SCOPES, leaving)
    system, answers, numbers = new_number("leaving"), [], iter(range(10 ** 6))
    end = threading.Event()

    def push():
        while not end.is_set():
            try:
                answers.append(sender.send("pushReferral", new_referral(
                    source_system=system, source_reference=f"n/{next(numbers)}")))
            except urllib3.exceptions.HTTPError as refused:
                answers.append(refused)
                return
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        for _ in range(8):
            pool.submit(push)
        wait_until(lambda: len(answers) > 20, "more than twenty pushes are answered")
        leaving.signal(signal.SIGTERM)
        status = leaving.process.wait(timeout=WATCHDOG_S)
        end.set()
    replies = [one for one in answers if not isinstance(one, urllib3.exceptions.HTTPError)]
    stored = {str(row[0]) for row in cluster.execute(
        "select id from register.referral where source_system = %s", [system])}
    assert status == 0 and len(replies) > 20
    assert {reply.status for reply in replies} <= {201, 503}
    assert {reply["id"] for reply in replies if reply.status == 201} == stored


def test_sighup_reloads_the_keys_without_a_restart(extra_instance, caller):
    other = extra_instance()
    other.signal(signal.SIGHUP)
    wait_until(lambda: "reading the keys again" in other.log_text(), "the log shows the signal")
    assert caller("LA-S12000049", "hup", AGENCY_SCOPES, other).send("listReferrals").status == 200


def test_the_version_is_that_of_the_contract(instance):
    assert f", contract {contract_reader.load()['info']['version']}, code register_" in instance.run("version")


def test_the_check_command_finds_no_fault(instance):
    assert "database: in order" in instance.run("check")


def test_migrating_again_changes_nothing(instance, cluster):
    before = cluster.execute("select path, checksum, applied_at from register.schema_file")
    instance.run("migrate")
    assert cluster.execute("select path, checksum, applied_at from register.schema_file") == before
