"""Metrics, dashboard and alerts: well formed, and about figures that the service really serves."""
import collections
import json
import os
import re
import time
import urllib.request

import pytest
import yaml

from commands import ROOT, run

FOLDER = ROOT / "deploy" / "observability"
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
PROMTOOL = os.environ.get("LR_PROMTOOL", "promtool")
# Made by Prometheus itself.
NOT_SERVED = {"up"}


def parse(text):
    """The samples: {name: {labels: value}}, labels as a frozen set of pairs."""
    found = collections.defaultdict(dict)
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
            found[name][frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] = float(value)
    return found


def value(samples, name, **labels):
    return samples[name].get(frozenset(labels.items()), 0)


def ask(instance, path, token=None, body=None):
    request = urllib.request.Request(instance.url + path, data=body, headers={
        **({"Authorization": f"Bearer {token}"} if token else {}),
        **({"Content-Type": "application/json"} if body else {})})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def referral(number):
    return json.dumps({
        "source_system": "observability", "source_reference": number, "committee": "GLA",
        "local_authority": "S12000049", "notified_on": "2026-01-20", "aware_on": "2026-01-18",
        "incident_kind": "accumulation", "immediate_concerns": "none",
        "children": [{"child_id": f"C-{number}", "outcome": "significant_harm", "age_band": "5_10", "sex": "female"}],
        "criteria_claimed": ["abuse_or_neglect"],
        "basis": "Several services see learning for how they work together."}).encode()


@pytest.fixture(scope="module")
def token(instance):
    return instance.run("token", "--role", "agency")


@pytest.fixture(scope="module")
def page(instance, token):
    """What /metrics says after some traffic."""
    ask(instance, "/v1/me", token)
    ask(instance, "/v1/referrals", token, referral("page"))
    return instance.admin("/metrics")[1]


@pytest.fixture
def samples(instance):
    return lambda: parse(instance.admin("/metrics")[1])


def test_the_metrics_are_well_formed(page):
    checked = run(PROMTOOL, "check", "metrics", input=page)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_every_metric_says_what_it_is(page):
    described = set(re.findall(r"^# HELP (\w+) \S", page, re.MULTILINE))
    typed = set(re.findall(r"^# TYPE (\w+) (?:counter|gauge|histogram)$", page, re.MULTILINE))
    served = {re.sub("_(bucket|sum|count)$", "", name) if re.sub("_(bucket|sum|count)$", "", name) in typed else name
              for name in parse(page)}
    assert described == typed == served


def test_an_operation_has_its_method_and_route(page):
    routes = parse(page)["http_operation_info"]
    operations = {operation["operationId"]: (method.upper(), path) for path, item in yaml.safe_load(
        (ROOT / "openapi.yaml").read_text())["paths"].items() for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation}
    assert {dict(labels)["operation"]: (dict(labels)["method"], dict(labels)["route"]) for labels in routes} == operations


def test_a_request_is_counted_and_timed(instance, token, samples):
    before = samples()
    ask(instance, "/v1/me", token)
    after = samples()
    for name, labels in (("http_requests_total", {"operation": "getPrincipal", "status": "200"}),
                         ("http_request_duration_seconds_count", {"operation": "getPrincipal"}),
                         ("http_request_duration_seconds_bucket", {"operation": "getPrincipal", "le": "+Inf"})):
        assert value(after, name, **labels) == value(before, name, **labels) + 1
    assert value(after, "http_requests_in_flight") == 0


def test_a_push_is_counted_in_a_batch_and_takes_a_connection(instance, token, samples):
    before = samples()
    ask(instance, "/v1/referrals", token, referral("batch"))
    after = samples()
    for name, labels in (("push_batch_size_count", {}), ("push_batch_size_sum", {}), ("push_alone_total", {}),
                         ("push_batch_size_bucket", {"le": "1"}),
                         ("database_pool_wait_seconds_count", {"pool": "pushes"})):
        assert value(after, name, **labels) == value(before, name, **labels) + 1, name
    assert value(after, "push_queue_length") == 0


def test_a_token_is_remembered(instance, samples):
    fresh = instance.run("token", "--role", "agency", "--seconds", "77")
    before = samples()
    ask(instance, "/v1/me", fresh)
    between = samples()
    ask(instance, "/v1/me", fresh)
    after = samples()
    assert value(between, "token_cache_misses_total") == value(before, "token_cache_misses_total") + 1
    assert value(between, "token_cache_entries") == value(before, "token_cache_entries") + 1
    assert value(after, "token_cache_hits_total") == value(between, "token_cache_hits_total") + 1
    assert value(after, "token_cache_entries") == value(between, "token_cache_entries")


def test_the_pools_are_as_configured(samples):
    deadline = time.monotonic() + 5
    while value(samples(), "database_pool_connected", pool="requests") < 12 and time.monotonic() < deadline:
        time.sleep(0.05)
    now = samples()
    for name in ("database_pool_size", "database_pool_connected", "database_pool_connects_total"):
        assert (value(now, name, pool="requests"), value(now, name, pool="pushes")) == (12, 2), name
    assert value(now, "database_pool_busy", pool="requests") == value(now, "database_pool_waiting", pool="requests") == 0


def test_process_and_build_are_known(instance, samples):
    now = samples()
    assert abs(value(now, "process_start_time_seconds") - time.time()) < 600
    assert 1e6 < value(now, "process_resident_memory_bytes") < 1e9
    assert 3 < value(now, "process_open_fds") < value(now, "process_max_fds")
    program, contract = re.fullmatch(r"learning-reviews (\S+), contract (\S+), schema \S+", instance.run("version")).groups()
    assert value(now, "learning_reviews_build_info", version=program, contract=contract) == 1
    assert (value(now, "service_ready"), value(now, "service_draining")) == (1, 0)
    assert value(now, "token_keys_source_info", source="secret") == value(now, "token_keys") == 1


# ---- what asks for them ----

WORDS = {"by", "on", "and", "or", "unless", "bool", "group_left", "group_right", "ignoring", "without", "offset"}


def names_in(expression):
    """The metrics that an expression names: words that are no function, keyword, label or number."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|on|group_left|group_right|ignoring|without)\s*\([^)]*\)", " ", bare)
    return set(re.findall(r"\b([a-z_][a-z0-9_]*)\b(?!\s*\()", bare)) - WORDS


def expressions():
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"panel {panel['title']} {target['refId']}", target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["expr"]
    for rule in ALERTS:
        yield f"alert {rule['alert']}", rule["expr"]


def test_names_are_found_in_expressions():
    assert names_in('sum by (a, b) (rate(x_total{c=~"y"}[5m])) / on (d) group_left (e) z > 1 and vector(0)') == {
        "x_total", "z"}


@pytest.mark.parametrize("expression", [text for _, text in expressions()], ids=[name for name, _ in expressions()])
def test_every_metric_that_is_asked_for_is_served(page, expression):
    names = names_in(expression)
    assert names and names - set(parse(page)) - NOT_SERVED == set()


@pytest.mark.parametrize("expression", [text for _, text in expressions()], ids=[name for name, _ in expressions()])
def test_every_label_that_is_asked_for_is_served(page, expression):
    served = {label for rows in parse(page).values() for labels in rows for label, _ in labels}
    asked = set(re.findall(r'[{,]\s*(\w+)\s*(?:=~|=|!=|!~)"', expression))
    asked |= {label for group in re.findall(r"\b(?:by|on|group_left)\s*\(([^)]*)\)", expression)
              for label in re.findall(r"\w+", group)}
    assert asked - served - {"job", "instance"} == set()


def test_the_alerts_are_well_formed():
    checked = run(PROMTOOL, "check", "rules", FOLDER / "alerts.yml")
    assert checked.returncode == 0, checked.stdout


def test_the_dashboard_s_expressions_are_well_formed(tmp_path):
    rules = [{"record": f"x:{number}", "expr": text.replace("$job", "a").replace("$instance", "b")}
             for number, (_, text) in enumerate(expressions())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = run(PROMTOOL, "check", "rules", tmp_path / "rules.yml")
    assert checked.returncode == 0, checked.stdout


def test_every_alert_says_what_to_do():
    for rule in ALERTS:
        assert set(rule["annotations"]) == {"summary", "runbook"} and len(rule["annotations"]["runbook"]) > 60
        assert rule["labels"]["severity"] in ("critical", "warning", "info"), rule["alert"]


def test_the_alerts_fire_when_they_have_to_and_only_then(tmp_path):
    runbooks = {rule["alert"]: rule["annotations"]["runbook"] for rule in ALERTS}
    tests = yaml.safe_load((ROOT / "tests/packaging/alerts_test.yml").read_text())
    tests["rule_files"] = [str(FOLDER / "alerts.yml")]
    fired, quiet = set(), collections.Counter()
    for test in tests["tests"]:
        for case in test["alert_rule_test"]:
            quiet[case["alertname"]] += not case["exp_alerts"]
            for alert in case["exp_alerts"]:
                fired.add(case["alertname"])
                alert["exp_annotations"]["runbook"] = runbooks[case["alertname"]]
    assert fired == set(runbooks) and all(quiet[name] >= 2 for name in runbooks)
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests))
    tested = run(PROMTOOL, "test", "rules", tmp_path / "tests.yml")
    assert tested.returncode == 0, tested.stdout


def test_the_panels_have_room_and_names():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    taken = collections.Counter((x, y) for panel in DASHBOARD["panels"] for at in [panel["gridPos"]]
                                for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"]))
    assert len(set(ids)) == len(ids) and max(taken.values()) == 1 and max(x for x, _ in taken) < 24
    assert all(panel["title"] and panel["datasource"]["uid"] == "${datasource}" for panel in PANELS)
