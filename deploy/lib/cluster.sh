# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# A PostgreSQL cluster of its own, reached through a socket in a folder that only its user may enter.
# Debian's own cluster is left alone. Sets: postgres_programs, database_made (by this call).

database_made=no

postgres_folder=/usr/lib/postgresql

cluster_find_programs() {
    local version
    if [[ -s $state/data/PG_VERSION ]]; then
        version=$(<"$state/data/PG_VERSION")
    else
        # A folder without initdb is that of a client.
        version=$(find "$postgres_folder" -mindepth 3 -maxdepth 3 -path '*/bin/initdb' -printf '%P\n' 2>/dev/null |
            cut -d / -f 1 | sort -n | tail -n 1)
    fi
    postgres_programs=$postgres_folder/$version/bin
    if [[ -z $version || ! -x $postgres_programs/initdb ]]; then
        fail "The server of PostgreSQL ${version:+$version }is not installed under $postgres_folder." \
            "As root: apt-get update && apt-get install postgresql${version:+-$version}" \
            'Or give a database of your own with LR_DATABASE.'
    fi
}

cluster_settings() {
    cat <<SETTINGS
# Written by deploy/run at each start.
listen_addresses = ''
unix_socket_directories = '$socket_folder'
unix_socket_permissions = 0700
shared_buffers = 256MB
fsync = on
timezone = 'UTC'
log_timezone = 'UTC'
# The log goes by day of the week; parameters and failing statements never get into it.
logging_collector = on
log_directory = '$state/log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
log_file_mode = 0600
log_statement = 'none'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_min_error_statement = panic
log_error_verbosity = terse
SETTINGS
}

cluster_make() {
    step "Making a private PostgreSQL cluster in $state/data"
    as_service rm -rf -- "$state/data.new"
    as_service "$postgres_programs/initdb" -D "$state/data.new" -U postgres -A peer -E UTF8 \
        --locale=C.UTF-8 --data-checksums 2>&1 | as_service tee "$state/log/initdb.log" >/dev/null || {
        tail -n 5 "$state/log/initdb.log" >&2
        fail 'initdb failed.' "Its whole output is in $state/log/initdb.log."
    }
    printf 'local all all peer map=register\n' | state_write "$state/data.new/pg_hba.conf"
    printf 'register %s %s\n' "$service_user" postgres "$service_user" register_owner \
        "$service_user" register_service | state_write "$state/data.new/pg_ident.conf"
    printf "include = 'register.conf'\n" | as_service tee -a "$state/data.new/postgresql.conf" >/dev/null
    mv "$state/data.new" "$state/data"
}

# Prints the id of the running postmaster. pg_ctl would also take one that was killed and that nobody has waited for, or
# another program that has its number now, for the postmaster.
cluster_pid() {
    processes_of "$service_user" "$postgres_programs/postgres" -D "$state/data"
}

# PostgreSQL refuses to start while a process has the number in its lock files, even one that has ended. Their other
# lines stay: by them it finds out whether processes of the old postmaster still use its memory.
cluster_clear_locks() {
    local file pid no_process=2147483647
    for file in "$state/data/postmaster.pid" "$socket_folder/.s.PGSQL.5432.lock"; do
        pid=$(head -n 1 "$file" 2>/dev/null) || continue
        if [[ -e /proc/$pid ]]; then
            step "Process $pid, which $file names, is no postmaster: taking its number out"
            { printf '%s\n' "$no_process" && tail -n +2 "$file"; } | state_write "$file"
        fi
    done
}

cluster_start() {
    cluster_find_programs
    [[ -s $state/data/PG_VERSION ]] || cluster_make
    if [[ -n $(cluster_pid) ]]; then
        step 'The database is running'
    else
        step 'Starting the database'
        cluster_clear_locks
        cluster_settings | state_write "$state/data/register.conf"
        (close_descriptors && as_service "$postgres_programs/pg_ctl" start -w -t 120 -D "$state/data" \
            -l "$state/log/postgresql-start.log" >/dev/null 2>&1) || {
            tail -n 5 "$state/log/postgresql-start.log" >&2
            fail 'The database did not start.' "Its log is in $state/log."
        }
    fi
    cluster_make_database
}

# Whether the cluster has this database.
cluster_has() {
    local found query="select count(*) from pg_database where datname = '$1'"
    found=$(as_service "$postgres_programs/psql" -XAtq -h "$socket_folder" -U postgres -d postgres -c "$query") ||
        fail 'The database does not answer.' "Its log is in $state/log."
    [[ $found != 0 ]]
}

# Creates a database, as a copy of another one if that is given.
cluster_create() {
    as_service "$postgres_programs/createdb" -h "$socket_folder" -U postgres ${2:+"--template=$2"} "$1" ||
        fail "The database $1 could not be made." "The log is in $state/log."
}

cluster_make_database() {
    if ! cluster_has learning_reviews; then
        cluster_create learning_reviews
        database_made=yes
    fi
}

# Keeps a copy of a new database with its first data, for cluster_renew_database.
cluster_keep_copy() {
    if [[ $database_made == yes ]] && ! cluster_has learning_reviews_first; then
        cluster_create learning_reviews_first learning_reviews
    fi
}

# Replaces the database with the copy of its first data, or with an empty one when there is no copy.
cluster_renew_database() {
    step 'Putting back the first data'
    as_service "$postgres_programs/dropdb" -h "$socket_folder" -U postgres --force learning_reviews ||
        fail 'The database learning_reviews could not be removed.' "The log is in $state/log."
    if cluster_has learning_reviews_first; then
        cluster_create learning_reviews learning_reviews_first
    else
        cluster_make_database
    fi
}

cluster_stop() {
    if [[ ! -s $state/data/PG_VERSION ]]; then
        return
    fi
    local pid waited
    cluster_find_programs
    pid=$(cluster_pid)
    if [[ -z $pid ]]; then
        step 'The database is not running'
        return
    fi
    step 'Stopping the database'
    kill -INT "$pid" # PostgreSQL's fast shutdown
    for ((waited = 0; waited < 600; waited++)); do
        [[ -n $(cluster_pid) ]] || return 0
        sleep 0.1
    done
    fail 'The database did not stop within a minute.' "Its log is in $state/log."
}
