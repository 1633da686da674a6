#!/usr/bin/env python3
"""Pushes one referral to the register: push.py referral.json. Needs nothing but Python 3.8 or newer.

REGISTER_URL and REGISTER_TOKEN name the register and an agency's token. Repeats with the same Idempotency-Key until
there is an answer, so that the referral is stored once. Prints the referral; a refusal ends with status 1.
"""
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

TRIES = 6


def send(body, key):
    """Status, headers and document of the answer; raises OSError when there is none."""
    request = urllib.request.Request(os.environ["REGISTER_URL"] + "/v1/referrals", data=body, headers={
        "Authorization": "Bearer " + os.environ["REGISTER_TOKEN"],
        "Content-Type": "application/json", "Idempotency-Key": key})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, json.load(refusal)


def push(body):
    key = str(uuid.uuid4())
    for attempt in range(TRIES):
        wait = 0.5 * 2 ** attempt
        try:
            status, headers, document = send(body, key)
            if status < 400 or not document.get("retryable"):
                return status, document
            wait = float(headers.get("Retry-After", wait))
        except (OSError, ValueError) as trouble:
            print(f"no answer: {trouble}", file=sys.stderr)
        if attempt + 1 < TRIES:
            time.sleep(wait)
    sys.exit("the register cannot be reached; try again later with the same referral")


def main():
    with open(sys.argv[1], "rb") as file:
        status, document = push(file.read())
    print(json.dumps(document, indent=2))
    sys.exit(status >= 400)


if __name__ == "__main__":
    main()
