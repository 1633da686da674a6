# shellcheck shell=bash
# Adds up the results of test programs for one line at the end, and runs suites in parallel.
tally_passed=0
tally_failed=0
tally_functions=0

# Adds to the counts; a program that failed without a number of failures counts as one.
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
    tally_functions=$((tally_functions + ${tested:-0}))
    tally_add "$status" "${passing:-0}" $((${tested:-0} - ${passing:-0}))
}

# Runs pytest on the given files and options, and shows its output at once.
tally_pytest() {
    local status=0 log
    log=$(mktemp)
    /usr/bin/python3 -m pytest -q -p no:cacheprovider "$@" 2>&1 | tee "$log" || status=$?
    local line passed failed errors functions
    line=$(grep -E '(passed|failed|error|no tests ran).* in [0-9.]+' "$log" | tail -n 1) || true
    functions=$(sed -n 's/^\([0-9]\+\) test functions$/\1/p' "$log" | tail -n 1)
    rm -f "$log"
    passed=$(sed -n 's/.*\b\([0-9]\+\) passed.*/\1/p' <<<"$line")
    failed=$(sed -n 's/.*\b\([0-9]\+\) failed.*/\1/p' <<<"$line")
    errors=$(sed -n 's/.*\b\([0-9]\+\) error.*/\1/p' <<<"$line")
    tally_functions=$((tally_functions + ${functions:-0}))
    tally_add "$status" "${passed:-0}" $((${failed:-0} + ${errors:-0}))
}

# Runs a check that either passes or fails.
tally_check() {
    local name=$1 status=0 output
    shift
    output=$("$@" 2>&1) || status=$?
    if ((status == 0)); then
        printf '%s: holds\n' "$name"
        tally_add 0 1 0
    else
        printf '%s: FAILS\n%s\n' "$name" "$(tail -n 60 <<<"$output")"
        tally_add 1 0 1
    fi
}

# Adds the counts of a log that ends with the lines of tally_end.
tally_take() {
    local status=$1 log=$2 functions passed failed
    functions=$(sed -n 's/^\([0-9]\+\) test functions in all$/\1/p' "$log" | tail -n 1)
    read -r passed failed < <(sed -n 's/^\([0-9]\+\) passed, \([0-9]\+\) failed$/\1 \2/p' "$log" | tail -n 1) || true
    tally_functions=$((tally_functions + ${functions:-0}))
    tally_add "$status" "${passed:-0}" "${failed:-0}"
}

# Runs a program that ends with such lines, and adds its counts.
tally_run() {
    local log status=0
    log=$(mktemp)
    "$@" 2>&1 | tee "$log" || status=$?
    tally_take "$status" "$log"
    rm -f "$log"
}

# Prints the last lines and ends.
tally_end() {
    printf '%d test functions in all\n' "$tally_functions"
    printf '%d passed, %d failed\n' "$tally_passed" "$tally_failed"
    exit $((tally_failed > 0))
}

# --- suites in parallel --------------------------------------------------------------------------------------
declare -A job_process job_log

# Starts a counting function in the background, with a lower processor priority than the foreground.
job_begin() {
    local name=$1
    shift
    job_log[$name]=$(mktemp)
    (
        renice -n 5 -p "$BASHPID" >/dev/null
        tally_passed=0 tally_failed=0 tally_functions=0
        "$@"
        tally_end
    ) >"${job_log[$name]}" 2>&1 </dev/null &
    job_process[$name]=$!
}

# Waits for one, shows its output and adds its counts.
job_end() {
    local name=$1 status=0
    wait "${job_process[$name]}" || status=$?
    cat "${job_log[$name]}"
    tally_take "$status" "${job_log[$name]}"
    rm -f "${job_log[$name]}"
    unset "job_process[$name]" "job_log[$name]"
}

job_kill() {
    local child
    for child in $(pgrep -P "$1"); do
        job_kill "$child"
    done
    kill "$1" 2>/dev/null || true
}

# Ends everything that the script started.
tally_clean() {
    local name
    for name in "${!job_process[@]}"; do
        job_kill "${job_process[$name]}"
        rm -f "${job_log[$name]}"
    done
    rm -rf "$own_templates"
}

# --- shared by all suites ------------------------------------------------------------------------------------
# The folder of the template clusters (tests/integration/cluster.py), for all pytest calls of a script.
own_templates=
if [[ -z ${LR_TEMPLATE:-} ]]; then
    own_templates=$(mktemp -d /tmp/lr-template-XXXXXX)
    export LR_TEMPLATE=$own_templates
fi
trap tally_clean EXIT
