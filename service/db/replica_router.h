/* Routes reads to a standby that has replayed everything committed before the request.
 *
 * The primary gives the position up to which it has committed (one short statement). The standby
 * answers once it has replayed that position, and waits a moment for it. So a caller sees
 * everything that was acknowledged to any client before its request, through whichever instance.
 * When the standby is behind, unreachable or promoted, the primary answers. */
#pragma once

#include "service/db/call.h"

typedef struct replica_router replica_router;

/* `primary` is borrowed and must live longer. `conninfo` names a standby; NULL: there is none.
 * Returns NULL when memory or threads are out. */
replica_router *replica_router_new(pool *primary, const char *conninfo, size_t size);
void replica_router_free(replica_router *router);

/* Runs the call like db_call_run: on the standby when its statement may run there, else on the
 * primary. */
PGresult *replica_router_run(replica_router *router, const principal *principal,
                             const db_call *call, db_error *error, arena *memory);

/* Checks idle connections to the standby: call once a second. */
void replica_router_probe(replica_router *router);

typedef struct replica_router_stats {
    bool configured;
    unsigned long long by_standby, by_primary; /* of a configured standby's reads */
    pool_stats standby;
} replica_router_stats;
replica_router_stats replica_router_stats_read(replica_router *router);
