# shellcheck shell=bash
# Counts what test programs report, so that one line at the end says it all.
tally_passed=0
tally_failed=0

# Adds to the counts; a program that ended badly without saying how many failed counts as one.
tally_add() {
    local status=$1 passed=${2:-0} failed=${3:-0}
    if ((status != 0 && failed == 0)); then
        failed=1
    fi
    tally_passed=$((tally_passed + passed))
    tally_failed=$((tally_failed + failed))
}

# Runs a Criterion program.
tally_criterion() {
    local status=0 output
    output=$("$@" 2>&1) || status=$?
    local line
    line=$(grep 'Synthesis' <<<"$output" | tail -n 1 | sed 's/\x1b\[[0-9;]*m//g') || true
    if ((status != 0)); then
        printf '%s\n' "$output" | tail -n 60
    fi
    printf '%s: %s\n' "${1##*/}" "${line:-no result, status $status}"
    local tested passing
    tested=$(sed -n 's/.*Tested: \([0-9]*\).*/\1/p' <<<"$line")
    passing=$(sed -n 's/.*Passing: \([0-9]*\).*/\1/p' <<<"$line")
    tally_add "$status" "${passing:-0}" $((${tested:-0} - ${passing:-0}))
}

# Runs pytest; its output is shown as it comes.
tally_pytest() {
    local status=0 log
    log=$(mktemp)
    "$@" 2>&1 | tee "$log" || status=$?
    local line
    line=$(grep -E '(passed|failed|error|no tests ran).* in [0-9.]+' "$log" | tail -n 1) || true
    rm -f "$log"
    local passed failed errors
    passed=$(sed -n 's/.*\b\([0-9]\+\) passed.*/\1/p' <<<"$line")
    failed=$(sed -n 's/.*\b\([0-9]\+\) failed.*/\1/p' <<<"$line")
    errors=$(sed -n 's/.*\b\([0-9]\+\) error.*/\1/p' <<<"$line")
    tally_add "$status" "${passed:-0}" $((${failed:-0} + ${errors:-0}))
}

# Runs a check that either holds or does not.
tally_check() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    if ((status == 0)); then
        printf '%s: holds\n' "$name"
        tally_add 0 1 0
    else
        printf '%s: FAILS\n%s\n' "$name" "$(tail -n 40 <<<"$output")"
        tally_add 1 0 1
    fi
}

# Prints the last line and ends.
tally_end() {
    printf '%d passed, %d failed\n' "$tally_passed" "$tally_failed"
    exit $((tally_failed > 0))
}
