/* Reads that a standby may answer, never older than their request. */
#include "service/db/replica_router.h"

#include "service/clock.h"

#include <stdatomic.h>
#include <stdlib.h>

/* After a standby could not answer, the primary is asked at once for a while. */
enum { REST_MS = 1000 };

struct replica_router {
    pool *primary;
    pool *standby; /* NULL: none is configured */
    _Atomic(int64_t) rests_until_ms;
    atomic_ullong by_standby, by_primary;
};

replica_router *replica_router_new(pool *primary, const char *conninfo, size_t size) {
    replica_router *all = calloc(1, sizeof *all);
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

void replica_router_free(replica_router *all) {
    if (all != NULL) {
        pool_free(all->standby);
        free(all);
    }
}

void replica_router_probe(replica_router *all) {
    if (all->standby != NULL) {
        pool_probe(all->standby);
    }
}

static bool is_ready(replica_router *all) {
    return pool_is_connected(all->standby) && now_ms() >= atomic_load(&all->rests_until_ms);
}

/* Up to where the primary has committed; NULL with `error` when it cannot be asked. */
static const char *ask_position(replica_router *all, db_error *error, arena *memory) {
    db_call ask = {.what = statement_commit_position, .safe_to_repeat = true};
    PGresult *answer = db_call_run(all->primary, NULL, &ask, error, memory);
    const char *position = answer == NULL ? NULL : db_text(answer, "position", memory);
    PQclear(answer);
    return position;
}

/* Returns whether the standby's answer stands: a result, or a refusal that `error` tells. */
static bool ask_standby(replica_router *all, const principal *who, const db_call *call,
                        PGresult **result, db_error *error, arena *memory) {
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

PGresult *replica_router_run(replica_router *all, const principal *who, const db_call *call,
                             db_error *error, arena *memory) {
    if (all->standby == NULL || !call->what->standby) {
        return db_call_run(all->primary, who, call, error, memory);
    }
    PGresult *result = NULL;
    if (is_ready(all) && ask_standby(all, who, call, &result, error, memory)) {
        atomic_fetch_add(&all->by_standby, 1);
        return result;
    }
    atomic_fetch_add(&all->by_primary, 1);
    *error = (db_error){0};
    return db_call_run(all->primary, who, call, error, memory);
}

replica_router_stats replica_router_stats_read(replica_router *all) {
    replica_router_stats stats = {.configured = all->standby != NULL,
                                  .by_standby = atomic_load(&all->by_standby),
                                  .by_primary = atomic_load(&all->by_primary)};
    if (stats.configured) {
        stats.standby = pool_stats_read(all->standby);
    }
    return stats;
}
