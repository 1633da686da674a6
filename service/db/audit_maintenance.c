/* Maintenance of the audit trail, independent of requests. */
#include "service/db/audit_maintenance.h"

#include "service/db/background.h"

enum { SEAL_STEP = 2000, PRUNE_STEP = 10000, ROUNDS_MAX = 20, LOOK_EVERY_S = 5, HOUR_S = 3600 };
#define SEAL_STEP_TEXT "2000" /* as parameters */
#define PRUNE_STEP_TEXT "10000"

void audit_maintain(pool *connections, audit_watch *watch, audit_stats *stats, long tick,
                    int anchor_seconds) {
    const db_call seal = {.statement = statement_audit_seal_next, .parameters = {SEAL_STEP_TEXT}};
    const db_call prune = {.statement = statement_audit_prune, .parameters = {PRUNE_STEP_TEXT}};
    bool anchors = (tick - 1) % anchor_seconds == 0;
    background_run_steps(connections, &seal, SEAL_STEP, ROUNDS_MAX);
    if (tick % HOUR_S == 1) {
        background_run_steps(connections, &prune, PRUNE_STEP, ROUNDS_MAX);
    }
    if (anchors || tick % LOOK_EVERY_S == 1) {
        audit_watch_check(watch, connections, stats, anchors);
    }
}
