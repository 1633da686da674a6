"""The shared rate limit of the delivered HAProxy configuration: one count for all instances, also after a failover.

Needs haproxy (Debian).
"""
import pytest

from client import Client
from service import Instance, free_port
from test_proxy import await_answer, haproxy
from waiting import wait_until

LIMIT = 20


@pytest.fixture
def instances(shared_cluster, keys):
    """Two instances, whose own limits no test reaches."""
    made = [Instance(shared_cluster, keys) for _ in range(2)]
    yield [each.start() for each in made]
    assert [each.stop() for each in made] == [0, 0]


@pytest.fixture
def proxies(instances, tmp_path):
    """The addresses of two HAProxies in front of both instances, which count together."""
    ports, peers = [free_port(), free_port()], [free_port(), free_port()]

    def change(text):
        assert "gt 12000" in text and "port 8091" in text
        text = text.replace("gt 12000", f"gt {LIMIT}")
        for number, (peer, instance) in enumerate(zip(peers, instances), 1):
            text = text.replace(f"@ADDRESS_{number}@:8092", f"127.0.0.1:{peer}")
            text = text.replace(f"server m{number} @ADDRESS_{number}@:8090",
                                f"server m{number} 127.0.0.1:{instance.port} port {instance.admin_port}")
        return text

    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    with haproxy(first, ports[0], 0, 1, 1, change) as one, haproxy(second, ports[1], 0, 1, 2, change) as two:
        await_answer(ports[0], one, first)
        await_answer(ports[1], two, second)
        yield [f"http://127.0.0.1:{port}" for port in ports]


def test_a_token_has_one_count_for_all_instances(instances, proxies):
    token = instances[0].token("LA-S12000049", "casework", "referrals.read")
    other_token = instances[0].token("POL-G", "police", "referrals.read")
    caller, other = Client(proxies[0], token), Client(proxies[0], other_token)
    replies = [caller.send("getPrincipal") for _ in range(LIMIT + 5)]
    assert [reply.status for reply in replies] == [200] * LIMIT + [429] * 5
    asked = [sum(line.get("operation") == "getPrincipal" for line in each.log_lines()) for each in instances]
    assert sum(asked) == LIMIT and min(asked) > 0, "both instances answered, and none the refused requests"
    refused = replies[-1]
    assert (refused.code, refused["retryable"], refused["status"]) == ("rate_limited", True, 429)
    assert refused.headers["Content-Type"] == "application/problem+json" and int(refused.headers["Retry-After"]) > 0
    assert refused["instance"] == f"urn:uuid:{refused.headers['X-Request-Id']}"
    assert refused.headers["X-Request-Id"] != replies[-2].headers["X-Request-Id"]
    assert other.send("getPrincipal").status == 200
    assert Client(proxies[0], None).send("getIndex").status == 200


def test_the_count_survives_the_loss_of_a_proxy(instances, proxies):
    caller = Client(proxies[0], instances[0].token("LA-S12000049", "casework", "referrals.read"))
    assert [caller.send("getPrincipal").status for _ in range(LIMIT + 1)][-1] == 429
    wait_until(lambda: caller.at(proxies[1]).send("getPrincipal").status == 429, "the other HAProxy knows the count")
