/* Reads that a standby may answer, never older than their request.
 *
 * The primary is asked for the position up to which it has committed (one short statement); the
 * standby answers once it has replayed as much, and waits a moment for it. So a reader sees
 * whatever was acknowledged to anybody before it asked, through whichever instance. When the
 * standby is behind, away or promoted, the primary answers. */
#pragma once

#include "service/db/call.h"

typedef struct reads reads;

/* `primary` is borrowed and has to live longer. `conninfo` leads to a standby; NULL: there is none.
 * Returns NULL when memory or threads are out. */
reads *reads_new(pool *primary, const char *conninfo, size_t size);
void reads_free(reads *all);

/* Runs the call like db_call_run: on the standby when its statement may run there, else on the
 * primary. */
PGresult *reads_run(reads *all, const principal *who, const db_call *call, db_error *error,
                    arena *memory);

/* Looks at idle connections to the standby: call once a second. */
void reads_probe(reads *all);

typedef struct reads_stats {
    bool configured;
    unsigned long long answered, left; /* by the standby; to the primary, though configured */
    pool_stats standby;
} reads_stats;
reads_stats reads_stats_read(reads *all);
