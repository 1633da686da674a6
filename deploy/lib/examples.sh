# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# The next steps: addresses, tokens, and lines to paste.

examples_address() {
    local scheme=http listen=${LR_LISTEN:-127.0.0.1:8080}
    if [[ -n ${LR_TLS_KEY_FILE:-} ]]; then
        scheme=https
    fi
    printf '%s' "${LR_PUBLIC_URL:-$scheme://$listen}"
}

examples_referral() {
    local day before
    day=$(date -u -d '1 day ago' +%F)
    before=$(date -u -d '3 days ago' +%F)
    jq -cn --arg day "$day" --arg before "$before" '{source_system: "first-steps",
        source_reference: "REFERENCE", committee: "GLA", local_authority: "S12000049", notified_on: $day,
        aware_on: $before, incident_kind: "accumulation", children: [{child_id: "C-1",
        outcome: "significant_harm", age_band: "5_10", sex: "female"}],
        criteria_claimed: ["abuse_or_neglect"], immediate_concerns: "none",
        basis: "Several services see learning for how they work together."}'
}

# Makes a token for each role and writes them, with the address, as variables of the shell. Printed, they would push
# everything else off the screen.
examples_write_tokens() {
    local role token
    {
        printf 'url=%s\n' "$1"
        for role in committee records-officer chief-officers reviewer agency health police prosecution inspectorate other-committee \
            dashboard; do
            token=$(as_service "$program" token --role "$role")
            printf '%s=%s\n' "${role//-/_}" "$token"
        done
    } | state_write "$state/tokens"
}

examples_print() {
    local url
    url=$(examples_address)
    step "Ready. Documentation: $url/docs   Contract: $url/openapi.yaml   Dashboard: $url/dashboard"
    printf '   State: %s   Stop: deploy/run --stop\n' "$state"
    if [[ -z ${LR_DEV_SECRET_FILE:-} ]]; then
        printf '   Tokens come from the issuer of LR_JWKS_URL or LR_JWKS_FILE.\n'
        return
    fi
    examples_write_tokens "$url"
    # shellcheck disable=SC2016 # the names of variables that the pasted line sets
    printf '\nLines to paste. The first one sets $url and, for twelve hours, a token for each of these roles:\n'
    printf '%s\n\n. %s/tokens\n' "$(sed -n 's/^\([a-z_]*\)=ey.*/$\1/p' "$state/tokens" | paste -s -d ' ')" "$state"
    printf '\n# An agency pushes a referral\n'
    # shellcheck disable=SC2016 # the pasted line expands these
    printf 'curl -sS $url/v1/referrals -H "Authorization: Bearer $agency" -H "Content-Type: application/json" -d %s | jq\n' \
        "'$(examples_referral | sed "s/REFERENCE/'\"\$(date +%s%N)\"'/")'"
    cat <<'LINES'

# The committee lists what is overdue
curl -sS "$url/v1/actions?overdue=true&limit=5" -H "Authorization: Bearer $committee" | jq '.items[] | {title, owner_organisation, due_on, status}'

# A dashboard reads a table of statistics, as CSV
curl -sS $url/v1/statistics/decisions -H "Authorization: Bearer $dashboard" -H 'Accept: text/csv'

# Possible transitions of a case that waits for the decision, and their blockers
case=$(curl -sS "$url/v1/cases?stage=decision&limit=1" -H "Authorization: Bearer $committee" | jq -r '.items[0].links.self')
curl -sS $url$case/transitions -H "Authorization: Bearer $committee" | jq -c '.items[] | {to, possible, blocked_by: [.blocked_by[] | {message, by}]}'

# Its history
curl -sS "$url$case/timeline?limit=200" -H "Authorization: Bearer $committee" | jq -r '.items[] | [.recorded_at, .recorded_by, .kind, .subject] | @tsv'

# Has it changed since it was read? 304: it has not
etag=$(curl -sS -o /dev/null -w '%header{etag}' $url$case -H "Authorization: Bearer $committee")
curl -sS -o /dev/null -w '%{http_code}\n' $url$case -H "Authorization: Bearer $committee" -H "If-None-Match: $etag"
LINES
    if [[ $private_database == no || $demo == 0 ]]; then
        printf '\n# (All but the first need cases: there is no demonstration data.)\n'
    fi
}
