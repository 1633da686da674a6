/* Sends events to webhooks. */
#include "service/webhook/deliver.h"

#include "service/clock.h"
#include "service/db/call.h"
#include "service/log.h"
#include "service/metrics.h"
#include "service/webhook/attempt.h"
#include "service/webhook/endpoint_health.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SLOTS_MAX = 32,
    UNTRUSTED_SLOTS_MAX = 16, /* slots for endpoints that are not known to answer, */
    UNTRIED_SLOTS_MAX = 28,   /* and for the first event to an endpoint without a known state */
    GAP_MS = 50,              /* between two checks for due events */
    LOOK_MS = 5000,           /* without being woken */
    AGAIN_MS = 1000,          /* after an error of the database */
    BACKLOG_MS = 15000,       /* between two measurements of the backlog */
    LEASE_S = 20,             /* longer than an attempt and */
    START_MS = 5000,          /* the time within which it must begin */
    FINISH_TRIES = 3
};

struct deliverer {
    deliverer_settings settings;
    feed *changes;
    pthread_t thread;
    int bell; /* eventfd */
    atomic_bool stopping;
    atomic_ullong results[ATTEMPT_RESULTS];
    atomic_llong pending, oldest_seconds, under_way;

    /* Used by the thread alone. */
    pool *connection;
    arena *memory; /* of one round */
    CURLM *transfers;
    attempt *running;
    endpoint_health *endpoints;
    unsigned turn; /* index of the ready webhook at which the next check begins */
    int64_t looked_ms, next_look_ms, backlog_ms, complained_ms;
};

/* A clock that continues while the machine sleeps, as leases do. */
static int64_t awake_ms(void) {
    return clock_us(CLOCK_BOOTTIME) / 1000;
}

/* --- the end of an attempt --- */

static void record(deliverer *deliverer, const attempt *one, attempt_result result, long status,
                   long retry_after) {
    db_call call = {
        .statement = statement_finish_delivery,
        .parameters = {one->webhook, one->delivery, one->number, attempt_names[result],
                       status == 0 ? NULL : arena_printf(one->memory, "%ld", status),
                       arena_printf(one->memory, "%ld", retry_after),
                       arena_printf(one->memory, "%d", deliverer->settings.retry_seconds)},
        .safe_to_repeat = true};
    PGresult *done = NULL;
    db_error error = {0};
    for (int tries = 0; tries < FINISH_TRIES && done == NULL; tries++) {
        done = db_call_run(deliverer->connection, &one->principal, &call, &error, one->memory);
    }
    if (done == NULL) {
        /* The lease expires, and the event is sent once more. */
        log_write(LOG_WARNING, "webhook %s: the end of delivery %s was not recorded, SQLSTATE %s",
                  one->webhook, one->delivery, error.sqlstate);
    }
    PQclear(done);
}

static void finish_attempt(deliverer *deliverer, attempt *one, attempt_result result, long status,
                           long retry_after) {
    atomic_fetch_add(&deliverer->results[result], 1);
    if (result != ATTEMPT_DELIVERED) {
        log_write(LOG_INFO, "webhook %s: attempt %s of delivery %s: %s, status %ld", one->webhook,
                  one->number, one->delivery, attempt_names[result], status);
    }
    record(deliverer, one, result, status, retry_after);
    attempt_free(one);
}

/* --- slots: receivers that do not answer must not take all of them --- */

static void note_health(deliverer *deliverer, const attempt *one, attempt_result result) {
    if (result != ATTEMPT_FORBIDDEN) {
        endpoint_health_set(deliverer->endpoints, one->webhook,
                            attempt_was_slow(one, result) ? ENDPOINT_SILENT : ENDPOINT_RESPONSIVE);
    }
}

static bool is_under_way(const deliverer *deliverer, const char *webhook) {
    const attempt *one = deliverer->running;
    while (one != NULL && strcmp(one->webhook, webhook) != 0) {
        one = one->next;
    }
    return one != NULL;
}

static int count_untrusted(const deliverer *deliverer) {
    int count = 0;
    for (const attempt *one = deliverer->running; one != NULL; one = one->next) {
        count += !one->trusted;
    }
    return count;
}

static int free_slots(const deliverer *deliverer) {
    return SLOTS_MAX - (int)atomic_load(&deliverer->under_way);
}

/* Returns how many attempts may begin for the webhook now. A webhook whose receiver did not answer
 * last time has one attempt at a time, until it answers again. */
static int slots_for(const deliverer *deliverer, const char *webhook) {
    endpoint_state state = endpoint_health_get(deliverer->endpoints, webhook);
    int slots = free_slots(deliverer);
    if (state == ENDPOINT_RESPONSIVE) {
        return slots;
    }
    int untrusted = count_untrusted(deliverer);
    bool is_first = !is_under_way(deliverer, webhook);
    int share = untrusted < UNTRUSTED_SLOTS_MAX ? UNTRUSTED_SLOTS_MAX - untrusted : 0;
    if (state == ENDPOINT_SILENT) {
        share = is_first && share > 0 ? 1 : 0;
    } else if (share == 0 && is_first && untrusted < UNTRIED_SLOTS_MAX) {
        share = 1;
    }
    return share < slots ? share : slots;
}

/* --- the beginning of attempts --- */

static bool start_attempt(deliverer *deliverer, attempt *one) {
    if (!attempt_prepare(one, &deliverer->settings) ||
        curl_multi_add_handle(deliverer->transfers, one->handle) != CURLM_OK) {
        return false;
    }
    one->next = deliverer->running;
    deliverer->running = one;
    atomic_fetch_add(&deliverer->under_way, 1);
    return true;
}

static attempt *make_attempt(const PGresult *rows, int row, const principal *principal,
                             const char *webhook, bool trusted) {
    arena *memory = arena_new();
    attempt *one = arena_alloc(memory, sizeof *one);
    *one = (attempt){.memory = memory,
                     .principal = *principal,
                     .webhook = arena_strdup(memory, webhook),
                     .delivery = arena_strdup(memory, PQgetvalue(rows, row, 0)),
                     .number = arena_strdup(memory, PQgetvalue(rows, row, 1)),
                     .url = arena_strdup(memory, PQgetvalue(rows, row, 2)),
                     .generation = (int)strtol(PQgetvalue(rows, row, 3), NULL, 10),
                     .old_secret = *PQgetvalue(rows, row, 4) == 't',
                     .trusted = trusted,
                     .body = arena_strdup(memory, PQgetvalue(rows, row, 5))};
    return one;
}

/* Logs now and then that an operation failed and is being retried. */
static void complain(deliverer *deliverer, const char *webhook, const db_error *error) {
    if (awake_ms() - deliverer->complained_ms >= LOOK_MS) {
        deliverer->complained_ms = awake_ms();
        log_write(LOG_WARNING, "webhook %s: nothing could be taken, %s, SQLSTATE %s", webhook,
                  error->code == NULL ? "unavailable" : error->code, error->sqlstate);
    }
}

/* Claims ready events of one webhook and starts to send them. Events that could not be started
 * early in their lease are left: an instance claims them when the lease is over. Returns how many
 * it claimed, or -1 after an error of the database. */
static int claim_events(deliverer *deliverer, const char *webhook, const principal *principal,
                        int64_t safe) {
    int64_t began = awake_ms();
    bool trusted = endpoint_health_get(deliverer->endpoints, webhook) == ENDPOINT_RESPONSIVE;
    db_call call = {
        .statement = statement_take_deliveries,
        .parameters = {webhook, arena_printf(deliverer->memory, "%lld", (long long)safe),
                       arena_printf(deliverer->memory, "%d", slots_for(deliverer, webhook)),
                       arena_printf(deliverer->memory, "%d", LEASE_S)}};
    db_error error = {0};
    PGresult *rows =
        db_call_run(deliverer->connection, principal, &call, &error, deliverer->memory);
    if (rows == NULL) {
        complain(deliverer, webhook, &error);
        return -1;
    }
    for (int row = 0; row < PQntuples(rows) && awake_ms() - began < START_MS; row++) {
        attempt *one = make_attempt(rows, row, principal, webhook, trusted);
        if (!start_attempt(deliverer, one)) {
            finish_attempt(deliverer, one, one->forbidden ? ATTEMPT_FORBIDDEN : ATTEMPT_UNREACHABLE,
                           0, 0);
        }
    }
    int taken = PQntuples(rows);
    PQclear(rows);
    return taken;
}

static void take_out(deliverer *deliverer, const attempt *one) {
    attempt **place = &deliverer->running;
    while (*place != one) {
        place = &(*place)->next;
    }
    *place = one->next;
    atomic_fetch_sub(&deliverer->under_way, 1);
    curl_multi_remove_handle(deliverer->transfers, one->handle);
}

/* Ends an attempt and claims the next event of the same webhook, unless other webhooks may have
 * waited for its slot: then the next check decides which one gets it. */
static void go_on(deliverer *deliverer, attempt *one, attempt_result result, long status,
                  long retry_after) {
    principal principal = one->principal;
    const char *webhook = arena_strdup(deliverer->memory, one->webhook);
    bool keeps = one->trusted && free_slots(deliverer) > 1;
    note_health(deliverer, one, result);
    finish_attempt(deliverer, one, result, status, retry_after);
    if (!atomic_load(&deliverer->stopping) &&
        (!keeps ||
         claim_events(deliverer, webhook, &principal, feed_safe(deliverer->changes)) <= 0)) {
        deliverer->next_look_ms = 0; /* to find the next event and its time */
    }
}

static void collect(deliverer *deliverer) {
    int left;
    for (CURLMsg *told; (told = curl_multi_info_read(deliverer->transfers, &left)) != NULL;) {
        attempt *one = NULL;
        CURLcode code = told->data.result;
        long status = 0;
        long retry_after = 0;
        curl_easy_getinfo(told->easy_handle, CURLINFO_PRIVATE, (char **)&one);
        attempt_result result = attempt_judge(one, code, &status, &retry_after);
        take_out(deliverer, one);
        go_on(deliverer, one, result, status, retry_after);
    }
}

/* --- due events --- */

static principal read_principal(const PGresult *due, int row) {
    principal principal = {0};
    snprintf(principal.organisation, sizeof principal.organisation, "%s", PQgetvalue(due, row, 1));
    snprintf(principal.client, sizeof principal.client, "%s", PQgetvalue(due, row, 2));
    snprintf(principal.scopes, sizeof principal.scopes, "%s", PQgetvalue(due, row, 3));
    snprintf(principal.token_id, sizeof principal.token_id, "%s", PQgetvalue(due, row, 5));
    return principal;
}

/* Returns how many of the rows, which are ordered by their waits, are ready. */
static int count_ready(const PGresult *due) {
    int count = 0;
    while (count < PQntuples(due) && !PQgetisnull(due, count, 4) &&
           strtoll(PQgetvalue(due, count, 4), NULL, 10) <= 0) {
        count++;
    }
    return count;
}

/* Claims events for one ready webhook; returns how long it must wait. */
static int64_t serve_ready(deliverer *deliverer, const PGresult *due, int row, int64_t safe) {
    const char *webhook = PQgetvalue(due, row, 0);
    principal principal = read_principal(due, row);
    if (free_slots(deliverer) > 0 && slots_for(deliverer, webhook) == 0) {
        return LOOK_MS; /* the end of an attempt, which frees its slot, causes a check */
    }
    return free_slots(deliverer) > 0 && claim_events(deliverer, webhook, &principal, safe) < 0
               ? AGAIN_MS
               : 0;
}

static bool is_due(const void *rows, const char *webhook) {
    const PGresult *due = rows;
    int row = 0;
    while (row < PQntuples(due) && strcmp(PQgetvalue(due, row, 0), webhook) != 0) {
        row++;
    }
    return row < PQntuples(due);
}

/* Serves every webhook with ready events, each time starting with another one, and finds when to
 * check again. */
static void serve_due_webhooks(deliverer *deliverer) {
    int64_t safe = feed_safe(deliverer->changes);
    int64_t wait = LOOK_MS;
    db_call call = {.statement = statement_webhooks_due,
                    .parameters = {arena_printf(deliverer->memory, "%lld", (long long)safe)},
                    .safe_to_repeat = true};
    db_error error = {0};
    deliverer->looked_ms = awake_ms();
    PGresult *due = db_call_run(deliverer->connection, NULL, &call, &error, deliverer->memory);
    int ready = count_ready(due);
    if (ready < PQntuples(due) && !PQgetisnull(due, ready, 4)) {
        int64_t next = strtoll(PQgetvalue(due, ready, 4), NULL, 10);
        wait = next < wait ? next : wait;
    }
    deliverer->turn++;
    for (int i = 0; i < ready; i++) {
        int row = (int)((deliverer->turn + (unsigned)i) % (unsigned)ready);
        int64_t its_wait = serve_ready(deliverer, due, row, safe);
        wait = its_wait < wait ? its_wait : wait;
    }
    if (due != NULL && endpoint_health_count(deliverer->endpoints) > (size_t)PQntuples(due)) {
        endpoint_health_forget(deliverer->endpoints, is_due, due); /* webhooks that were deleted */
    }
    PQclear(due);
    deliverer->next_look_ms = deliverer->looked_ms + wait;
}

static void read_backlog(deliverer *deliverer) {
    db_call call = {.statement = statement_webhook_backlog, .safe_to_repeat = true};
    db_error error = {0};
    deliverer->backlog_ms = awake_ms();
    PGresult *row = db_call_run(deliverer->connection, NULL, &call, &error, deliverer->memory);
    if (row != NULL) {
        atomic_store(&deliverer->pending, strtoll(PQgetvalue(row, 0, 0), NULL, 10));
        atomic_store(&deliverer->oldest_seconds, strtoll(PQgetvalue(row, 0, 1), NULL, 10));
    }
    PQclear(row);
}

/* --- the thread --- */

/* Returns how long to sleep: no check within the gap after the last one, and none while all slots
 * are taken. */
static int rest_ms(const deliverer *deliverer) {
    int64_t now = awake_ms();
    int64_t until = now + LOOK_MS;
    if (atomic_load(&deliverer->under_way) < SLOTS_MAX) {
        int64_t earliest = deliverer->looked_ms + GAP_MS;
        until = deliverer->next_look_ms > earliest ? deliverer->next_look_ms : earliest;
    }
    return until > now ? (int)(until - now) : 0;
}

static void rest(deliverer *deliverer, int max_ms) {
    struct curl_waitfd descriptors[] = {{.fd = deliverer->bell, .events = CURL_WAIT_POLLIN}};
    int wait = rest_ms(deliverer);
    curl_multi_poll(deliverer->transfers, descriptors, 1, wait < max_ms ? wait : max_ms, NULL);
    uint64_t rung;
    if (read(deliverer->bell, &rung, sizeof rung) == (ssize_t)sizeof rung) {
        deliverer->next_look_ms = 0;
    }
}

static void serve(deliverer *deliverer) {
    while (!atomic_load(&deliverer->stopping)) {
        arena_reset(deliverer->memory);
        if (rest_ms(deliverer) == 0) {
            pool_probe(deliverer->connection);
            serve_due_webhooks(deliverer);
        }
        if (awake_ms() - deliverer->backlog_ms >= BACKLOG_MS) {
            read_backlog(deliverer);
        }
        int running;
        curl_multi_perform(deliverer->transfers, &running);
        collect(deliverer);
        rest(deliverer, LOOK_MS);
    }
}

/* Lets current attempts end, and gives back the rest. */
static void drain(deliverer *deliverer) {
    int64_t until = awake_ms() + deliverer->settings.drain_seconds * INT64_C(1000);
    while (deliverer->running != NULL && awake_ms() < until) {
        int running;
        curl_multi_perform(deliverer->transfers, &running);
        collect(deliverer);
        if (deliverer->running != NULL) {
            curl_multi_poll(deliverer->transfers, NULL, 0, GAP_MS, NULL);
        }
    }
    while (deliverer->running != NULL) {
        attempt *one = deliverer->running;
        take_out(deliverer, one);
        finish_attempt(deliverer, one, ATTEMPT_INTERRUPTED, 0, 0);
    }
}

static void *run(void *argument) {
    deliverer *deliverer = argument;
    serve(deliverer);
    drain(deliverer);
    return NULL;
}

static void free_parts(deliverer *deliverer) {
    curl_multi_cleanup(deliverer->transfers);
    endpoint_health_free(deliverer->endpoints);
    pool_free(deliverer->connection);
    arena_free(deliverer->memory);
    if (deliverer->bell >= 0) {
        close(deliverer->bell);
    }
    free(deliverer);
    curl_global_cleanup();
}

deliverer *deliverer_new(const deliverer_settings *settings, feed *changes) {
    deliverer *deliverer = calloc(1, sizeof *deliverer);
    if (deliverer == NULL) {
        return NULL;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    deliverer->settings = *settings;
    deliverer->changes = changes;
    deliverer->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    deliverer->memory = arena_new();
    deliverer->transfers = curl_multi_init();
    deliverer->endpoints = endpoint_health_new();
    const statement *const needed[] = {statement_claims,          statement_webhooks_due,
                                       statement_webhook_backlog, statement_take_deliveries,
                                       statement_finish_delivery, NULL};
    deliverer->connection = pool_new_for(settings->database, 1, "", needed);
    deliverer->backlog_ms = awake_ms() - BACKLOG_MS;
    if (deliverer->bell < 0 || deliverer->transfers == NULL || deliverer->connection == NULL ||
        pthread_create(&deliverer->thread, NULL, run, deliverer) != 0) {
        free_parts(deliverer);
        return NULL;
    }
    feed_follow(changes, deliverer->bell);
    return deliverer;
}

void deliverer_wake(deliverer *deliverer) {
    if (deliverer != NULL) {
        const uint64_t one = 1;
        ssize_t written = write(deliverer->bell, &one, sizeof one);
        (void)written; /* full means that it is set already */
    }
}

void deliverer_stop(deliverer *deliverer) {
    if (deliverer != NULL) {
        atomic_store(&deliverer->stopping, true);
        deliverer_wake(deliverer);
    }
}

void deliverer_free(deliverer *deliverer) {
    if (deliverer == NULL) {
        return;
    }
    deliverer_stop(deliverer);
    pthread_join(deliverer->thread, NULL);
    feed_follow(deliverer->changes, -1);
    free_parts(deliverer);
}

void deliverer_write(const deliverer *deliverer, FILE *out) {
    if (deliverer == NULL) {
        return;
    }
    metrics_head(out, "webhook_attempts_total", "counter",
                 "Attempts to send an event to a webhook, by what came of them.");
    for (int i = 0; i < ATTEMPT_RESULTS; i++) {
        fprintf(out, "webhook_attempts_total{result=\"%s\"} %llu\n", attempt_names[i],
                atomic_load(&deliverer->results[i]));
    }
    metrics_write_value(out, "webhook_under_way", "gauge",
                        "Attempts of this instance that are under way.",
                        (double)atomic_load(&deliverer->under_way));
    metrics_write_value(out, "webhook_pending", "gauge",
                        "Events that wait to be sent to a webhook that is enabled, of all "
                        "instances.",
                        (double)atomic_load(&deliverer->pending));
    metrics_write_value(out, "webhook_oldest_pending_seconds", "gauge",
                        "For how long the oldest of them has been waiting.",
                        (double)atomic_load(&deliverer->oldest_seconds));
}
