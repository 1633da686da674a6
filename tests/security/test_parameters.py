"""Hostile values in every parameter and header of every operation, as the contract lists them."""
import json
import re
import urllib.parse

import pytest

from hostile import MARK, OPERATIONS, PAYLOADS, ask, assert_harmless

WITH_QUERY = [name for name, one in OPERATIONS.items() if any(each["in"] == "query" for each in one.parameters)]


def without_paths(log):
    """Returns the log without the paths of unknown addresses, which the service logs on purpose: escaped and shortened.
    """
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    paths = [line.pop("path", "") for line in lines]
    assert [path for path in paths if not re.fullmatch(r"[\w/.~%() -]{0,700}", path, re.ASCII)] == []
    return json.dumps(lines)


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_hostile_parameter_or_header_does_harm(committee, new_log, places, name):
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
            assert_harmless(reply, (one["name"], payload))
        plain = "".join(each for each in payload if " " <= each <= "~") + " <"
        headers = {"X-Request-Id": plain, "X-Correlation-Id": plain, "traceparent": plain, "User-Agent": plain}
        reply = ask(committee, name, places, headers=headers)
        assert_harmless(reply, ("headers", payload))
        assert all(MARK not in value for value in reply.headers.values())
    assert MARK not in without_paths(new_log())


@pytest.mark.parametrize("name", WITH_QUERY)
def test_a_repeated_parameter_is_refused_everywhere(committee, places, name):
    for one in OPERATIONS[name].parameters:
        if one["in"] == "query":
            reply = ask(committee, name, places, query=f"{one['name']}=1&{one['name']}=1")
            assert reply.status == 400 and "repeated_parameter" in reply.rules, (one["name"], reply)
