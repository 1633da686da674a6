"""Compares the audit trail with the answers that a session of tests has received."""
import collections


def expected_of(operation, response):
    """What an answer has to have in the trail: 'read', 'change' or None."""
    if operation.audit == "none" or response.status_code >= 400:
        return None
    if operation.id == "pushReferrals" and not any(one["id"] for one in response.json()["items"]):
        return None
    again = response.headers.get("Idempotency-Replayed") == "true" or (
        operation.id == "pushReferral" and response.status_code == 200) or (
        operation.id == "pushReferrals" and response.json()["created"] == 0)
    return "read" if operation.audit == "read" or again else "change"


def judge_the_trail(recorder, cluster, instances):
    """Of all that the tests have asked so far, in this session."""
    wanted, asked = collections.Counter(), set()
    for operation, response in recorder.kept:
        if not response.url.startswith(tuple(f"{each.url}/" for each in instances)):
            continue
        kind, name = expected_of(operation, response), response.headers["X-Request-Id"]
        if response.status_code < 500:
            asked.add((name, operation.id))
        if kind:
            wanted[name, operation.id, kind] += 1
    found = collections.Counter({
        (name, operation, kind): count for name, operation, kind, count in cluster.execute(
            "select request, operation, kind, count(*) from register.audit_entry group by 1, 2, 3")
        if (name, operation) in asked})
    assert wanted - found == collections.Counter()
    assert found - wanted == collections.Counter()
    print(f"\n{sum(wanted.values())} entries of {len({name for _, name, _ in wanted})} operations")
