# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# What to do next: addresses, tokens, and lines to paste.

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

examples_print() {
    local url role agency='' committee='' dashboard='' token
    url=$(examples_address)
    step "Ready. Documentation: $url/docs   Contract: $url/openapi.yaml   Dashboard: $url/dashboard"
    printf '   State: %s   Stop: deploy/run --stop\n' "$state"
    if [[ -z ${LR_DEV_SECRET_FILE:-} ]]; then
        printf '   Tokens come from the issuer that LR_JWKS_URL or LR_JWKS_FILE stands for.\n'
        return
    fi
    printf '\nTokens, for twelve hours:\n'
    for role in committee agency health police dashboard other-committee; do
        token=$(as_service "$program" token --role "$role")
        printf '\n%s\n%s\n' "$role" "$token"
        case $role in
        committee) committee=$token ;;
        agency) agency=$token ;;
        dashboard) dashboard=$token ;;
        esac
    done
    printf '\nLines to paste:\n\n# An agency pushes a referral\n'
    printf 'curl -sS -X POST %s/v1/referrals -H "Authorization: Bearer %s" -H "Content-Type: application/json" -d %s | jq\n' \
        "$url" "$agency" "'$(examples_referral | sed "s/REFERENCE/'\"\$(date +%s%N)\"'/")'"
    printf '\n# The committee lists what is overdue\n'
    printf 'curl -sS "%s/v1/actions?overdue=true&limit=5" -H "Authorization: Bearer %s" | jq ".items[] | {title, owner_organisation, due_on, status}"\n' \
        "$url" "$committee"
    printf '\n# A dashboard reads a table of statistics, as CSV\n'
    printf 'curl -sS %s/v1/statistics/decisions -H "Authorization: Bearer %s" -H "Accept: text/csv"\n' "$url" "$dashboard"
    if [[ $private_database == no || $demo == 0 ]]; then
        printf '\n# (The last line needs a case: there is no demonstration data.)'
    fi
    printf '\n# The committee reads a case twice: 200 with an ETag, then 304 because nothing changed\n'
    # shellcheck disable=SC2016 # the pasted line expands these
    printf 't="%s"; u=%s; c=$(curl -sS "$u/v1/cases?limit=1" -H "Authorization: Bearer $t" | jq -r ".items[0].links.self"); e=$(curl -sS "$u$c" -H "Authorization: Bearer $t" -o /dev/null -w "%%{stderr}%%{http_code}\\n%%{stdout}%%header{etag}"); curl -sS "$u$c" -H "Authorization: Bearer $t" -H "If-None-Match: $e" -o /dev/null -w "%%{http_code}\\n"\n' \
        "$committee" "$url"
}
