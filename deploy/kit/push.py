"""Sends the new rows of a staging table in batches, and records the answer of each row."""
import hashlib
import json
import uuid

import columns
from problems import Away, Problem

MOST_BYTES = 4 * 1024 * 1024  # of a batch, by the contract


def encoded(documents):
    return json.dumps(documents, separators=(",", ":")).encode()


def key_of(batch, body):
    """The Idempotency-Key: the same for the same batch with the same content, so that a crash cannot change it."""
    return str(uuid.uuid5(uuid.UUID(batch), hashlib.sha256(body).hexdigest()))


def faults_of(problem):
    """Returns the faults that a problem reports, each with its row and column."""
    errors = [one for one in problem.get("errors") or [] if one.get("pointer") is not None]
    if problem.get("code") == "natural_key_conflict":
        return [columns.Fault(0, "source_reference", "the register has a referral with this source_reference and "
                              "other content; see 'Correct a referral' in README.md")]
    if not errors:
        return [columns.Fault(0, "source_reference", problem.get("detail") or problem.get("title") or "refused")]
    return [columns.Fault(*columns.column_of(one["pointer"]), one["message"]) for one in errors]


def valid(staging, groups, sheets, defaults, status):
    """Returns the groups that can be sent with their referrals. Refuses the others at once."""
    found, size = [], 2
    for rows in groups:
        document, faults = columns.referral_of(rows, sheets, defaults)
        if faults:
            staging.refuse(rows, faults, status)
            continue
        length = len(encoded(document)) + 1
        if length > MOST_BYTES // 2:
            staging.refuse(rows, [columns.Fault(0, "basis", "the referral is larger than 2 MiB")], status)
            continue
        size += length
        if size > MOST_BYTES:
            break
        found.append((rows, document))
    staging.commit()
    return found


def record(staging, batch, sent, answer):
    """Records the results of a batch. Returns whether the register could judge all items."""
    waiting = False
    for (rows, _), item in zip(sent, answer["items"]):
        problem = item["problem"] or {}
        if item["status"] < 400:
            staging.store(rows, batch, item["id"])
        elif problem.get("retryable"):
            staging.release(rows)
            waiting = True
        else:
            staging.refuse(rows, faults_of(problem), "sending")
    staging.commit()
    return not waiting


def send(staging, register, batch, sent):
    body = encoded([document for _, document in sent])
    answer = register.post("/v1/referrals/batch", body, key_of(batch, body))
    if answer.status != 207:
        raise Problem(f"the register refuses the whole batch: {answer.reason()}; report this to the register's "
                      f"operator with the request ID {answer.problem('request_id')}")
    if not record(staging, batch, sent, answer.document):
        raise Away("the register could not store some rows at the moment; the next run continues")


def push(staging, register, sheets, settings):
    """Sends everything that is new or in doubt."""
    while batches := staging.in_doubt():
        for batch, groups in batches:
            sent = valid(staging, groups, sheets, settings.defaults, "sending")
            if sent:
                send(staging, register, batch, sent)
    while groups := staging.fresh(settings.batch):
        sent = valid(staging, groups, sheets, settings.defaults, "new")
        if sent:
            batch = str(uuid.uuid4())
            staging.begin(batch, [rows for rows, _ in sent])
            send(staging, register, batch, sent)
