/* Routes reads to a standby that has replayed everything committed before the request. */
#include "service/db/replica_router.h"

#include "service/clock.h"

#include <stdatomic.h>
#include <stdlib.h>

/* After a failure of the standby, reads use the primary at once for a while. */
enum { REST_MS = 1000 };

struct replica_router {
    pool *primary;
    pool *standby; /* NULL: none is configured */
    _Atomic(int64_t) rests_until_ms;
    atomic_ullong by_standby, by_primary;
};

replica_router *replica_router_new(pool *primary, const char *conninfo, size_t size) {
    replica_router *router = calloc(1, sizeof *router);
    if (router == NULL) {
        return NULL;
    }
    router->primary = primary;
    router->standby = conninfo == NULL ? NULL : pool_new_standby(conninfo, size);
    if (conninfo != NULL && router->standby == NULL) {
        free(router);
        return NULL;
    }
    return router;
}

void replica_router_free(replica_router *router) {
    if (router != NULL) {
        pool_free(router->standby);
        free(router);
    }
}

void replica_router_probe(replica_router *router) {
    if (router->standby != NULL) {
        pool_probe(router->standby);
    }
}

static bool is_ready(replica_router *router) {
    return pool_is_connected(router->standby) && now_ms() >= atomic_load(&router->rests_until_ms);
}

/* Returns the position up to which the primary has committed; NULL with `error` when it cannot be
 * asked. */
static const char *ask_position(replica_router *router, db_error *error, arena *memory) {
    db_call ask = {.statement = statement_commit_position, .safe_to_repeat = true};
    PGresult *answer = db_call_run(router->primary, NULL, &ask, error, memory);
    const char *position = answer == NULL ? NULL : db_text(answer, "position", memory);
    PQclear(answer);
    return position;
}

/* Returns whether the standby's answer is final: a result, or a refusal in `error`. */
static bool ask_standby(replica_router *router, const principal *principal, const db_call *call,
                        PGresult **result, db_error *error, arena *memory) {
    db_call there = *call;
    there.position = ask_position(router, error, memory);
    if (there.position == NULL) {
        return false;
    }
    there.safe_to_repeat = false; /* a call that breaks there is retried on the primary */
    *result = db_call_run(router->standby, principal, &there, error, memory);
    if (*result != NULL || error->failure == DB_REFUSED) {
        return true;
    }
    atomic_store(&router->rests_until_ms, now_ms() + REST_MS);
    return false;
}

PGresult *replica_router_run(replica_router *router, const principal *principal,
                             const db_call *call, db_error *error, arena *memory) {
    if (router->standby == NULL || !call->statement->standby) {
        return db_call_run(router->primary, principal, call, error, memory);
    }
    PGresult *result = NULL;
    if (is_ready(router) && ask_standby(router, principal, call, &result, error, memory)) {
        atomic_fetch_add(&router->by_standby, 1);
        return result;
    }
    atomic_fetch_add(&router->by_primary, 1);
    *error = (db_error){0};
    return db_call_run(router->primary, principal, call, error, memory);
}

replica_router_stats replica_router_stats_read(replica_router *router) {
    replica_router_stats stats = {.configured = router->standby != NULL,
                                  .by_standby = atomic_load(&router->by_standby),
                                  .by_primary = atomic_load(&router->by_primary)};
    if (stats.configured) {
        stats.standby = pool_stats_read(router->standby);
    }
    return stats;
}
