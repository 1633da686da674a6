"""Writes the outcomes of the sent referrals back into the staging tables, by following the change feed.

The position in the feed is a file in the state folder. It is replaced after the outcomes of a page are written: a run
that is killed reads that page again. Without the file the feed begins with everything that exists.
"""
import os
import urllib.parse

from problems import Problem

START = "/v1/changes/snapshot?limit=500"


def target_of(address):
    """Returns path and query below the configured address: the token goes to no other host."""
    parts = urllib.parse.urlsplit(address)
    return f"{parts.path[parts.path.index('/v1/'):]}?{parts.query}"


def keep(path, position):
    part = path.with_name(path.name + ".part")
    part.write_text(position, encoding="utf-8")
    os.replace(part, path)


def read_outcome(stagings, register, referral_id):
    answer = register.request("GET", f"/v1/referrals/{referral_id}")
    if answer.status not in (200, 404):
        raise Problem(f"the outcome of referral {referral_id}: {answer.reason()}")
    for staging in stagings:
        staging.write_outcome(referral_id, answer.document if answer.status == 200 else None)


def is_news(staging, event):
    known, version = staging.version_of(event["subject_id"])
    return known and (version is None or event["version"] is None or event["version"] > version)


def follow(stagings, register, state):
    """Reads the feed to its end."""
    for referral_id in {one for staging in stagings for one in staging.unread()}:
        read_outcome(stagings, register, referral_id)
    path = state / "feed-position.txt"
    position = path.read_text(encoding="utf-8") if path.exists() else START
    while True:
        answer = register.request("GET", position)
        if answer.status == 410 and position != START:
            position = START
            continue
        if answer.status != 200:
            raise Problem(f"the change feed: {answer.reason()}; delete {path} to begin again")
        for event in answer.document["items"]:
            if event["subject"] == "referral" and any(is_news(staging, event) for staging in stagings):
                read_outcome(stagings, register, event["subject_id"])
        ended = not answer.document["more"] and not position.startswith("/v1/changes/snapshot")
        position = target_of(answer.document["next"])
        keep(path, position)
        if ended:
            return
