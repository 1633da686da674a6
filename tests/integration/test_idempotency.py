"""Idempotency keys while the first request is running, after a week, and with other bodies."""
import concurrent.futures

import pytest

import contract_reader
from client import new_key
from payloads import new_case, new_referral
from scenarios import make_referral
from waiting import wait_until

HOLD = """insert into register.idempotency_key
    (organisation, client, key, request_hash, status, version, location, body)
    values (%s, %s, %s, 'of another request', 201, 1, '/', '{}')"""


def test_a_repetition_while_the_first_request_is_running_gets_in_flight(committee, cluster):
    key = new_key()
    with cluster.holding(HOLD, ["CPC-GLA", "committee-system", key]):
        reply = committee.send("openCase", new_case(), key=key)
    assert (reply.status, reply.code) == (409, "idempotency_in_flight")
    assert reply["retryable"] is True and int(reply.headers["Retry-After"]) >= 1


def test_a_repeated_push_while_the_first_one_is_running_gets_in_flight(agency, cluster):
    key = new_key()
    with cluster.holding(HOLD, ["LA-S12000049", "council-casework", key]):
        reply = agency.send("pushReferral", new_referral(), key=key)
    assert (reply.status, reply.code) == (409, "idempotency_in_flight")


def test_a_push_that_waits_for_an_equal_one_does_not_delay_others(agency, cluster):
    key = new_key()
    with cluster.holding(HOLD, ["LA-S12000049", "council-casework", key]):
        with concurrent.futures.ThreadPoolExecutor(max_workers=9) as pool:
            waiting = pool.submit(agency.send, "pushReferral", new_referral(), key=key)
            others = [pool.submit(agency.send, "pushReferral", new_referral()) for _ in range(8)]
            statuses = [one.result().status for one in others]
            waiting.result()
    assert statuses == [201] * 8


def test_the_key_of_a_failed_request_is_free(committee, cluster):
    key = new_key()
    with cluster.holding(HOLD, ["CPC-GLA", "committee-system", key]):
        pass
    assert committee.send("openCase", new_case(), key=key).status == 201


def test_a_key_is_valid_for_seven_days(committee, cluster):
    document, key = new_case(), new_key()
    first = committee.send("openCase", document, key=key)
    cluster.execute("update register.idempotency_key set created_at = now() - interval '6 days' "
                    "where key = %s", [key])
    second = committee.send("openCase", document, key=key)
    assert second.bytes == first.bytes


def test_after_seven_days_a_key_is_deleted_and_counts_as_new(committee, cluster, extra_instance):
    document, key = new_case(), new_key()
    first = committee.send("openCase", document, key=key).expect(201)
    cluster.execute("update register.idempotency_key set created_at = now() - interval '8 days' where key = %s", [key])
    assert committee.send("openCase", document, key=key).bytes == first.bytes  # no maintenance in between
    extra_instance()  # its maintenance runs at its start
    wait_until(lambda: not cluster.execute("select 1 from register.idempotency_key where key = %s", [key]),
               "the key is deleted")
    second = committee.send("openCase", document, key=key).expect(201)
    assert second["id"] != first["id"]


def test_a_repetition_that_waits_for_the_first_request_gets_its_answer(agency, cluster):
    """The new state after the first request would otherwise refuse it."""
    def both():
        """Returns the replies to a request and its concurrent repetition; None when one was given up for the lock."""
        referral, key = make_referral(agency), new_key()
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            with cluster.holding("select from register.referral where id = %s for update", [referral["id"]]) as holder:
                asked = [pool.submit(agency.send, "withdrawReferral", {"reason": "duplicate"}, id=referral["id"],
                                     key=key) for _ in range(2)]
                if not cluster.wait_for_waiter(holder, 2, unless=asked):
                    return None
            replies = [one.result() for one in asked]
        return replies if {one.code for one in replies if one.status >= 400} <= {"state_conflict"} else None
    first, second = wait_until(both, "both wait for the lock together, which they do for a second")
    assert (first.status, second.status) == (201, 201)
    assert first.bytes == second.bytes
    assert sorted(one.headers.get("Idempotency-Replayed", "") for one in (first, second)) == ["", "true"]


def test_a_repetition_at_another_address_is_refused(agency):
    key = new_key()
    one, other = make_referral(agency), make_referral(agency)
    body = {"reason": "duplicate"}
    agency.send("withdrawReferral", body, id=one["id"], key=key).expect(201)
    reply = agency.send("withdrawReferral", body, id=other["id"], key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


def test_every_post_that_stores_something_takes_a_key():
    storing = {name for name, one in contract_reader.operations().items()
               if one.method == "POST" and name != "validateReferral"}
    assert {name for name in storing if contract_reader.operations()[name].has_parameter(
        "Idempotency-Key", "header")} == storing


@pytest.mark.parametrize("document", [new_case(opened_on="2999-01-01"), {}])
def test_a_refusal_is_not_stored_under_the_key(committee, document):
    key = new_key()
    assert committee.send("openCase", document, key=key).status in (400, 422)
    assert committee.send("openCase", new_case(), key=key).status == 201
