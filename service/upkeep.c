/* Work on the database that no request asks for. */
#include "service/upkeep.h"

#include "service/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    PERIOD_MS = 1000,
    EXPIRE_EVERY_S = 3600,
    SIGHT_EVERY_S = 10,
    FEED_EXPIRE_EVERY_S = 60,
    FEED_STEP = 1000,
    ROUNDS_MOST = 50
};
#define FEED_STEP_TEXT "1000" /* FEED_STEP as a parameter */

struct upkeep {
    service *shared;
    pthread_t thread;
    int ending; /* eventfd: can be read from when it is to end */
};

static void expire_keys(service *shared) {
    arena *memory = arena_new();
    if (memory == NULL) {
        return;
    }
    db_call call = {.what = statement_idempotency_expire, .safe_to_repeat = true};
    db_error error = {0};
    PGresult *result = db_call_run(shared->connections, NULL, &call, &error, memory);
    if (result == NULL) {
        log_write(LOG_WARNING, "idempotency keys could not be expired, SQLSTATE %s",
                  error.sqlstate);
    }
    PQclear(result);
    arena_free(memory);
}

/* Runs a statement that does a step of work and returns how much, until it does less than a whole
 * step. Whether it did anything. */
static bool work_off(service *shared, const statement *what, const char *const *parameters,
                     long step) {
    arena *memory = arena_new();
    bool did = false;
    for (int rounds = 0; memory != NULL && rounds < ROUNDS_MOST; rounds++) {
        db_call call = {.what = what, .parameters = {parameters[0], parameters[1]}};
        db_error error = {0};
        PGresult *result = db_call_run(shared->connections, NULL, &call, &error, memory);
        long done = result == NULL ? 0 : strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        arena_reset(memory);
        did = did || done > 0;
        if (done < step) {
            break;
        }
    }
    arena_free(memory);
    return did;
}

/* The change feed: accesses that begin or end today, and events older than the retention, with the
 * log of their deliveries. */
static void keep_feed(service *shared, long tick) {
    char days[16];
    snprintf(days, sizeof days, "%d", shared->settings->feed_days);
    if (tick % SIGHT_EVERY_S == 1 &&
        work_off(shared, statement_feed_sight_due, (const char *[]){NULL, NULL}, 1)) {
        feed_poke(shared->changes);
    }
    if (tick % FEED_EXPIRE_EVERY_S == 1) {
        work_off(shared, statement_feed_expire, (const char *[]){days, FEED_STEP_TEXT}, FEED_STEP);
        work_off(shared, statement_expire_deliveries, (const char *[]){days, FEED_STEP_TEXT},
                 FEED_STEP);
    }
}

/* Waits for the next period. False when it is to end. */
static bool pause_until_next(const upkeep *all) {
    struct pollfd place = {.fd = all->ending, .events = POLLIN};
    return poll(&place, 1, PERIOD_MS) <= 0;
}

static void *run(void *words) {
    const upkeep *all = words;
    for (long tick = 1; pause_until_next(all); tick++) {
        if (tick % EXPIRE_EVERY_S == 0) {
            expire_keys(all->shared);
        }
        keep_feed(all->shared, tick);
        audit_keep(all->shared->connections, &all->shared->audited, tick);
    }
    return NULL;
}

upkeep *upkeep_start(service *shared) {
    upkeep *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    all->shared = shared;
    all->ending = eventfd(0, EFD_CLOEXEC);
    if (all->ending < 0 || pthread_create(&all->thread, NULL, run, all) != 0) {
        close(all->ending);
        free(all);
        return NULL;
    }
    return all;
}

void upkeep_stop(upkeep *all) {
    if (all == NULL) {
        return;
    }
    const uint64_t one = 1;
    ssize_t written = write(all->ending, &one, sizeof one);
    (void)written; /* the first write to a counter at zero succeeds */
    pthread_join(all->thread, NULL);
    close(all->ending);
    free(all);
}
