# shellcheck shell=bash disable=SC2034,SC2154 # run and state.sh set what all share
# A PostgreSQL cluster of its own, reached through a socket in a folder that only its user may enter.
# Debian's own cluster is left alone. Sets: postgres_programs.

cluster_find_programs() {
    local version
    if [[ -s $state/data/PG_VERSION ]]; then
        version=$(<"$state/data/PG_VERSION")
    else
        version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null |
            sort -n | tail -n 1)
    fi
    postgres_programs=/usr/lib/postgresql/$version/bin
    if [[ -z $version || ! -x $postgres_programs/initdb ]]; then
        fail "PostgreSQL ${version:+$version }is not installed under /usr/lib/postgresql." \
            "As root: apt-get install postgresql${version:+-$version}" \
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

cluster_runs() {
    as_service "$postgres_programs/pg_ctl" status -D "$state/data" >/dev/null 2>&1
}

cluster_start() {
    cluster_find_programs
    [[ -s $state/data/PG_VERSION ]] || cluster_make
    if cluster_runs; then
        step 'The database is running'
    else
        step 'Starting the database'
        cluster_settings | state_write "$state/data/register.conf"
        # Descriptor 9 is the lock: what goes on running must not keep it.
        as_service "$postgres_programs/pg_ctl" start -w -t 120 -D "$state/data" \
            -l "$state/log/postgresql-start.log" >/dev/null 2>&1 9>&- || {
            tail -n 5 "$state/log/postgresql-start.log" >&2
            fail 'The database did not start.' "Its log is in $state/log."
        }
    fi
    local query="select 1 from pg_database where datname = 'learning_reviews'"
    if [[ $(as_service "$postgres_programs/psql" -XAtq -h "$socket_folder" -U postgres -d postgres \
        -c "$query") != 1 ]]; then
        as_service "$postgres_programs/createdb" -h "$socket_folder" -U postgres learning_reviews
    fi
}

cluster_stop() {
    if [[ ! -s $state/data/PG_VERSION ]]; then
        return
    fi
    cluster_find_programs
    if ! cluster_runs; then
        step 'The database is not running'
        return
    fi
    step 'Stopping the database'
    as_service "$postgres_programs/pg_ctl" stop -w -t 60 -m fast -D "$state/data" >/dev/null ||
        fail 'The database did not stop within a minute.' "Its log is in $state/log."
}
