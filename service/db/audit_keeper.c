/* What keeps the audit trail going beside the requests. */
#include "service/db/audit_keeper.h"

#include "service/db/call.h"
#include "service/log.h"

#include <stdlib.h>

enum { SEAL_STEP = 2000, PRUNE_STEP = 10000, ROUNDS_MOST = 20, LOOK_EVERY_S = 5, HOUR_S = 3600 };
#define SEAL_STEP_TEXT "2000" /* as parameters */
#define PRUNE_STEP_TEXT "10000"

static PGresult *ask(pool *connections, const statement *what, const char *parameter,
                     arena *memory) {
    db_call call = {.what = what, .parameters = {parameter}};
    db_error error = {0};
    PGresult *result = db_call_run(connections, NULL, &call, &error, memory);
    if (result == NULL) {
        log_write(LOG_WARNING, "the audit trail could not be kept: %s failed, SQLSTATE %s",
                  what->name, error.sqlstate[0] == '\0' ? "none" : error.sqlstate);
    }
    return result;
}

/* Repeats a statement that does a step of work until it does less than a whole one. */
static void work_off(pool *connections, const statement *what, const char *step_text, long step,
                     arena *memory) {
    long done = step;
    for (int rounds = 0; rounds < ROUNDS_MOST && done >= step; rounds++) {
        PGresult *result = ask(connections, what, step_text, memory);
        done = result == NULL ? 0 : strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        arena_reset(memory);
    }
}

static void look(pool *connections, audit_figures *figures, bool tells, arena *memory) {
    enum { SEALED, ANCHOR, BEHIND };
    PGresult *state = ask(connections, statement_audit_state, NULL, memory);
    if (state == NULL) {
        return;
    }
    atomic_store(&figures->sealed, strtoll(PQgetvalue(state, 0, SEALED), NULL, 10));
    atomic_store(&figures->behind_ms, (int64_t)(strtod(PQgetvalue(state, 0, BEHIND), NULL) * 1000));
    if (tells) {
        log_write(LOG_INFO, "the audit trail is sealed up to %s", PQgetvalue(state, 0, ANCHOR));
    }
    PQclear(state);
}

void audit_keep(pool *connections, audit_figures *figures, long tick) {
    arena *memory = pool_is_connected(connections) ? arena_new() : NULL;
    if (memory == NULL) {
        return;
    }
    work_off(connections, statement_audit_seal_next, SEAL_STEP_TEXT, SEAL_STEP, memory);
    if (tick % HOUR_S == 1) {
        work_off(connections, statement_audit_prune, PRUNE_STEP_TEXT, PRUNE_STEP, memory);
    }
    if (tick % LOOK_EVERY_S == 1) {
        look(connections, figures, tick % HOUR_S == 1, memory);
    }
    arena_free(memory);
}
