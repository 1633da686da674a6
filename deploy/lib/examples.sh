# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# The next steps: addresses, tokens, and three commands to paste.

examples_address() {
    local scheme=http listen=${LR_LISTEN:-127.0.0.1:8080}
    if [[ -n ${LR_TLS_KEY_FILE:-} ]]; then
        scheme=https
    fi
    printf '%s' "${LR_PUBLIC_URL:-$scheme://$listen}"
}

# Prints the roles of development tokens, as the help of the program lists them.
examples_roles() {
    as_service "$program" help token | tr -s ' \n' ' ' | sed -n 's/.*one of the roles \([^;]*\);.*/\1/p' | tr -d ,
}

# Writes the address as REGISTER and a token for each role, such as AGENCY, as variables of the shell. Printed, they
# would push everything else off the screen.
examples_write_tokens() {
    local role name
    {
        printf '# Written by deploy/run: the register, and development tokens that are valid for twelve hours.\n'
        printf 'REGISTER=%s\n' "$1"
        for role in $(examples_roles); do
            name=${role//-/_}
            printf '%s=%s\n' "${name^^}" "$(as_service "$program" token --role "$role")"
        done
    } | state_write "$state/tokens.env"
}

examples_print() {
    local url
    url=$(examples_address)
    step 'Ready'
    printf '   %-14s %s\n' Documentation "$url/docs" Dashboard "$url/dashboard" Contract "$url/openapi.yaml"
    if [[ -z ${LR_DEV_SECRET_FILE:-} ]]; then
        printf '   %-14s %s\n' Tokens 'from the issuer of LR_JWKS_URL or LR_JWKS_FILE'
        return
    fi
    examples_write_tokens "$url"
    printf '   %-14s %s\n' Tokens "$state/tokens.env, one for each role, valid for twelve hours" \
        Stop 'deploy/run --stop'
    printf '\n. %s/tokens.env\n' "$state"
    cat <<'LINES'
curl -sS "$REGISTER/v1/me" -H "Authorization: Bearer $AGENCY"
curl -sS "$REGISTER/v1/actions?overdue=true&limit=1" -H "Authorization: Bearer $COMMITTEE"
curl -sS "$REGISTER/v1/statistics/decisions" -H "Authorization: Bearer $DASHBOARD" -H 'Accept: text/csv'
LINES
}
