"""Two instances on one database are one register: any request may reach either of them."""
import concurrent.futures
import itertools

import pytest

from client import new_key
from payloads import (completion, new_action, new_decision, new_impact_review, new_referral,
                      new_update, today, verification)
from scenarios import advance, make_case, move, recommend, send_notices, tag_of, walk


class Alternating:
    """A caller that sends its requests to the instances in turn."""

    def __init__(self, client, instances):
        self.clients = itertools.cycle([client.at(each.url) for each in instances])

    def send(self, *words, **more):
        return next(self.clients).send(*words, **more)

    def of(self, organisation, client):
        return next(self.clients).of(organisation, client)

    def follow(self, url):
        """Gets a next page from the other instance."""
        client = next(self.clients)
        return client.request("GET", "/" + url.split("/", 3)[3])


@pytest.fixture(scope="module")
def either(instances):
    return lambda client: Alternating(client, instances)


def test_a_referral_becomes_a_plan_that_is_carried_out(agency, committee, either):
    """The whole story: each request reaches another instance than the previous one."""
    sender, board = either(agency), either(committee)
    referral = sender.send("pushReferral", new_referral())
    assert referral.status == 201

    board.send("acknowledgeReferral", {"acknowledged_on": today()}, id=referral["id"])
    accepted = board.send("acceptReferral", {"accepted_on": today()}, id=referral["id"])
    case_id = accepted["case_id"]
    assert accepted.status == 201

    case = board.send("getCase", id=case_id).json
    case = advance(board, case, "implementation")

    action = board.send("createAction", new_action(), id=case_id)
    assert sender.send("addActionUpdate", new_update(), id=action["id"]).status == 201
    assert sender.send("getAction", id=action["id"])["status"] == "in_progress"
    assert sender.send("completeAction", completion(), id=action["id"]).status == 201
    assert board.send("verifyAction", verification(), id=action["id"])["status"] == "verified"

    assert advance(board, case, "closed")["closure"] == "completed"
    assert sender.send("getReferral", id=referral["id"])["case_stage"] == "closed"


def test_data_stored_by_one_instance_is_visible_in_the_other_at_once(agency, instances):
    here, there = [agency.at(each.url) for each in instances]
    for _ in range(20):
        referral = here.send("pushReferral", new_referral())
        assert there.send("getReferral", id=referral["id"]).json == referral.json


def test_both_give_the_same_tag(agency, instances):
    here, there = [agency.at(each.url) for each in instances]
    referral = here.send("pushReferral", new_referral())
    assert there.send("getReferral", id=referral["id"]).etag == referral.etag


def test_a_repetition_with_the_same_key_may_reach_the_other_instance(agency, instances):
    here, there = [agency.at(each.url) for each in instances]
    document, key = new_referral(), new_key()
    first, second = [each.send("pushReferral", document, key=key) for each in (here, there)]
    assert second.bytes == first.bytes
    assert second.headers["Idempotency-Replayed"] == "true"


def test_equal_concurrent_pushes_to_both_create_one_referral(agency, instances):
    clients = [agency.at(each.url) for each in instances]
    document = new_referral()
    with concurrent.futures.ThreadPoolExecutor(max_workers=32) as pool:
        replies = list(pool.map(lambda n: clients[n % 2].send("pushReferral", document),
                                range(32)))
    assert sorted(reply.status for reply in replies) == [200] * 31 + [201]
    assert len({reply["id"] for reply in replies}) == 1


def test_equal_concurrent_keys_at_both_open_one_case(committee, instances):
    clients = [committee.at(each.url) for each in instances]
    key = new_key()
    document = {"local_authority": "S12000049", "opened_on": today(),
                "criteria": ["abuse_or_neglect"], "summary": f"Only once: {key[:4]}",
                "children": new_referral()["children"]}
    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as pool:
        replies = list(pool.map(lambda n: clients[n % 2].send("openCase", document, key=key),
                                range(16)))
    assert {(reply.status, reply.code) for reply in replies} <= {
        (201, None), (409, "idempotency_in_flight")}
    assert len({reply["id"] for reply in replies if reply.status == 201}) == 1


def test_one_of_several_concurrent_moves_at_both_succeeds(committee, instances):
    clients = [committee.at(each.url) for each in instances]
    case = make_case(committee)
    tag = tag_of(committee, "getCase", id=case["id"])
    with concurrent.futures.ThreadPoolExecutor(max_workers=20) as pool:
        replies = list(pool.map(
            lambda n: move(clients[n % 2], case["id"], "information_gathering", if_match=tag),
            range(20)))
    assert sorted(reply.status for reply in replies) == [201] + [412] * 19


def test_pages_of_a_list_may_come_from_both_instances(caller, either):
    board = caller("CPC-HLD")
    made = {make_case(board, local_authority="S12000017")["id"] for _ in range(7)}
    seen = walk(either(board), "listCases", "limit=2")
    assert sorted(one["id"] for one in seen) == sorted(made)
