/* What keeps the audit trail going beside the requests. */
#include "service/db/audit_keeper.h"

#include "service/db/chore.h"
#include "service/log.h"

#include <stdlib.h>

enum { SEAL_STEP = 2000, PRUNE_STEP = 10000, ROUNDS_MOST = 20, LOOK_EVERY_S = 5, HOUR_S = 3600 };
#define SEAL_STEP_TEXT "2000" /* as parameters */
#define PRUNE_STEP_TEXT "10000"

static void look(pool *connections, audit_figures *figures, bool tells) {
    enum { SEALED, ANCHOR, BEHIND };
    const db_call call = {.what = statement_audit_state};
    arena *memory = arena_new();
    PGresult *state = chore_run(connections, &call, memory);
    arena_free(memory);
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
    const db_call seal = {.what = statement_audit_seal_next, .parameters = {SEAL_STEP_TEXT}};
    const db_call prune = {.what = statement_audit_prune, .parameters = {PRUNE_STEP_TEXT}};
    chore_work_off(connections, &seal, SEAL_STEP, ROUNDS_MOST);
    if (tick % HOUR_S == 1) {
        chore_work_off(connections, &prune, PRUNE_STEP, ROUNDS_MOST);
    }
    if (tick % LOOK_EVERY_S == 1) {
        look(connections, figures, tick % HOUR_S == 1);
    }
}
