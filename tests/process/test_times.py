"""Durations that the manual and the contract promise. Each is measured several times and printed; the median decides.
tests/integration and tests/security check that these things happen, and in which order."""
import concurrent.futures
import statistics
import threading
import time
import urllib.parse

import pytest

from client import AGENCY_SCOPES, ALL_SCOPES, Client, new_key
from cluster import Cluster
from payloads import new_case, new_referral, new_webhook
from receiver import Receiver
from scenarios import make_case
from service import Instance, Secrets
from sql_patches import function_body
from waiting import WATCHDOG_S, wait_until

ROUNDS = 5
HOLD = """insert into register.idempotency_key (organisation, client, key, request_hash, status, version, location, body)
    values (%s, %s, %s, 'of another request', 201, 1, '/', '{}')"""


@pytest.fixture(scope="module")
def keys():
    """An instance of this file, which has a receiver of webhooks."""
    made = Secrets()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def instances(cluster, keys):
    made = [Instance(cluster, keys).start() for _ in range(2)]
    yield made
    for each in made:
        each.stop()


def client_at(instance, organisation, client, scope=ALL_SCOPES):
    return Client(instance.url, instance.run("token", "--organisation", organisation, "--client", client,
                                             "--scope", scope))


@pytest.fixture(scope="module")
def committee(instances):
    return client_at(instances[0], "CPC-GLA", "times")


@pytest.fixture(scope="module")
def agency(instances):
    return client_at(instances[0], "LA-S12000049", "times", AGENCY_SCOPES)


@pytest.fixture
def beside():
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        yield pool.submit


def seconds(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def judge(name, taken, least, most):
    """Asserts that the median of the measurements is between the two limits."""
    middle = statistics.median(taken)
    told = ", ".join(f"{one:.2f}" for one in sorted(taken))
    print(f"\n{name}: median {middle:.2f} s of {told}; wanted {least} to {most} s")
    assert least <= middle <= most


def target_of(client):
    """Returns the address of the next page of the feed, from now on."""
    page = client.send("listChanges", query="limit=500").expect(200)
    while page["more"]:
        page = client.follow(page["next"]).expect(200)
    return urllib.parse.urlsplit(page["next"])._replace(scheme="", netloc="").geturl()


@pytest.mark.parametrize("cause", ["commit here", "commit at another instance", "commit that no instance knows of"])
def test_a_waiting_request_is_answered_within_a_second(instances, committee, agency, cluster, beside, cause):
    reader = committee.at(instances[cause == "commit at another instance"].url)
    home = Instance.by_url[reader.url]
    taken = []
    for _ in range(ROUNDS):
        case = make_case(committee)
        newest = cluster.execute("select last_value from register.feed_number")[0][0]
        wait_until(lambda: home.figure("feed_position") >= newest, "the feed is complete")
        target = target_of(reader)
        waiting = beside(lambda: (reader.request("GET", f"{target}&wait=30").expect(200), time.monotonic()))
        wait_until(lambda: home.figure("feed_waiting_requests") == 1, "the request waits")
        if cause == "commit that no instance knows of":
            cluster.execute("update register.review_case set summary = 'x' where id = %s", (case["id"],))
        else:
            agency.send("pushReferral", new_referral()).expect(201)
        happened = time.monotonic()
        page, answered = waiting.result()
        assert page["items"]
        taken.append(answered - happened)
    judge(f"answer to who waits, after a {cause}", taken, -1, 1)


def test_a_referral_is_counted_within_a_second(instances, agency):
    analyst = client_at(instances[1], "SG", "times", "statistics.read statistics.unsuppressed")

    def total():
        rows = analyst.send("getStatistics", table="referrals_received", query="view=live").expect(200)["rows"]
        return sum(row["value"] for row in rows if row["category"] is None and row["figure"] == "count")
    taken = []
    for _ in range(ROUNDS):
        before = total()
        agency.send("pushReferral", new_referral()).expect(201)
        taken.append(seconds(lambda: wait_until(lambda: total() != before, "it is counted")))
    judge("a referral is counted elsewhere", taken, 0, 1.5)


def test_an_entry_of_the_audit_trail_is_sealed_within_five_seconds(cluster, committee):
    def take():
        name = committee.send("listCases").headers["X-Request-Id"]
        wait_until(lambda: cluster.execute("select 1 from register.audit_seal s join register.audit_entry e using (number) "
                                           "where e.request = %s", (name,)), "it is sealed")
    judge("an entry is sealed", [seconds(take) for _ in range(ROUNDS)], 0, 5)


def test_a_blocked_client_gets_no_statistics_after_two_seconds(instances, cluster):
    client = client_at(instances[0], "SG", "lost-its-secret", "statistics.read statistics.unsuppressed")
    taken = []
    for _ in range(ROUNDS):
        client.send("getStatistics", table="decisions", query="view=live").expect(200)
        cluster.execute("insert into register.exclusion (organisation, client) values ('SG', 'lost-its-secret')")
        taken.append(seconds(lambda: wait_until(lambda: client.send(
            "getStatistics", table="decisions", query="view=live").status == 403, "it is refused")))
        cluster.execute("delete from register.exclusion")
        wait_until(lambda: client.send("getStatistics", table="decisions", query="view=live").status == 200, "it is let in")
    judge("a client is blocked", taken, 0, 2)


def test_waits_in_the_database_end_at_their_limits(instances, cluster, committee, agency):
    for pool, size in (("pushes", 2), ("requests", 12)):
        wait_until(lambda: instances[0].figure(f'database_pool_connected{{pool="{pool}"}}') == size, f"{pool} connect")
    with cluster.holding("lock table register.referral, register.review_case in exclusive mode"):
        pushes = [seconds(lambda: agency.send("pushReferral", new_referral())) for _ in range(ROUNDS)]
        opened = [seconds(lambda: committee.send("openCase", new_case())) for _ in range(ROUNDS)]
    judge("a push that waits for a lock", pushes, 0.65, 1.3)
    judge("a request that waits for a lock", opened, 0.9, 3)
    with function_body(cluster, "case_create", "begin perform pg_sleep(60); return null; end"):
        judge("a statement", [seconds(lambda: committee.send("openCase", new_case())) for _ in range(3)], 4.5, 7)


def test_a_repetition_of_a_running_request_is_answered_within_two_seconds(cluster, committee):
    def take():
        key = new_key()
        with cluster.holding(HOLD, ["CPC-GLA", "times", key]):
            return seconds(lambda: committee.send("openCase", new_case(), key=key))
    judge("the repetition of a request", [take() for _ in range(ROUNDS)], 0, 2)


def test_the_wait_for_a_database_connection_ends(serving, cluster, beside):
    client = client_at(serving(cluster, LR_CONNECTIONS=1), "LA-S12000049", "one-connection")
    taken = []
    for _ in range(ROUNDS):
        referral = client.send("pushReferral", new_referral()).expect(201)
        with cluster.holding("select from register.referral where id = %s for update", [referral["id"]]) as holder:
            first = beside(client.send, "withdrawReferral", {"reason": "other"}, id=referral["id"], if_match=referral.etag)
            cluster.wait_for_waiter(holder)
            taken.append(seconds(lambda: client.send("listReferrals")))
        first.result()
    judge("the wait for a database connection", taken, 0.4, 0.9)


@pytest.fixture(scope="module")
def receiver(keys):
    made = Receiver(keys.receiver_socket, keys.receiver_certificate)
    yield made
    made.close()


def test_a_receiver_that_does_not_answer_is_given_up_after_ten_seconds(instances, receiver, cluster):
    over = threading.Event()
    client = client_at(instances[0], "CPC-GLA", "times-hooks")
    endpoint = receiver.endpoint(lambda message: over.wait(WATCHDOG_S) and 204)
    hook = client.send("createWebhook", new_webhook(url=endpoint.url)).expect(201)["webhook"]
    client.send("pingWebhook", id=hook["id"]).expect(201)

    def attempts():
        return cluster.execute("select extract(epoch from due_at - last_attempt_at)::float from register.webhook_delivery "
                               "where webhook_id = %s and attempts = 1 and leased_until is null", (hook["id"],))
    taken = wait_until(attempts, "the attempt is given up")
    over.set()
    client.send("deleteWebhook", id=hook["id"]).expect(200)
    judge("an attempt to a silent receiver, and a second's wait", [taken[0][0]], 9, 14)


def test_without_its_database_it_answers_within_a_second_and_recovers_within_two(serving, keys):
    own = Cluster()
    try:
        instance = serving(own)
        client = client_at(instance, "LA-S12000049", "away", AGENCY_SCOPES)
        away, back = [], []
        for _ in range(3):
            own.stop()
            away.append(seconds(lambda: client.send("listReferrals")))
            own.start()
            back.append(seconds(lambda: wait_until(
                lambda: client.send("pushReferral", new_referral()).status == 201, "pushes are stored again")))
        judge("an answer without the database", away, 0, 1)
        judge("the first push after the database came back", back, 0, 2)
    finally:
        own.remove()
