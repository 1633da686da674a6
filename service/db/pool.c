/* Connections to PostgreSQL: a fixed number, prepared, taken for one request and given back. */
#include "service/db/pool.h"

#include "service/clock.h"
#include "service/db/link.h"
#include "service/db/role.h"
#include "service/db/statement.h"
#include "service/db/wait.h"
#include "service/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BACKOFF_LEAST_MS = 50, BACKOFF_MAX_MS = 1000, FAULT_MAX = 700 };

/* A thread that waits for a connection. */
typedef struct waiter {
    pthread_cond_t changed;
    connection *given;
    struct waiter *next;
} waiter;

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t broken_changed; /* the reconnecting thread waits for work */
    pthread_t reconnecting;
    char *conninfo;
    char *options;
    connection *connections;
    connection *idle; /* NULL while the thread waits */
    connection *broken;
    waiter *waiters; /* in the order of arrival: no waiter is overtaken */
    size_t size, idle_count, connected, waiting;
    unsigned long long timeouts, reconnects;
    histogram waits;
    bool *needed; /* which statements are prepared; NULL: all */
    bool standby; /* connects to standbys; else to the primary */
    bool stopping;
};

/* In microseconds; the last one is the longest wait of a request. */
static const uint64_t wait_bounds[] = {100,   1000,   5000,   10000, 25000,
                                       50000, 100000, 250000, 500000};
const histogram_scale pool_wait_scale = {
    .bounds = wait_bounds, .count = sizeof wait_bounds / sizeof wait_bounds[0], .unit = 1e-6};

/* Settings of each session; the time limits are parts of a request's time (deploy/README.md,
 * limits). */
static const char *const session_options =
    "-c timezone=UTC -c statement_timeout=5s -c lock_timeout=1s "
    "-c idle_in_transaction_session_timeout=5s -c client_connection_check_interval=1s "
    "-c jit=off -c default_transaction_isolation=read\\ committed";

/* Server messages can contain values: they are dropped. */
static void drop_notice(void *unused, const PGresult *notice) {
    (void)unused;
    (void)notice;
}

/* Preparing all statements costs PostgreSQL a tenth of a second of its processor for each
 * connection. */
static bool is_needed(const pool *pool, size_t i) {
    return !statements[i].unprepared && (pool->needed == NULL || pool->needed[i]);
}

static bool send_prepares(const pool *pool, PGconn *link) {
    for (size_t i = 0; i < statement_count; i++) {
        if (is_needed(pool, i) &&
            PQsendPrepare(link, statements[i].name, statements[i].text, 0, NULL) != 1) {
            return false;
        }
    }
    return PQpipelineSync(link) == 1;
}

static PGresult *next_result(PGconn *link) {
    return db_wait(link) ? PQgetResult(link) : NULL;
}

/* Also takes the NULL that ends the results of each statement. */
static bool take_result(PGconn *link, ExecStatusType wanted) {
    PGresult *result = next_result(link);
    bool good = PQresultStatus(result) == wanted;
    PQclear(result);
    PQclear(next_result(link));
    return good;
}

/* Locks the program's version of the code, and prepares the statements, in one round trip. */
static bool prepare_statements(const pool *pool, PGconn *link) {
    if (PQsetnonblocking(link, 1) != 0 || PQenterPipelineMode(link) != 1 ||
        PQsendQueryParams(link, statement_hold_version->text, 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        !send_prepares(pool, link) || !take_result(link, PGRES_TUPLES_OK)) {
        return false;
    }
    for (size_t i = 0; i < statement_count; i++) {
        if (!is_needed(pool, i)) {
            continue;
        }
        PGresult *result = next_result(link);
        if (PQresultStatus(result) == PGRES_FATAL_ERROR) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            log_write(
                LOG_ERROR,
                "the statement %s could not be prepared, SQLSTATE %s: is the schema migrated?",
                statements[i].name, state == NULL ? "none" : state);
        }
        bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
        PQclear(next_result(link)); /* the NULL that ends each statement */
        if (!good) {
            return false;
        }
    }
    PGresult *sync = next_result(link);
    bool good = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return good && PQexitPipelineMode(link) == 1;
}

/* The role of LR_DATABASE was checked before the service began. */
static bool is_allowed(const pool *pool, PGconn *link) {
    if (!pool->standby || role_is_bound(link)) {
        return true;
    }
    log_write(LOG_ERROR, "LR_READ_DATABASE is not used: its role is not known to be bound by "
                         "row-level security");
    return false;
}

/* Returns NULL with libpq's message in `fault`, or with "" when the connection was made but could
 * not be used, which is logged already. */
static PGconn *connect_once(const pool *pool, char *fault, size_t size) {
    *fault = '\0';
    const char *const names[] = {"dbname",
                                 "options",
                                 "application_name",
                                 "connect_timeout",
                                 "tcp_user_timeout",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "client_encoding",
                                 "target_session_attrs",
                                 NULL};
    const char *const values[] = {pool->conninfo,
                                  pool->options,
                                  "learning-reviews",
                                  "2",
                                  "5000",
                                  "10",
                                  "3",
                                  "3",
                                  "UTF8",
                                  pool->standby ? "standby" : "read-write",
                                  NULL};
    PGconn *link = PQconnectdbParams(names, values, 1);
    if (PQstatus(link) != CONNECTION_OK) {
        link_fault(link, fault, size);
        PQfinish(link);
        return NULL;
    }
    PQsetNoticeReceiver(link, drop_notice, NULL);
    if (is_allowed(pool, link) && prepare_statements(pool, link)) {
        return link;
    }
    PQfinish(link);
    return NULL;
}

static void init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Finds the pointer to the waiter in the list; its end when it is not there. */
static waiter **find_waiter(pool *pool, const waiter *wanted) {
    waiter **place = &pool->waiters;
    while (*place != wanted) {
        place = &(*place)->next;
    }
    return place;
}

static void remove_waiter(pool *pool, const waiter *gone) {
    *find_waiter(pool, gone) = gone->next;
    pool->waiting--;
}

/* Returns the connection that was handed over in time, or NULL. */
static connection *wait_for_connection(pool *pool, int wait_ms) {
    struct timespec until = clock_deadline(CLOCK_MONOTONIC, wait_ms);
    waiter self = {.given = NULL};
    init_condition(&self.changed);
    *find_waiter(pool, NULL) = &self;
    pool->waiting++;
    while (self.given == NULL &&
           pthread_cond_timedwait(&self.changed, &pool->lock, &until) != ETIMEDOUT) {
    }
    if (self.given == NULL) {
        remove_waiter(pool, &self);
    }
    pthread_cond_destroy(&self.changed);
    return self.given;
}

/* Hands the connection to the longest waiter, if there is one. */
static void put_idle(pool *pool, connection *ready) {
    waiter *longest = pool->waiters;
    if (longest != NULL) {
        remove_waiter(pool, longest);
        longest->given = ready;
        pthread_cond_signal(&longest->changed);
        return;
    }
    ready->next = pool->idle;
    pool->idle = ready;
    pool->idle_count++;
}

/* Drops the connection and leaves it to the reconnecting thread. */
static void put_broken(pool *pool, connection *ended) {
    PQfinish(ended->link);
    ended->link = NULL;
    pool->connected--;
    ended->next = pool->broken;
    pool->broken = ended;
    pthread_cond_signal(&pool->broken_changed);
}

/* The reconnecting thread: connects broken connections, one at a time, with a longer wait after
 * each failure. */
static void *reconnect_broken(void *argument) {
    pool *pool = argument;
    long backoff = BACKOFF_LEAST_MS;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        connection *work = pool->broken;
        if (work == NULL) {
            pthread_cond_wait(&pool->broken_changed, &pool->lock);
            continue;
        }
        pool->broken = work->next;
        pthread_mutex_unlock(&pool->lock);
        char fault[FAULT_MAX];
        work->link = connect_once(pool, fault, sizeof fault);
        pthread_mutex_lock(&pool->lock);
        if (work->link != NULL) {
            backoff = BACKOFF_LEAST_MS;
            pool->connected++;
            pool->reconnects++;
            put_idle(pool, work);
            continue;
        }
        work->next = pool->broken;
        pool->broken = work;
        if (backoff == BACKOFF_LEAST_MS) {
            log_write(LOG_WARNING, "%s%s%s",
                      pool->standby ? "no standby can be reached; the primary answers"
                                    : "the database cannot be reached; trying again until it can",
                      *fault == '\0' ? "" : ": ", fault);
        }
        struct timespec until = clock_deadline(CLOCK_MONOTONIC, backoff);
        while (!pool->stopping &&
               pthread_cond_timedwait(&pool->broken_changed, &pool->lock, &until) != ETIMEDOUT) {
        }
        backoff = backoff * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff * 2;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Returns a flag for each statement, or NULL when memory is out. */
static bool *flag_statements(const statement *const needed[]) {
    bool *flags = calloc(statement_count, sizeof *flags);
    for (size_t i = 0; flags != NULL && needed[i] != NULL; i++) {
        flags[needed[i] - statements] = true;
    }
    return flags;
}

static pool *make_pool(const char *conninfo, size_t size, const char *options,
                       const statement *const needed[], bool standby) {
    pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        return NULL;
    }
    pool->conninfo = strdup(conninfo);
    char *settings = NULL;
    if (asprintf(&settings, "%s %s", session_options, options) >= 0) {
        pool->options = link_options(settings);
        free(settings);
    }
    pool->connections = calloc(size, sizeof *pool->connections);
    pool->needed = needed == NULL ? NULL : flag_statements(needed);
    pool->size = size;
    pool->standby = standby;
    pthread_mutex_init(&pool->lock, NULL);
    init_condition(&pool->broken_changed);
    if (pool->conninfo == NULL || pool->options == NULL || pool->connections == NULL ||
        (needed != NULL && pool->needed == NULL)) {
        goto failed;
    }
    for (size_t i = 0; i < size; i++) {
        pool->connections[i].home = pool;
        pool->connections[i].next = pool->broken;
        pool->broken = &pool->connections[i];
    }
    if (pthread_create(&pool->reconnecting, NULL, reconnect_broken, pool) == 0) {
        return pool;
    }
failed:
    free(pool->needed);
    free(pool->connections);
    free(pool->options);
    free(pool->conninfo);
    free(pool);
    return NULL;
}

pool *pool_new(const char *conninfo, size_t size, const char *options) {
    return make_pool(conninfo, size, options, NULL, false);
}

pool *pool_new_for(const char *conninfo, size_t size, const char *options,
                   const statement *const needed[]) {
    return make_pool(conninfo, size, options, needed, false);
}

pool *pool_new_standby(const char *conninfo, size_t size) {
    return make_pool(conninfo, size, "", NULL, true);
}

void pool_free(pool *pool) {
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->broken_changed);
    pthread_mutex_unlock(&pool->lock);
    pthread_join(pool->reconnecting, NULL);
    for (size_t i = 0; i < pool->size; i++) {
        PQfinish(pool->connections[i].link);
    }
    pthread_cond_destroy(&pool->broken_changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->needed);
    free(pool->connections);
    free(pool->options);
    free(pool->conninfo);
    free(pool);
}

connection *pool_take(pool *pool, int wait_ms) {
    uint64_t waited = 0;
    pthread_mutex_lock(&pool->lock);
    connection *taken = pool->idle;
    if (taken != NULL) {
        pool->idle = taken->next;
        pool->idle_count--;
    } else if (wait_ms > 0) {
        int64_t since = clock_us(CLOCK_MONOTONIC);
        taken = wait_for_connection(pool, wait_ms);
        waited = (uint64_t)(clock_us(CLOCK_MONOTONIC) - since);
    }
    if (taken == NULL) {
        pool->timeouts++;
    }
    pthread_mutex_unlock(&pool->lock);
    histogram_add(&pool->waits, &pool_wait_scale, waited);
    return taken;
}

static bool says(PGconn *link, const char *parameter, const char *value) {
    const char *status = PQparameterStatus(link, parameter);
    return status != NULL && strcmp(status, value) == 0;
}

/* PostgreSQL reports changes of both settings with the answer to the first statement afterwards. */
static bool is_of_its_kind(const pool *pool, PGconn *link) {
    return pool->standby ? !says(link, "in_hot_standby", "off")
                         : !says(link, "in_hot_standby", "on") &&
                               !says(link, "default_transaction_read_only", "on");
}

void pool_give(connection *taken) {
    pool *pool = taken->home;
    bool usable = PQstatus(taken->link) == CONNECTION_OK &&
                  PQtransactionStatus(taken->link) == PQTRANS_IDLE &&
                  PQpipelineStatus(taken->link) == PQ_PIPELINE_OFF &&
                  is_of_its_kind(pool, taken->link);
    pthread_mutex_lock(&pool->lock);
    if (usable) {
        put_idle(pool, taken);
    } else {
        put_broken(pool, taken);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* The server sends nothing on an idle connection: any readable byte means its end. */
static bool has_ended(const connection *idle) {
    struct pollfd socket = {.fd = PQsocket(idle->link), .events = POLLIN};
    return poll(&socket, 1, 0) != 0 &&
           (PQconsumeInput(idle->link) != 1 || PQstatus(idle->link) != CONNECTION_OK);
}

void pool_probe(pool *pool) {
    pthread_mutex_lock(&pool->lock);
    connection **place = &pool->idle;
    while (*place != NULL) {
        connection *each = *place;
        if (!has_ended(each)) {
            place = &each->next;
            continue;
        }
        *place = each->next;
        pool->idle_count--;
        put_broken(pool, each);
    }
    pthread_mutex_unlock(&pool->lock);
}

bool pool_is_connected(pool *pool) {
    return pool_stats_read(pool).connected > 0;
}

pool_stats pool_stats_read(pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool_stats stats = {.size = pool->size,
                        .idle = pool->idle_count,
                        .connected = pool->connected,
                        .waiting = pool->waiting,
                        .timeouts = pool->timeouts,
                        .reconnects = pool->reconnects,
                        .waits = &pool->waits};
    pthread_mutex_unlock(&pool->lock);
    return stats;
}
