# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # the programs that source it use and set these variables
# The tools of the contract's checks, and a register to check. The caller sets `here`, `repository`, `tools` and `work`.

not_run() {
    printf '!! NOT RUN: %s (%s)\n' "$1" "$2"
}

# Installs the packages of a lock file, unless installed: folder, lock file, command.
install_tools() {
    local folder=$tools/$1 lock=$here/tools/$2 sum
    shift 2
    sum=$(sha256sum "$lock" | cut -d' ' -f1)
    if [[ $(cat "$folder/installed" 2>/dev/null) == "$sum" ]]; then
        return 0
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    "$@" "$folder" >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" && return 1; }
    printf '%s\n' "$sum" >"$folder/installed"
}

install_npm() {
    cp "$here"/tools/package.json "$here"/tools/package-lock.json "$1" &&
        npm ci --prefix "$1" --no-audit --no-fund --ignore-scripts
}

install_pypi() {
    "${PYTHON:-python3}" -m venv "$1/venv" &&
        "$1/venv/bin/pip" -q --disable-pip-version-check install --require-hashes --only-binary :all: \
            -r "$here/tools/requirements.txt"
}

# Checks for optional programs: sets npm and pypi to yes if they are available.
find_tools() {
    npm='' pypi=''
    step 'Tools of the contract'
    if ! command -v node >/dev/null || (($(node -p 'process.versions.node.split(".")[0]') < 20)); then
        not_run 'what npm has' 'Node.js 20 or newer is missing'
    elif install_tools npm package-lock.json install_npm; then
        npm=yes
    else
        not_run 'what npm has' 'its packages cannot be installed'
    fi
    if install_tools pypi requirements.txt install_pypi; then
        pypi=yes
    else
        not_run 'what PyPI has' 'its packages cannot be installed'
    fi
    bin=$tools/npm/node_modules/.bin
    python=$tools/pypi/venv/bin/python
}

# Starts a register of its own: sets url, token and register_pid.
start_register() {
    export LR_BINARY=${LR_BINARY:-$repository/build/learning-reviews}
    [[ -x $LR_BINARY ]] ||
        fail "there is no $LR_BINARY" 'tests/run builds it; --url and --token name a running register'
    coproc REGISTER { exec /usr/bin/python3 "$here/tools/own_instance.py" 2>"$work/register.log"; }
    register_pid=$REGISTER_PID
    exec {register_in}<&"${REGISTER[0]}" {register_out}>&"${REGISTER[1]}"
    eval "exec ${REGISTER[1]}>&-"
    read -r -t 60 url token <&"$register_in" || { cat "$work/register.log" && fail 'the register did not start'; }
}

# Ends the started register. Call it outside checks: only this shell can wait for it.
stop_register() {
    register_status=0
    exec {register_out}>&-
    wait "$register_pid" || register_status=$?
    register_pid=''
}

# Ends the started register in every case.
end_register() {
    if [[ -n ${register_pid:-} ]]; then
        kill "$register_pid" 2>/dev/null || true
        wait "$register_pid" 2>/dev/null || true
    fi
}

# With an error in its log the register ends with a failure.
logged_no_error() {
    cat "$work/register.log"
    return "$register_status"
}
