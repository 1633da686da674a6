#!/usr/bin/env bash
# Pushes one referral to the register: push.sh referral.json. Needs curl and jq.
#
# REGISTER_URL and REGISTER_TOKEN name the register and an agency's token. Repeats with the same Idempotency-Key until
# there is an answer, so that the referral is stored once. Prints the referral; a refusal ends with status 1.
set -euo pipefail

: "${REGISTER_URL:?}" "${REGISTER_TOKEN:?}"
key=$(cat /proc/sys/kernel/random/uuid)
answer=$(mktemp) headers=$(mktemp)
trap 'rm -f "$answer" "$headers"' EXIT

# The header file keeps the token out of the list of processes.
send() {
    printf 'Authorization: Bearer %s\n' "$REGISTER_TOKEN" |
        curl -sS --max-time 15 -o "$answer" -D "$headers" -w '%{http_code}' -H @- \
            -H 'Content-Type: application/json' -H "Idempotency-Key: $key" \
            --data-binary "@$1" "$REGISTER_URL/v1/referrals"
}

for wait in 0.5 1 2 4 8 0; do
    if status=$(send "$1") && [[ -s $answer ]]; then
        if ((status < 400)); then
            jq . "$answer"
            exit 0
        fi
        # A response without a problem code comes from a proxy, not from the register.
        if [[ $(jq -r 'select(.code) | .retryable' "$answer" 2>/dev/null) == false ]]; then
            jq . "$answer"
            exit 1
        fi
        asked=$(sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\).*/\1/p' "$headers")
        wait=${asked:-$wait}
    fi
    sleep "$wait"
done
echo 'the register cannot be reached; try again later with the same referral' >&2
exit 1
