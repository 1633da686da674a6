"""Compares the audit trail with the answers that a session of tests has received."""
import collections


def expected_of(operation, reply):
    """Returns the kind of entry that an answer must have in the trail: 'read', 'change' or None."""
    if operation.audit == "none" or reply.status >= 400:
        return None
    if operation.id == "pushReferrals" and not any(one["id"] for one in reply["items"]):
        return None
    again = reply.headers.get("Idempotency-Replayed") == "true" or (
        operation.id == "pushReferral" and reply.status == 200) or (
        operation.id == "pushReferrals" and reply["created"] == 0)
    return "read" if operation.audit == "read" or again else "change"


def judge_the_trail(recorder, cluster, instances):
    """For all requests of the tests so far, in this session."""
    wanted, asked = collections.Counter(), set()
    urls = {each.url for each in instances}
    for one in (each for each in recorder.kept if each.url in urls):
        if one.status < 500:
            asked.add((one.request_id, one.operation))
        if one.entry:
            wanted[one.request_id, one.operation, one.entry] += 1
    found = collections.Counter({
        (name, operation, kind): count for name, operation, kind, count in cluster.execute(
            "select request, operation, kind, count(*) from register.audit_entry group by 1, 2, 3")
        if (name, operation) in asked})
    assert wanted - found == collections.Counter()
    assert found - wanted == collections.Counter()
    print(f"\n{sum(wanted.values())} entries of {len({name for _, name, _ in wanted})} operations")
