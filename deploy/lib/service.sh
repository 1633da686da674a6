# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# The service itself: a copy of the program in the state folder, started in the background. A new program and new
# settings are checked next to the running service, which is stopped only if they could start.

# Copies the program, so that its user can read it and a new build does not disturb a running one.
program_stage() {
    install -m 0755 "$built" "$candidate"
    if ((EUID == 0)); then
        chown "$service_user:$service_user" "$candidate"
    fi
}

# Puts the copy into its place.
program_install() {
    mv -f "$candidate" "$program"
}

# Prints the id of the running service. Neither the file with its id nor its port is asked: the one can be lost, the other
# can be another program's.
service_pid() {
    processes_of "$service_user" "$program" serve
}

# The start parameters of the service: program, settings, and the files that it reads only then.
service_fingerprint() {
    local name
    {
        sha256sum <"$candidate"
        env | grep '^LR_' | sort
        for name in LR_CONFIG LR_{PSEUDONYM_KEY,DEV_SECRET,WEBHOOK_KEY,WEBHOOK_CA,TLS_CERTIFICATE,TLS_KEY}_FILE; do
            cat -- "${!name:-/dev/null}" 2>/dev/null || true
        done
    } | sha256sum | cut -d ' ' -f 1
}

service_stop() {
    local pid waited
    pid=$(service_pid)
    if [[ -z $pid ]]; then
        step 'The service is not running'
        return
    fi
    step 'Stopping the service'
    # shellcheck disable=SC2086 # one word for each process
    kill -TERM $pid 2>/dev/null || true
    for ((waited = 0; waited < 400; waited++)); do
        if ((waited == 300)); then
            step 'It did not end within 30 seconds: killing it'
            # shellcheck disable=SC2046 # one word for each process
            kill -KILL $(service_pid) 2>/dev/null || true
        fi
        [[ -n $(service_pid) ]] || return 0
        sleep 0.1
    done
    fail 'The service does not end.' "Its log is $state/log/service.log."
}

# Prints the address to call for one to listen on.
service_callable() {
    case ${1%:*} in
    '' | 0.0.0.0 | '*') printf '127.0.0.1:%s' "${1##*:}" ;;
    '[::]') printf '[::1]:%s' "${1##*:}" ;;
    *) printf '%s' "$1" ;;
    esac
}

# Whether the running service has this port.
service_has_port() {
    local port
    printf -v port '%04X' "$1"
    [[ -n $(service_pid) ]] || return 1
    if [[ -s $state/run/addresses ]]; then
        grep -q ":$1\$" "$state/run/addresses"
        return
    fi
    # Its start parameters are lost. The system knows the owner of the port (proc(5), net/tcp).
    awk -v port=":$port" -v user="$(id -u "$service_user")" \
        '$4 == "0A" && $8 == user && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
        < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
}

# Fails with advice when the setting has no address, or something other than the running service listens there.
service_check_address() {
    local setting=$1 address=$2 host port
    port=${address##*:}
    host=$(service_callable "$address")
    host=${host%:*}
    host=${host#[}
    host=${host%]}
    if [[ $address != *:* || ! $port =~ ^[0-9]{1,5}$ ]] || ((10#$port < 1 || 10#$port > 65535)); then
        fail "$setting must be HOST:PORT; it is $address." "For instance: $setting=127.0.0.1:8080 deploy/run"
    fi
    # shellcheck disable=SC2016 # the inner shell expands these; an address elsewhere may never answer
    if timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$host" "$port" 2>/dev/null &&
        ! service_has_port "$((10#$port))"; then
        fail "Port $port at $host is taken by another program." \
            "Choose another: $setting=$host:$((10#$port % 64000 + 1000)) deploy/run"
    fi
}

# Checks that are possible before anything is installed, built or created.
service_check_first() {
    local name
    listen=${LR_LISTEN:-127.0.0.1:8080}
    admin=${LR_ADMIN_LISTEN:-127.0.0.1:8081}
    if [[ ${listen##*:} == "${admin##*:}" ]]; then
        fail "LR_LISTEN ($listen) and LR_ADMIN_LISTEN ($admin) have the same port." 'Give each a port of its own.'
    fi
    service_check_address LR_LISTEN "$listen"
    service_check_address LR_ADMIN_LISTEN "$admin"
    for name in $(compgen -e | grep -E '^LR_(.*_FILE|CONFIG)$'); do
        [[ ${!name} == /* ]] || fail "$name must be a path from the root: ${!name:-it} is not."
        [[ -r ${!name} ]] || fail "$name: ${!name} is not there, or cannot be read."
    done
    [[ $built == /* ]] || fail "LR_BINARY must be a path from the root: $built is not."
}

# Lets the new program check what it would be started with: `--settings` or `--database`.
service_check() {
    local said
    if ! said=$(as_service "$candidate" check "$1" 2>&1); then
        grep -A 1 ': FAULT: ' <<<"$said" | grep -v '^--$' | detail >&2 || tail -n 5 <<<"$said" | detail >&2
        if [[ -n $(service_pid) ]]; then
            fail 'The service could not start so; see above.' 'The one that is running was left as it is.'
        fi
        fail 'The service could not start so; see above.'
    fi
    grep ': WARNING: ' <<<"$said" | detail || true
}

service_start() {
    local fingerprint
    fingerprint=$(service_fingerprint)
    if [[ -n $(service_pid) ]]; then
        if [[ $(cat "$state/run/fingerprint" 2>/dev/null) == "$fingerprint" ]]; then
            step 'The service is running and up to date'
            rm -f "$candidate"
            service_wait
            return
        fi
        service_stop
    fi
    program_install
    step "Starting the service on $listen (health and metrics on $admin)"
    rm -f "$state/run/service.pid"
    printf '%s\n' "$fingerprint" | state_write "$state/run/fingerprint"
    printf '%s\n' "$listen" "$admin" | state_write "$state/run/addresses"
    # A session of its own outlives this terminal; the shell's id is the service's after exec.
    # shellcheck disable=SC2016 # the inner shell expands these
    (close_descriptors && as_service setsid --fork sh -c 'echo $$ >"$1/run/service.pid"
        exec "$2" serve </dev/null >>"$1/log/service.log" 2>&1' sh "$state" "$program")
    service_wait
}

# Whether the process that was started last has ended; until its id is known it has not.
service_ended() {
    local pid
    pid=$(cat "$state/run/service.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] &&
        ! grep -q "^State:[[:space:]]*[^ZX]" "/proc/$pid/status" 2>/dev/null
}

service_wait() {
    local waited url
    url=http://$(service_callable "$admin")/readyz
    for ((waited = 0; waited < 240; waited++)); do
        # Another program that took the port meanwhile may answer, too.
        if curl -gfsS -o /dev/null --noproxy '*' --max-time 2 "$url" 2>/dev/null && [[ -n $(service_pid) ]]; then
            return
        fi
        sleep 0.25
        if service_ended && [[ -z $(service_pid) ]]; then
            tail -n 5 "$state/log/service.log" >&2
            fail 'The service ended right after its start.' "Its log is $state/log/service.log."
        fi
    done
    tail -n 5 "$state/log/service.log" >&2
    fail "The service is not ready after a minute: $url does not answer 200." \
        "Its log is $state/log/service.log."
}
