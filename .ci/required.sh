# shellcheck shell=bash disable=SC2154,SC2317 # run sets the shared variables; functions are called by name
# The required check: none of its verdicts depends on the clock. Static analysis runs in parallel with the tests, on
# the processor time that they leave.

required_packages=(clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev cppcheck shellcheck python3-scipy chromium)

print_versions() {
    step 'Versions'
    printf '%s\n' "Debian $(cat /etc/debian_version)" "$("$(postgresql_programs)/postgres" --version)" \
        "$(gcc --version | head -n 1)" "$(clang-14 --version | head -n 1)" "$(/usr/bin/python3 --version)" \
        "Node $(node --version)" "$(cmake --version | head -n 1)" | detail
}

postgresql_programs() {
    local found
    found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    printf '%s' "${LR_POSTGRESQL:-${found%/initdb}}"
}

check_format() {
    git ls-files '*.c' '*.h' | xargs clang-format-14 --dry-run -Werror
}

check_shell() {
    git ls-files deploy/run deploy/package deploy/cluster/run tests/run tests/packaging/run tests/packaging/box \
        tests/fuzz/run tests/coverage/run tests/contract/run tests/contract/clients/run 'tests/contract/clients/*/generate' \
        'tests/contract/clients/*/drive' tests/identity/run .ci/run '*.sh' | xargs shellcheck -x
}

check_clang() {
    cmake -S . -B build-clang -G Ninja -DCMAKE_C_COMPILER=clang-14 -DCMAKE_BUILD_TYPE=Debug >/dev/null &&
        cmake --build build-clang --target tests
}

# Takes further options.
check_tidy() {
    git ls-files 'service/*.c' 'api/*.c' | xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build-clang --quiet "$@"
}

check_cppcheck() {
    cppcheck --enable=warning,performance,portability --std=c11 --quiet --error-exitcode=1 -j "$(nproc)" \
        --suppress=missingIncludeSystem -I . -I build/generated -D_GNU_SOURCE '-DPROGRAM_VERSION="0"' service api
}

# Disables two warnings of gcc 12 that are false: it calls a field of a returned structure uninitialised, and a string
# stored at a computed address leaked (LeakSanitizer finds leaks).
check_analyzer() {
    local flags='-fanalyzer -Wno-analyzer-use-of-uninitialized-value -Wno-analyzer-malloc-leak'
    cmake -S . -B build-analyzer -G Ninja -DCMAKE_C_FLAGS="$flags" >/dev/null &&
        cmake --build build-analyzer --target learning-reviews
}

# Builds the given targets as delivered.
build_release() {
    cmake -S . -B build -G Ninja >/dev/null && cmake --build build --target "$@"
}

# deploy/run must build on machines without the packages of the tests.
check_without_test_packages() {
    local folder status=0
    folder=$(mktemp -d)
    printf '#!/bin/sh\ncase "$*" in *criterion*) exit 1 ;; esac\nexec pkg-config "$@"\n' >"$folder/pkg-config"
    chmod +x "$folder/pkg-config"
    cmake -S . -B "$folder/build" -G Ninja -DPKG_CONFIG_EXECUTABLE="$folder/pkg-config" || status=$?
    rm -rf "$folder"
    return "$status"
}

# Prints the commands of the README's first requests, or the lines of their output that it shows in full.
first_requests() {
    awk -v wanted="$1" '/^```console$/ { inside = 1; next }
        /^```$/ { inside = 0 }
        !inside || /^#/ || /^$/ { next }
        { kind = document || /^\$ / ? "commands" : "output" }
        /<<.JSON.$/ { document = 1 }
        /^JSON$/ { document = 0 }
        kind == wanted && (wanted == "commands" || !/…/) { sub(/^\$ /, ""); print }' README.md
}

# Runs them with the tokens of the given file, and compares their output.
check_first_requests() {
    local folder line status=0
    folder=$(mktemp -d)
    first_requests commands >"$folder/commands"
    # Through a pipe, because a command opens /dev/stderr again, which empties a file.
    # shellcheck disable=SC1090 # deploy/run has written it
    (set -a && . "$1" && cd "$folder" && bash -euo pipefail commands) 2>&1 | cat >"$folder/output" || status=1
    while IFS= read -r line; do
        grep -qF -e "$line" "$folder/output" || { echo "missing: $line" && status=1; }
    done < <(first_requests output)
    ((status == 0)) || cat "$folder/output"
    rm -rf "$folder"
    return "$status"
}

# Runs the README's first command twice, then stops the service.
check_deployment() {
    local state listen=127.0.0.1:$((first_port + 1500)) admin=127.0.0.1:$((first_port + 1501))
    state=$(mktemp -d /tmp/lr-deploy-XXXXXX)
    chmod 755 "$state"
    deployment=(env -u LR_FIRST_PORT -u LR_BINARY -u LR_TEMPLATE
        "LR_STATE=$state/state" "LR_LISTEN=$listen" "LR_ADMIN_LISTEN=$admin")
    tally_check 'deploy/run' "${deployment[@]}" deploy/run
    tally_check 'deploy/run again' "${deployment[@]}" deploy/run
    tally_check 'the service is ready' curl -fsS "http://$admin/readyz"
    tally_check 'the contract is served' curl -fsS -o /dev/null "http://$listen/openapi.yaml"
    tally_check 'the first requests of the README' check_first_requests "$state/state/tokens.env"
    tally_check 'deploy/run --stop' "${deployment[@]}" deploy/run --stop
    rm -rf "$state"
}

# Runs in parallel with tests/run, on the processor time that it leaves.
run_beside() {
    step 'Static analysis'
    tally_check 'clang-format' check_format
    tally_check 'shellcheck' check_shell
    tally_check 'no verdict depends on a clock' tests/clock_check.py
    tally_check 'plain words' tests/word_check.py
    tally_check 'builds with clang, -Werror' check_clang
    tally_check 'clang-tidy' check_tidy '--checks=-clang-analyzer-*' # nine tenths of its time: suite exhaustive
    tally_check 'cppcheck' check_cppcheck
    tally_check 'gcc -fanalyzer' check_analyzer
    tally_check 'configures without the packages of the tests' check_without_test_packages
    tally_check 'bill of materials' cmake --build build --target sbom
    export LR_BINARY=$repository/build/learning-reviews
    step 'Injected faults'
    LR_FIRST_PORT=$((first_port + 1260)) tally_pytest -n 2 tests/faults
    step 'README commands'
    check_deployment
}

# Runs the remaining tests that need the program as delivered.
run_release() {
    export LR_BINARY=$repository/build/learning-reviews
    step 'Kills'
    LR_FIRST_PORT=$first_port tally_pytest -n 2 --dist load tests/process/test_kill.py
    step 'Statistics: recomputed, disclosure control, the dashboard in a browser'
    LR_FIRST_PORT=$first_port tally_pytest -n 2 --dist loadfile tests/statistics
}

suite_required() {
    require_debian
    packages_upgrade=yes install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}" \
        "${required_packages[@]}"
    print_versions
    step 'Build as delivered'
    tally_check 'builds' build_release learning-reviews
    job_begin beside run_beside
    tally_run env LR_FIRST_PORT="$first_port" tests/run
    tally_check 'the tested program has the sanitizers' grep -q __asan_init build-sanitize/learning-reviews
    run_release
    job_end beside
}
