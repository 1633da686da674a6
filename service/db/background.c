/* Background statements, which belong to no request. */
#include "service/db/background.h"

#include "service/log.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_bool stopped;

void background_stop(void) {
    atomic_store(&stopped, true);
}

PGresult *background_run(pool *connections, const db_call *call, arena *memory) {
    if (atomic_load(&stopped)) {
        return NULL;
    }
    db_error error = {0};
    PGresult *result = db_call_run(connections, NULL, call, &error, memory);
    if (result == NULL) {
        log_write(LOG_WARNING, "%s failed, SQLSTATE %s", call->statement->name,
                  error.sqlstate[0] == '\0' ? "none" : error.sqlstate);
    }
    return result;
}

bool background_run_steps(pool *connections, const db_call *call, long step, int rounds) {
    arena *memory = arena_new();
    bool did = false;
    for (long done = step; rounds > 0 && done >= step; rounds--) {
        PGresult *result = background_run(connections, call, memory);
        done = result == NULL ? 0 : strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        arena_reset(memory);
        did = did || done > 0;
    }
    arena_free(memory);
    return did;
}
