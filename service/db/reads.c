/* Reads that a standby may answer, never older than their request. */
#include "service/db/reads.h"

#include "service/clock.h"

#include <stdatomic.h>
#include <stdlib.h>

/* After a standby could not answer, the primary is asked at once for a while. */
enum { REST_MS = 1000 };

struct reads {
    pool *primary;
    pool *standby; /* NULL: none is configured */
    _Atomic(int64_t) rests_until_ms;
    atomic_ullong answered, left;
};

reads *reads_new(pool *primary, const char *conninfo, size_t size) {
    reads *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    all->primary = primary;
    all->standby = conninfo == NULL ? NULL : pool_new_standby(conninfo, size);
    if (conninfo != NULL && all->standby == NULL) {
        free(all);
        return NULL;
    }
    return all;
}

void reads_free(reads *all) {
    if (all != NULL) {
        pool_free(all->standby);
        free(all);
    }
}

void reads_probe(reads *all) {
    if (all->standby != NULL) {
        pool_probe(all->standby);
    }
}

static bool is_ready(reads *all) {
    return pool_is_connected(all->standby) && now_ms() >= atomic_load(&all->rests_until_ms);
}

/* Up to where the primary has committed; NULL with `error` when it cannot be asked. */
static const char *ask_position(reads *all, db_error *error, arena *memory) {
    db_call ask = {.what = statement_commit_position, .safe_to_repeat = true};
    PGresult *answer = db_call_run(all->primary, NULL, &ask, error, memory);
    const char *position = answer == NULL ? NULL : db_text(answer, "position", memory);
    PQclear(answer);
    return position;
}

/* Returns whether the standby's answer stands: a result, or a refusal that `error` tells. */
static bool ask_standby(reads *all, const principal *who, const db_call *call, PGresult **result,
                        db_error *error, arena *memory) {
    db_call there = *call;
    there.position = ask_position(all, error, memory);
    if (there.position == NULL) {
        return false;
    }
    there.safe_to_repeat = false; /* what breaks there is repeated on the primary */
    *result = db_call_run(all->standby, who, &there, error, memory);
    if (*result != NULL || error->failure == DB_REFUSED) {
        return true;
    }
    atomic_store(&all->rests_until_ms, now_ms() + REST_MS);
    return false;
}

PGresult *reads_run(reads *all, const principal *who, const db_call *call, db_error *error,
                    arena *memory) {
    if (all->standby == NULL || !call->what->standby) {
        return db_call_run(all->primary, who, call, error, memory);
    }
    PGresult *result = NULL;
    if (is_ready(all) && ask_standby(all, who, call, &result, error, memory)) {
        atomic_fetch_add(&all->answered, 1);
        return result;
    }
    atomic_fetch_add(&all->left, 1);
    *error = (db_error){0};
    return db_call_run(all->primary, who, call, error, memory);
}

reads_stats reads_stats_read(reads *all) {
    reads_stats stats = {.configured = all->standby != NULL,
                         .answered = atomic_load(&all->answered),
                         .left = atomic_load(&all->left)};
    if (stats.configured) {
        stats.standby = pool_stats_read(all->standby);
    }
    return stats;
}
