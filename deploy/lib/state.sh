# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# The private state: one folder with the database, the keys, the log and the program that runs.
# Sets: state, demo, private_database, service_user, socket_folder, built (the program to run), program (the copy that
# runs), candidate (the copy that is checked before it takes its place).

readonly space_needed_mb=500

# Runs a command as the user that service and database belong to, away from folders it may not read.
as_service() {
    if ((EUID == 0)); then
        (cd / && runuser -u "$service_user" -- "$@")
    else
        (cd / && "$@")
    fi
}

state_choose() {
    service_user=$(id -un)
    if ((EUID == 0)); then
        service_user=learning-reviews
        state=${LR_STATE:-/var/lib/learning-reviews}
    else
        state=${LR_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/learning-reviews}
    fi
    [[ $state == /* ]] || fail "LR_STATE must be a path from the root: $state is not."
    state=$(realpath -m -- "$state")
    demo=${LR_DEMO:-1}
    private_database=yes
    if [[ -n ${LR_DATABASE:-} ]]; then
        private_database=no
    fi
    built=${LR_BINARY:-$repository/build/learning-reviews}
    # The service refuses settings that it does not know.
    unset LR_STATE LR_DEMO LR_BINARY
    socket_folder=$state/socket
    program=$state/bin/learning-reviews
    candidate=$program.new
    state_check_socket_path
}

# A path of a unix socket has 107 bytes at most (unix(7)).
state_check_socket_path() {
    local path=$socket_folder/.s.PGSQL.5432 bytes
    bytes=$(printf '%s' "$path" | wc -c)
    if [[ $private_database == yes ]] && ((bytes > 107)); then
        fail "The path of the database's socket would be $bytes bytes long; 107 are possible." \
            "$path" 'Choose a shorter folder: LR_STATE=/a/short/path deploy/run'
    fi
    if [[ $state == *[\'\\[:space:]]* ]]; then
        fail "The state folder must not have blanks, quotes or backslashes in its path: $state" \
            'Choose another: LR_STATE=/a/plain/path deploy/run'
    fi
}

# Makes the folder and, as root, the user; one deploy/run at a time.
state_open() {
    if ((EUID == 0)) && ! id -u "$service_user" >/dev/null 2>&1; then
        step "Making the system user $service_user"
        useradd --system --user-group --no-create-home --home-dir "$state" --shell /usr/sbin/nologin \
            "$service_user"
    fi
    if [[ -d $state && ! -e $state/.learning-reviews && -n $(ls -A "$state") ]]; then
        fail "$state holds something that deploy/run did not make." \
            'Choose another folder: LR_STATE=/another/path deploy/run'
    fi
    if ! (umask 022 && mkdir -p "$(dirname "$state")") ||
        ! mkdir -p "$state"/{bin,keys,log,run,socket}; then
        fail "$state cannot be made." 'Choose another folder: LR_STATE=/another/path deploy/run'
    fi
    : >>"$state/.learning-reviews"
    if ((EUID == 0)); then
        chown "$service_user:$service_user" "$state" "$state"/{.learning-reviews,bin,keys,log,run,socket}
    fi
    chmod 0700 "$state" "$state"/{bin,keys,log,run,socket}
    as_service test -x "$state" || fail "The user $service_user cannot reach $state." \
        'Choose a folder whose parents everybody may pass: LR_STATE=/another/path deploy/run'
    state_lock
}

state_lock() {
    exec 9>>"$state/run/lock"
    flock -n 9 || fail 'Another deploy/run is at work on this state.' 'Wait until it has ended.'
}

# Fails when one of the folders is on a disk that is nearly full.
state_check_space() {
    local folder free
    for folder in "$@"; do
        free=$(df -Pm -- "$folder" | awk 'NR == 2 { print $4 }')
        if ((free < space_needed_mb)); then
            fail "The disk is nearly full: $free MB are free at $folder, $space_needed_mb MB are needed." \
                'Make room, or choose a folder on another disk with LR_STATE.'
        fi
    done
}

# Writes what stands on the standard input to a file of the service, all or nothing.
state_write() {
    cat >"$1.new"
    if ((EUID == 0)); then
        chown "$service_user:$service_user" "$1.new"
    fi
    chmod 0600 "$1.new"
    mv -f "$1.new" "$1"
}

state_make_keys() {
    export LR_MODE=${LR_MODE:-dev}
    if [[ -z ${LR_PSEUDONYM_KEY_FILE:-} ]]; then
        export LR_PSEUDONYM_KEY_FILE=$state/keys/pseudonym-key
        [[ -s $LR_PSEUDONYM_KEY_FILE ]] || {
            step 'Making the key that children'\''s identifiers are hashed with'
            head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | state_write "$LR_PSEUDONYM_KEY_FILE"
        }
    fi
    if [[ $LR_MODE == dev && -z ${LR_DEV_SECRET_FILE:-}${LR_JWKS_FILE:-}${LR_JWKS_URL:-} ]]; then
        export LR_DEV_SECRET_FILE=$state/keys/dev-secret
        [[ -s $LR_DEV_SECRET_FILE ]] || {
            step 'Making the secret that development tokens are signed with'
            head -c 48 /dev/urandom | base64 -w 0 | state_write "$LR_DEV_SECRET_FILE"
        }
    fi
}

state_stop() {
    if [[ ! -e $state/.learning-reviews ]]; then
        step "Nothing to stop: there is no state in $state"
        return
    fi
    state_lock
    service_stop
    cluster_stop
}

state_reset() {
    if [[ ! -e $state/.learning-reviews ]]; then
        step "Nothing to remove: there is no state in $state"
        return
    fi
    if [[ $1 != yes ]]; then
        fail "--reset removes $state for good: the database with every record in it, the keys and the log." \
            'Identifiers of children that were hashed with the key can then not be matched again.' \
            'If that is what you want: deploy/run --reset --yes'
    fi
    state_stop
    step "Removing $state"
    rm -rf -- "$state"
}
