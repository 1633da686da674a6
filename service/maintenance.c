/* Maintenance: work on the database that no request asks for. */
#include "service/maintenance.h"

#include "service/db/background.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PERIOD_MS = 1000, SIGHT_EVERY_S = 10, EXPIRE_EVERY_S = 60, STEP = 1000, ROUNDS_MAX = 50 };
#define STEP_TEXT "1000" /* STEP as a parameter */

struct maintenance {
    app_context *context;
    pthread_t thread;
    audit_watch trail;
    int ending; /* eventfd: becomes readable when the thread must end */
};

/* Accesses that begin or end today change which events a client may see. */
static void keep_sight(app_context *context) {
    const db_call sight = {.statement = statement_feed_sight_due};
    if (background_run_steps(context->connections, &sight, 1, ROUNDS_MAX)) {
        feed_report_commit(context->changes);
    }
}

/* Deletes expired idempotency keys, events older than the retention with the log of their
 * deliveries, and webhooks that were never confirmed. */
static void expire(app_context *context) {
    char days[16];
    snprintf(days, sizeof days, "%d", context->settings->feed_days);
    const db_call old[] = {
        {.statement = statement_idempotency_expire, .parameters = {STEP_TEXT}},
        {.statement = statement_feed_expire, .parameters = {days, STEP_TEXT}},
        {.statement = statement_expire_deliveries, .parameters = {days, STEP_TEXT}},
        {.statement = statement_webhook_pause_unconfirmed},
    };
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++) {
        background_run_steps(context->connections, &old[i], STEP, ROUNDS_MAX);
    }
}

/* Waits for the next period. Returns false when the thread must end. */
static bool pause_until_next(const maintenance *maintenance) {
    struct pollfd place = {.fd = maintenance->ending, .events = POLLIN};
    return poll(&place, 1, PERIOD_MS) <= 0;
}

/* Older versions of the program leave the work to the newest version in use. */
static bool is_newest(app_context *context) {
    const db_call call = {.statement = statement_newest_version, .safe_to_repeat = true};
    arena *memory = arena_new();
    PGresult *row = background_run(context->connections, &call, memory);
    bool newest = row != NULL && *PQgetvalue(row, 0, 0) == 't';
    PQclear(row);
    arena_free(memory);
    return newest;
}

static void *run(void *words) {
    maintenance *maintenance = words;
    audit_watch_start(&maintenance->trail, maintenance->context->settings->audit_anchor_file);
    for (long tick = 1; pause_until_next(maintenance); tick++) {
        if (!pool_is_connected(maintenance->context->connections) ||
            !is_newest(maintenance->context)) {
            continue;
        }
        if (tick % SIGHT_EVERY_S == 1) {
            keep_sight(maintenance->context);
        }
        if (tick % EXPIRE_EVERY_S == 1) {
            expire(maintenance->context);
        }
        audit_maintain(maintenance->context->connections, &maintenance->trail,
                       &maintenance->context->audited, tick,
                       maintenance->context->settings->audit_anchor_seconds);
    }
    return NULL;
}

maintenance *maintenance_start(app_context *context) {
    maintenance *maintenance = calloc(1, sizeof *maintenance);
    if (maintenance == NULL) {
        return NULL;
    }
    maintenance->context = context;
    maintenance->ending = eventfd(0, EFD_CLOEXEC);
    if (maintenance->ending < 0 ||
        pthread_create(&maintenance->thread, NULL, run, maintenance) != 0) {
        close(maintenance->ending);
        free(maintenance);
        return NULL;
    }
    return maintenance;
}

void maintenance_stop(maintenance *maintenance) {
    if (maintenance == NULL) {
        return;
    }
    background_stop();
    const uint64_t one = 1;
    ssize_t written = write(maintenance->ending, &one, sizeof one);
    (void)written; /* the first write to a counter at zero succeeds */
    pthread_join(maintenance->thread, NULL);
    close(maintenance->ending);
    free(maintenance);
}
