"""Hostile values in every string of every body, and bodies with members that only the service may set."""
import json

import pytest

import contract_reader
from hostile import MARK, OPERATIONS, PAYLOADS, ask, assert_harmless
from payloads import replaced

# Members that only the service may set, in every operation.
OURS = ["id", "version", "created_at", "updated_at", "created_by", "recorded_by", "recorded_client", "case_id",
        "tenant", "organisation_id", "stage", "reference", "is_admin", "links", "__proto__", "constructor"]
WITH_BODY = [name for name, one in OPERATIONS.items() if any("json" in each for each in one.media_types)]


def strings_of(value, path=()):
    """Yields the paths of all strings in a document."""
    if isinstance(value, str):
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in pairs:
        yield from strings_of(inner, (*path, step))


def members_of(name):
    """Returns the members that the contract defines for a body, or for each item of one."""
    content = OPERATIONS[name].body["content"][OPERATIONS[name].media_types[0]]
    schema = contract_reader.inline(content["schema"])
    return schema.get("items", schema).get("properties", {})


@pytest.mark.parametrize("name", WITH_BODY)
def test_no_hostile_string_in_a_body_does_harm(committee, agency, new_log, places, name):
    example = OPERATIONS[name].example_body()
    client = agency if name.startswith("pushReferral") else committee
    for path in strings_of(example):
        for payload in PAYLOADS:
            reply = ask(client, name, places, body=replaced(example, path, payload))
            assert_harmless(reply, (path, payload))
    assert MARK not in new_log()


@pytest.mark.parametrize("name", WITH_BODY)
def test_members_that_only_the_service_sets_are_refused(committee, agency, places, name):
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
def test_a_duplicate_member_is_refused_everywhere(committee, places, name):
    example = OPERATIONS[name].example_body()
    text = json.dumps(example[0] if isinstance(example, list) else example)
    first = next(iter(json.loads(text)))
    twice = text[:-1] + f', {json.dumps(first)}: null}}'
    reply = ask(committee, name, places, data=(f"[{twice}]" if isinstance(example, list) else twice).encode())
    assert (reply.status, reply.code) == (400, "duplicate_member")


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
    """tests/process/test_load.py measures its time and memory."""
    media_type, data = HUGE[name]
    assert agency.send("pushReferrals", data=data, media_type=media_type).status in (207, 400, 413)
