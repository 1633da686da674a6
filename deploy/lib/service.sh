# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# The service itself: a copy of the program in the state folder, started in the background.

# Copies the program, so that its user can read it and a new build does not disturb a running one.
program_install() {
    if cmp -s "$repository/build/learning-reviews" "$program"; then
        return
    fi
    install -m 0755 "$repository/build/learning-reviews" "$program.new"
    if ((EUID == 0)); then
        chown "$service_user:$service_user" "$program.new"
    fi
    mv -f "$program.new" "$program"
}

# Prints the id of the running service; fails when there is none.
service_pid() {
    local pid
    pid=$(cat "$state/run/service.pid" 2>/dev/null) || return 1
    # The id may be another program's by now.
    [[ $pid =~ ^[0-9]+$ && $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") == "$program serve "* ]] &&
        printf '%s' "$pid"
}

# What the running service was started with: program and settings.
service_fingerprint() {
    {
        sha256sum <"$program"
        env | grep '^LR_' | sort
        cat -- "${LR_PSEUDONYM_KEY_FILE:-/dev/null}" "${LR_DEV_SECRET_FILE:-/dev/null}" 2>/dev/null || true
    } | sha256sum | cut -d ' ' -f 1
}

service_stop() {
    local pid waited
    if ! pid=$(service_pid); then
        step 'The service is not running'
        return
    fi
    step 'Stopping the service'
    kill -TERM "$pid"
    for ((waited = 0; waited < 300; waited++)); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    step 'It did not end within 30 seconds: killing it'
    kill -KILL "$pid"
}

# Fails with advice when something already listens on the address of a setting.
service_check_port() {
    local setting=$1 address=$2 host port
    port=${address##*:}
    host=${address%:*}
    host=${host#[}
    host=${host%]}
    case $host in
    '' | 0.0.0.0 | '*' | '::') host=127.0.0.1 ;;
    esac
    [[ $port =~ ^[0-9]+$ ]] || fail "$setting has to be HOST:PORT; it is $address."
    if (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then
        fail "Port $port at $host is taken by another program." \
            "Choose another: $setting=$host:$((port + 1000)) deploy/run"
    fi
}

service_start() {
    local listen=${LR_LISTEN:-127.0.0.1:8080} admin=${LR_ADMIN_LISTEN:-127.0.0.1:8081} fingerprint
    fingerprint=$(service_fingerprint)
    if service_pid >/dev/null; then
        if [[ $(cat "$state/run/fingerprint" 2>/dev/null) == "$fingerprint" ]]; then
            step 'The service is running and up to date'
            service_wait "$admin"
            return
        fi
        service_stop
    fi
    service_check_port LR_LISTEN "$listen"
    service_check_port LR_ADMIN_LISTEN "$admin"
    step "Starting the service on $listen (health and metrics on $admin)"
    rm -f "$state/run/service.pid"
    printf '%s\n' "$fingerprint" | state_write "$state/run/fingerprint"
    # A session of its own outlives this terminal; the shell's id is the service's after exec.
    # shellcheck disable=SC2016 # the inner shell expands these
    as_service setsid --fork sh -c 'echo $$ >"$1/run/service.pid"
        exec "$2" serve </dev/null >>"$1/log/service.log" 2>&1' sh "$state" "$program" 9>&-
    service_wait "$admin"
}

service_wait() {
    local waited
    for ((waited = 0; waited < 120; waited++)); do
        if curl -fsS -o /dev/null --noproxy '*' --max-time 2 "http://$1/readyz" 2>/dev/null; then
            return
        fi
        sleep 0.25
        if ((waited > 4)) && ! service_pid >/dev/null; then
            tail -n 5 "$state/log/service.log" >&2
            fail 'The service ended right after its start.' "Its log is $state/log/service.log."
        fi
    done
    tail -n 5 "$state/log/service.log" >&2
    fail "The service is not ready after 30 seconds: http://$1/readyz does not answer 200." \
        "Its log is $state/log/service.log."
}
