# shellcheck shell=bash disable=SC2154,SC2317,SC2034 # run sets the shared variables; functions are called by name
# The suites of the whole check. tests/README.md says what each proves and how long it takes.

suites=(required exhaustive threads alone drills kills chaos soak backup cluster identity load lists fuzz packaging kit
    contract clients postgresql)

# Installs the packages and builds the program as delivered, for every suite.
prepare() {
    require_debian
    install_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}" "${required_packages[@]}" "$@"
    build_release tests >/dev/null
    export LR_BINARY=$repository/build/learning-reviews LR_FIRST_PORT=$first_port
    export LR_BINARY_DATABASE_ONLY=$repository/build/learning-reviews-database-only
    export LR_CHECK_DRIVER=$repository/build/tests/check-driver
}

build_with() {
    cmake -S . -B "build-$1" -G Ninja -DCMAKE_C_COMPILER=gcc -DSANITIZE="$2" >/dev/null &&
        cmake --build "build-$1" --target tests
}

# Covers fully what the required check samples: paths of clang's analysis, allocations, bodies, walks of the model,
# orders of lists.
suite_exhaustive() {
    prepare
    tally_check 'builds with clang, -Werror' check_clang
    tally_check 'clang-tidy, all paths' check_tidy
    LR_MEMORY_STEP=1 tally_pytest -n "$workers" tests/faults -k memory
    # The required check judges whether its walks together reach every stage: they share one worker and database.
    LR_PROPERTY_SEEDS=24 tally_pytest -n "$workers" --dist load tests/integration/test_properties.py \
        -k 'not reach_every_stage'
    LR_LIST_ORDERS=all tally_pytest -n "$workers" tests/integration/test_lists_at_size.py
    LR_ORACLE_BODIES=5000 tally_pytest -n "$workers" tests/contract/test_checker_oracle.py
}

# Runs ThreadSanitizer where requests meet. Criterion's processes do not run under it.
suite_threads() {
    prepare
    tally_check 'builds with ThreadSanitizer' build_with thread thread
    LR_BINARY=$repository/build-thread/learning-reviews \
        LR_BINARY_DATABASE_ONLY=$repository/build-thread/learning-reviews-database-only \
        tally_pytest -n "$workers" --dist loadfile \
        tests/integration/test_{actions,changes,conditional,idempotency,operation,properties}.py \
        tests/integration/test_{referral_batch,referral_push,tokens,transitions,two_instances,webhooks,whole_reviews}.py
}

# Runs each test file without the others.
suite_alone() {
    prepare
    local file
    for file in tests/integration/test_*.py tests/security/test_*.py tests/statistics/test_*.py; do
        printf '%s: ' "${file#tests/}"
        tally_pytest "$file"
    done
}

# Runs the drills that take time or measure it.
suite_drills() {
    prepare wrk haproxy
    local files
    mapfile -t files < <(printf '%s\n' tests/process/test_*.py | grep -vE 'test_(backup|kill|chaos|soak)\.py')
    tally_pytest -s "${files[@]}"
}

suite_kills() {
    prepare
    LR_DRILL=long tally_pytest -s tests/process/test_kill.py
}

suite_chaos() {
    prepare
    tally_pytest -s tests/process/test_chaos.py
}

suite_soak() {
    prepare
    tally_check 'builds with the sanitizers' build_with sanitize address,undefined
    LR_SOAK_BINARY=$repository/build-sanitize/learning-reviews tally_pytest -s tests/process/test_soak.py
}

# Loses a register with a million referrals and restores it to a point in time.
suite_backup() {
    prepare pgbackrest
    tally_pytest -s tests/process/test_backup.py
}

suite_cluster() {
    prepare
    tally_pytest -s tests/cluster
}

# Uses tokens of real authorization servers.
suite_identity() {
    prepare
    tally_run tests/identity/run
}

# Prints figures; the goals apply to a machine without other work.
suite_load() {
    prepare wrk
    tally_check_shown 'load' tests/load/run --seconds 5 --rounds 3
    tally_check_shown 'load of statistics' tests/load/statistics --seconds 5 --rounds 3
}

tally_check_shown() {
    local name=$1 status=0
    shift
    "$@" || status=$?
    printf '%s: status %d\n' "$name" "$status"
    tally_add "$status" $((status == 0))
}

# Pages of lists in a committee with a million cases.
suite_lists() {
    prepare
    tally_check_shown 'lists' tests/load/lists
}

suite_fuzz() {
    tally_run tests/fuzz/run 30
}

suite_packaging() {
    prepare
    tally_run tests/packaging/run
}

# The kit for councils: kills, outages, a reporting database, TLS. The parser of SQL comes from PyPI.
suite_kit() {
    prepare python3-venv
    tally_check 'sqlfluff' install_sqlfluff
    tally_pytest -s tests/kit
}

install_sqlfluff() {
    /usr/bin/python3 -m venv build/kit-tools && build/kit-tools/bin/pip -q --disable-pip-version-check install \
        --require-hashes --only-binary :all: -r tests/kit/requirements.txt
}

# Checks the contract with third-party tools.
suite_contract() {
    prepare python3-venv golang-go default-jdk-headless mono-mcs mono-runtime \
        libmono-system-net-http4.0-cil libmono-system-web4.0-cil \
        libmono-system-runtime-serialization4.0-cil libmono-system-componentmodel-dataannotations4.0-cil
    PYTHON=/usr/bin/python3 tally_run tests/contract/run
}

# Generates clients with ten generators and drives each one through the main flow.
suite_clients() {
    prepare python3-venv mono-mcs mono-runtime libmono-system-net-http4.0-cil libmono-system-web4.0-cil \
        libmono-system-runtime-serialization4.0-cil libmono-system-componentmodel-dataannotations4.0-cil
    PYTHON=/usr/bin/python3 tally_run tests/contract/clients/run
}

# Tests with the oldest available PostgreSQL 15; the required check upgrades to the newest.
suite_postgresql() {
    prepare
    local folder version
    version=$(apt-cache madison postgresql-15 | awk '{ print $3 }' | sort -V | head -n 1)
    folder=$(mktemp -d)
    unpack_packages "$folder" "postgresql-15=$version" "postgresql-client-15=$version" postgresql-15-plpgsql-check
    chmod -R a+rX "$folder"
    step "PostgreSQL $version"
    LR_POSTGRESQL=$folder/usr/lib/postgresql/15/bin tally_pytest -n "$workers" --dist loadfile tests/integration
    rm -rf "$folder"
}
