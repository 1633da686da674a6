"""Hostile values in every string, parameter and header of every operation, as the contract lists them."""
import copy
import json
import re
import urllib.parse
import uuid

import pytest

import contract_reader
from places import places_of_case
from steps import given_action, given_referral

MARK = "zqxjk"  # stands in every payload, so that it can be looked for
PAYLOADS = [
    f"{MARK}' OR '1'='1", f"{MARK}'; DROP TABLE register.review_case; --",
    f"{MARK}'||pg_sleep(9)||'",  # clock: a statement that sleeps is cut off, which is a 503
    f"{MARK}\\'; select 1; --", f"$${MARK}$$", f"{MARK}\r\nX-Injected: 1\r\n\r\n<html>",
    f'{MARK}\n{{"level":"error","message":"forged"}}', f"{MARK}%n%n%n%s%s%p%1000000d", f"{MARK}${{jndi:ldap://a/b}}",
    f"<script>{MARK}</script>", f"../../../../{MARK}", f"{MARK}\u202e\u0000\ufeff", f"{MARK}" + "A" * 5000,
    f"{{{{{MARK}}}}}", f"{MARK}`id`;$(id)|id"]
# What only the service may set, whatever an operation is about.
OURS = ["id", "version", "created_at", "updated_at", "created_by", "recorded_by", "recorded_client", "case_id",
        "tenant", "organisation_id", "stage", "reference", "is_admin", "links", "__proto__", "constructor"]
OPERATIONS = contract_reader.operations()
WITH_BODY = [name for name, one in OPERATIONS.items() if one.body]
WITH_QUERY = [name for name, one in OPERATIONS.items() if any(each["in"] == "query" for each in one.parameters)]


@pytest.fixture(scope="module")
def known(committee, agency):
    """The places of a case with one of everything."""
    return places_of_case(committee)


@pytest.fixture(scope="module")
def places(committee, agency, known):
    action = given_action(committee, {"id": known["id"]})
    referral = given_referral(agency)

    def find(name):
        path = OPERATIONS[name].path
        own = referral["id"] if "/referrals/" in path else action["id"] if "/actions/" in path else known["id"]
        values = {"code": "not_found", "name": "criteria", **known, "id": own}
        wanted = {one["name"] for one in OPERATIONS[name].parameters if one["in"] == "path"}
        return {key: values.get(key, str(uuid.uuid4())) for key in wanted}
    return find


def ask(client, name, places, **more):
    """A request that keeps to the contract but for what is given; it names no version that exists."""
    operation = OPERATIONS[name]
    arguments = {}
    if operation.body and "data" not in more:
        arguments["body"] = operation.example_body()
    if operation.has_parameter("If-Match", "header"):
        arguments["if_match"] = '"99-x"'
    return client.send(name, **{**arguments, **more}, **places(name))


def strings_of(value, path=()):
    """The ways to all strings in a document."""
    if isinstance(value, str):
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield from strings_of(inner, (*path, step))


def replaced(value, path, by):
    made = copy.deepcopy(value)
    inner = made
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = by
    return made


def members_of(name):
    """The members that the contract knows in a body, or in each item of one."""
    content = OPERATIONS[name].body["content"][OPERATIONS[name].media_types[0]]
    schema = contract_reader.inline(content["schema"])
    return schema.get("items", schema).get("properties", {})


def assert_harmless(reply, instance, place):
    assert reply.status < 500, (place, reply)
    assert "X-Injected" not in reply.headers, place
    assert reply.status < 400 or MARK not in reply.bytes.decode(), (place, reply)


@pytest.mark.parametrize("name", WITH_BODY)
def test_no_string_of_a_body_does_harm(committee, agency, instance, places, name):
    example = OPERATIONS[name].example_body()
    client = agency if name.startswith("pushReferral") else committee
    for path in strings_of(example):
        for payload in PAYLOADS:
            reply = ask(client, name, places, body=replaced(example, path, payload))
            assert_harmless(reply, instance, (path, payload))
    assert MARK not in instance.log_text()


def logged_but_for_paths(instance):
    """The log without the paths of unknown addresses, which are in it on purpose: escaped and bounded."""
    lines = instance.log_lines()
    paths = [line.pop("path", "") for line in lines]
    assert [path for path in paths if not re.fullmatch(r"[\w/.~%() -]{0,700}", path, re.ASCII)] == []
    return json.dumps(lines)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_parameter_or_header_does_harm(committee, instance, places, name):
    operation = OPERATIONS[name]
    for payload in PAYLOADS:
        quoted = urllib.parse.quote(payload.replace("\0", ""), safe="")[:3000]
        for one in operation.parameters:
            if one["in"] == "query":
                reply = ask(committee, name, places, query=f"{one['name']}={quoted}")
            elif one["in"] == "path":
                others = {**places(name), one["name"]: quoted}
                reply = ask(committee, name, lambda _, others=others: others)
            else:
                plain = "".join(each for each in payload if " " <= each <= "~")
                reply = ask(committee, name, places, headers={one["name"]: plain})
            assert_harmless(reply, instance, (one["name"], payload))
        plain = "".join(each for each in payload if " " <= each <= "~") + " <"
        headers = {"X-Request-Id": plain, "X-Correlation-Id": plain, "traceparent": plain, "User-Agent": plain}
        reply = ask(committee, name, places, headers=headers)
        assert_harmless(reply, instance, ("headers", payload))
        assert all(MARK not in value for value in reply.headers.values())
    assert MARK not in logged_but_for_paths(instance)


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_only_the_service_sets_is_refused(committee, agency, places, name):
    example = OPERATIONS[name].example_body()
    client = agency if name.startswith("pushReferral") else committee
    own = members_of(name) or members_of("pushReferral")  # items of a batch are checked one by one
    for member in (each for each in OURS if each not in own):
        given = {**(example[0] if isinstance(example, list) else example), member: "1"}
        reply = ask(client, name, places, body=[given] if isinstance(example, list) else given)
        if reply.status == 207:
            assert reply["created"] == 0 and reply["items"][0]["problem"]["code"] == "schema_violation"
        elif name == "validateReferral":
            assert reply["valid"] is False
        else:
            assert (reply.status, reply.code) == (400, "schema_violation"), (member, reply)
            assert f"/{member}" in reply.pointers


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_member_given_twice_is_refused_everywhere(committee, places, name):
    example = OPERATIONS[name].example_body()
    text = json.dumps(example[0] if isinstance(example, list) else example)
    first = next(iter(json.loads(text)))
    twice = text[:-1] + f', {json.dumps(first)}: null}}'
    reply = ask(committee, name, places, data=(f"[{twice}]" if isinstance(example, list) else twice).encode())
    assert (reply.status, reply.code) == (400, "duplicate_member")


@pytest.mark.parametrize("name", WITH_QUERY)
def test_a_parameter_given_twice_is_refused_everywhere(committee, places, name):
    for one in OPERATIONS[name].parameters:
        if one["in"] == "query":
            reply = ask(committee, name, places, query=f"{one['name']}=1&{one['name']}=1")
            assert reply.status == 400 and "repeated_parameter" in reply.rules, (one["name"], reply)


HUGE = {
    "an array of empty objects": ("application/json", b"[" + b"{}," * 1000000 + b"{}]"),
    "lines of empty objects": ("application/x-ndjson", b"{}\n" * 1300000),
    "lines of numbers": ("application/x-ndjson", b"1\n" * 2000000),
    "empty lines": ("application/x-ndjson", b"\n" * 4000000),
    "deep arrays": ("application/json", b"[" * 2000000),
    "deep objects": ("application/json", b'{"a":' * 800000),
    "one long string": ("application/json", b'["' + b"a" * 4000000 + b'"]'),
    "a long number": ("application/json", b"[" + b"1" * 4000000 + b"]"),
    "many members": ("application/json", b"[{" + b",".join(b'"%d":1' % n for n in range(150000)) + b"}]"),
    "members that are the same": ("application/json", b"[{" + b'"a":1,' * 150000 + b'"a":1}]')}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_body_is_answered(agency, name):
    """What it takes of time and memory: tests/process/test_load.py."""
    media_type, data = HUGE[name]
    assert agency.send("pushReferrals", data=data, media_type=media_type).status in (207, 400, 413)
