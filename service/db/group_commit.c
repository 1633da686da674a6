/* Group commit: concurrent writes of one kind share one transaction; see group_commit.h. */
#include "service/db/group_commit.h"

#include "service/clock.h"
#include "service/db/json_text.h"
#include "service/db/wait.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_MAX = 128, TAKE_WAIT_MS = 500, QUEUE_WAIT_MS = 1000, SINGLE_TRIES_MAX = 3 };

typedef struct writer {
    struct writer *next;
    const principal *principal;
    const char *item;
    group_commit_result *result;
    arena *memory;
    bool done;
    bool is_leader; /* set under the lock before the writer is woken */
    bool woken_up;
    sem_t wake_up;
} writer;

struct group_commit {
    pthread_mutex_t lock;
    writer *first, *last;
    size_t queued;
    const statement *statement;
    pool *connections; /* as many as the maximum number of leaders */
    size_t connection_count, leaders;
    unsigned long long singles;
    histogram sizes;
};

static const uint64_t size_bounds[] = {1, 2, 4, 8, 16, 32, 64, GROUP_MAX};
const histogram_scale group_commit_size_scale = {
    .bounds = size_bounds, .count = sizeof size_bounds / sizeof size_bounds[0], .unit = 1};

enum {
    COLUMN_N,
    COLUMN_STATUS,
    COLUMN_REPLAYED,
    COLUMN_ID,
    COLUMN_VERSION,
    COLUMN_LOCATION,
    COLUMN_BODY,
    COLUMN_CODE,
    COLUMN_ERRORS
};

/* The statement is planned once and uses the index, whatever the statistics of a new table say: a
 * plan that reads the whole table is right while it is empty, but would stay in use later. The lock
 * timeout has two bounds. It is short enough that the rest of a group is answered in time
 * (db_retry_is_prompt) when the group fails on an equal item of another transaction, and that item
 * then fails again by itself. It is longer than a migration waits for its locks, because every
 * later writer must wait for them, too. */
static const char *const session_options =
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c lock_timeout=700ms";

static const char *copy_value(const PGresult *rows, int row, int column, arena *memory) {
    return PQgetisnull(rows, row, column) ? NULL
                                          : arena_strndup(memory, PQgetvalue(rows, row, column),
                                                          (size_t)PQgetlength(rows, row, column));
}

static const char *copy_json(const PGresult *rows, int row, int column, arena *memory) {
    return PQgetisnull(rows, row, column)
               ? NULL
               : json_text_compact(PQgetvalue(rows, row, column), memory);
}

bool group_commit_result_read(const PGresult *rows, int row, group_commit_result *result,
                              arena *memory) {
    int status = (int)strtol(PQgetvalue(rows, row, COLUMN_STATUS), NULL, 10);
    *result = (group_commit_result){.id = copy_value(rows, row, COLUMN_ID, memory)};
    if (status >= 400) {
        result->error = (db_error){.failure = DB_REFUSED,
                                   .code = copy_value(rows, row, COLUMN_CODE, memory),
                                   .errors = copy_value(rows, row, COLUMN_ERRORS, memory)};
        return true;
    }
    result->reply = (db_reply){.status = status,
                               .version = copy_value(rows, row, COLUMN_VERSION, memory),
                               .location = copy_value(rows, row, COLUMN_LOCATION, memory),
                               .body = copy_json(rows, row, COLUMN_BODY, memory),
                               .replayed = *PQgetvalue(rows, row, COLUMN_REPLAYED) == 't'};
    return status != 0;
}

static int compare_principals(const principal *a, const principal *b) {
    int order = strcmp(a->organisation, b->organisation);
    order = order != 0 ? order : strcmp(a->client, b->client);
    order = order != 0 ? order : strcmp(a->token_id, b->token_id);
    return order != 0 ? order : strcmp(a->scopes, b->scopes);
}

static int compare_writers(const void *a, const void *b) {
    return compare_principals((*(writer *const *)a)->principal, (*(writer *const *)b)->principal);
}

/* The items of writers[0..count) as a JSON array; freed by the caller. */
static char *join_items(writer *const *writers, size_t count) {
    size_t size = 3;
    for (size_t i = 0; i < count; i++) {
        size += strlen(writers[i]->item) + 32;
    }
    char *text = malloc(size);
    if (text == NULL) {
        return NULL;
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(text + used, size - used, "%c{\"n\":%zu,%s}", i == 0 ? '[' : ',', i,
                              writers[i]->item);
        used += (size_t)length;
    }
    memcpy(text + used, "]", 2);
    return text;
}

static size_t batch_length(writer *const *writers, size_t count) {
    size_t length = 1;
    while (length < count &&
           compare_principals(writers[0]->principal, writers[length]->principal) == 0) {
        length++;
    }
    return length;
}

static bool send_batch(PGconn *link, const statement *statement, writer *const *writers,
                       size_t count) {
    char *items = join_items(writers, count);
    const char *const parameters[] = {items};
    bool sent = items != NULL && db_send_claims(link, writers[0]->principal) &&
                db_send(link, statement, parameters);
    free(items);
    return sent;
}

/* Reads the results of one batch; writers of an unknown organisation get no result. Returns false
 * when a statement failed. */
static bool read_batch(PGconn *link, writer *const *writers, size_t count) {
    PGresult *claims = db_next_result(link);
    PGresult *rows = db_next_result(link);
    bool good = claims != NULL && PQresultStatus(claims) == PGRES_TUPLES_OK && rows != NULL &&
                PQresultStatus(rows) == PGRES_TUPLES_OK;
    for (int row = 0; good && db_claims_known(claims) && row < PQntuples(rows); row++) {
        size_t n = (size_t)strtoul(PQgetvalue(rows, row, COLUMN_N), NULL, 10);
        if (n < count) {
            writers[n]->done =
                group_commit_result_read(rows, row, writers[n]->result, writers[n]->memory);
        }
    }
    PQclear(claims);
    PQclear(rows);
    return good;
}

/* Sends all items as one transaction. Returns whether it was committed. */
static bool commit_group(PGconn *link, const statement *statement, writer *const *writers,
                         size_t count) {
    if (PQenterPipelineMode(link) != 1) {
        return false;
    }
    for (size_t i = 0; i < count; i += batch_length(writers + i, count - i)) {
        if (!send_batch(link, statement, writers + i, batch_length(writers + i, count - i))) {
            return false;
        }
    }
    if (PQpipelineSync(link) != 1) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < count; i += batch_length(writers + i, count - i)) {
        good = read_batch(link, writers + i, batch_length(writers + i, count - i)) && good;
    }
    return db_finish_pipeline(link) && good;
}

/* Sends one item by itself, so that it gets its own error. */
static void commit_single(group_commit *commit, writer *one) {
    db_error error = {.failure = DB_UNAVAILABLE, .code = "overloaded"};
    char *item = join_items(&one, 1);
    db_call call = {.statement = commit->statement, .parameters = {item}};
    for (int tries = 0; item != NULL && tries < SINGLE_TRIES_MAX && !one->done; tries++) {
        PGresult *rows =
            db_call_run(commit->connections, one->principal, &call, &error, one->memory);
        if (rows != NULL) {
            one->done =
                PQntuples(rows) == 1 && group_commit_result_read(rows, 0, one->result, one->memory);
            error = (db_error){.failure = DB_UNAVAILABLE, .code = "overloaded"};
        } else if (strcmp(error.sqlstate, "23505") != 0) {
            /* 23505: another transaction stored the key; the next attempt finds it. */
            break;
        }
        PQclear(rows);
    }
    free(item);
    if (!one->done) {
        one->result->error = error;
    }
}

/* After this the writer belongs to its caller alone. The flag repeats the order that the semaphore
 * ensures, for ThreadSanitizer, which does not know sem_clockwait. */
static void wake(writer *one) {
    __atomic_store_n(&one->woken_up, true, __ATOMIC_RELEASE);
    sem_post(&one->wake_up);
}

/* Takes the first writer out of the queue; NULL when it is empty. The caller holds the lock. */
static writer *take_first(group_commit *commit) {
    writer *first = commit->first;
    if (first != NULL) {
        commit->first = first->next;
        commit->last = commit->first == NULL ? NULL : commit->last;
        commit->queued--;
    }
    return first;
}

/* Takes the group: the leader and the queued writers. */
static size_t take_group(group_commit *commit, writer *own, writer **writers) {
    size_t count = 1;
    writers[0] = own;
    pthread_mutex_lock(&commit->lock);
    while (count < GROUP_MAX && commit->first != NULL) {
        writers[count++] = take_first(commit);
    }
    pthread_mutex_unlock(&commit->lock);
    histogram_add(&commit->sizes, &group_commit_size_scale, count);
    return count;
}

static void commit_writers(group_commit *commit, writer **writers, size_t count) {
    const db_retry since = db_retry_begin();
    bool committed = false;
    if (count > 1) {
        qsort(writers, count, sizeof *writers, compare_writers);
        connection *taken = pool_take(commit->connections,
                                      pool_is_connected(commit->connections) ? TAKE_WAIT_MS : 0);
        if (taken != NULL) {
            committed = commit_group(taken->link, commit->statement, writers, count);
            pool_give(taken);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (committed && writers[i]->done) {
            continue;
        }
        writers[i]->done = false;
        if (db_retry_is_prompt(&since)) {
            commit_single(commit, writers[i]);
            __atomic_add_fetch(&commit->singles, 1, __ATOMIC_RELAXED);
        } else {
            /* The database was silent; after another silence the clients would have left. */
            writers[i]->result->error =
                (db_error){.failure = DB_UNCERTAIN, .code = "database_unavailable"};
        }
    }
}

/* Commits the group, wakes its other writers, and makes the first writer queued since the next
 * leader. */
static void lead_group(group_commit *commit, writer *own) {
    writer *writers[GROUP_MAX];
    size_t count = take_group(commit, own, writers);
    commit_writers(commit, writers, count);
    for (size_t i = 0; i < count; i++) {
        if (writers[i] != own) {
            wake(writers[i]);
        }
    }
    pthread_mutex_lock(&commit->lock);
    writer *next = take_first(commit);
    if (next == NULL) {
        commit->leaders--;
    } else {
        next->is_leader = true;
    }
    pthread_mutex_unlock(&commit->lock);
    if (next != NULL) {
        wake(next);
    }
}

/* Becomes the leader when a connection is free, else queues. A queued writer is woken exactly once:
 * with its result, or as a leader taken out of the queue. Returns whether it is queued. */
static bool lead_or_queue(group_commit *commit, writer *own) {
    pthread_mutex_lock(&commit->lock);
    bool queued = commit->leaders >= commit->connection_count;
    if (queued) {
        *(commit->last == NULL ? &commit->first : &commit->last->next) = own;
        commit->last = own;
        commit->queued++;
    } else {
        commit->leaders++;
        own->is_leader = true;
    }
    pthread_mutex_unlock(&commit->lock);
    return queued;
}

/* Takes a writer whose time is up out of the queue; returns false when a leader has taken it
 * already. */
static bool leave_queue(group_commit *commit, writer *own) {
    pthread_mutex_lock(&commit->lock);
    writer *before = NULL, *one = commit->first;
    while (one != NULL && one != own) {
        before = one;
        one = one->next;
    }
    if (one != NULL) {
        *(before == NULL ? &commit->first : &before->next) = own->next;
        commit->last = commit->last == own ? before : commit->last;
        commit->queued--;
    }
    pthread_mutex_unlock(&commit->lock);
    return one != NULL;
}

/* Waits until it has its result or is the leader. Returns false when no leader took it in time. */
static bool wait_in_queue(group_commit *commit, writer *own) {
    const struct timespec deadline = clock_deadline(CLOCK_MONOTONIC, QUEUE_WAIT_MS);
    int status = 0;
    do {
        status = sem_clockwait(&own->wake_up, CLOCK_MONOTONIC, &deadline);
    } while (status != 0 && errno == EINTR);
    if (status != 0 && leave_queue(commit, own)) {
        return false;
    }
    while (status != 0) {
        status = sem_wait(&own->wake_up);
    }
    return __atomic_load_n(&own->woken_up, __ATOMIC_ACQUIRE);
}

bool group_commit_submit(group_commit *commit, const principal *principal, const char *item,
                         group_commit_result *result, arena *memory) {
    writer own = {.principal = principal, .item = item, .result = result, .memory = memory};
    sem_init(&own.wake_up, 0, 0);
    if (lead_or_queue(commit, &own) && !wait_in_queue(commit, &own)) {
        result->error = (db_error){.failure = DB_UNAVAILABLE, .code = "overloaded"};
    }
    if (own.is_leader) {
        lead_group(commit, &own);
    }
    sem_destroy(&own.wake_up);
    return own.done && result->error.code == NULL;
}

group_commit *group_commit_new(const char *conninfo, size_t connections, const char *options,
                               const statement *statement) {
    group_commit *commit = calloc(1, sizeof *commit);
    if (commit == NULL) {
        return NULL;
    }
    pthread_mutex_init(&commit->lock, NULL);
    commit->statement = statement;
    commit->connection_count = connections;
    char all_options[256];
    snprintf(all_options, sizeof all_options, "%s %s", session_options, options);
    const struct statement *const needed[] = {statement_claims, statement, NULL};
    commit->connections = pool_new_for(conninfo, connections, all_options, needed);
    if (commit->connections == NULL) {
        group_commit_free(commit);
        return NULL;
    }
    return commit;
}

void group_commit_free(group_commit *commit) {
    if (commit == NULL) {
        return;
    }
    pool_free(commit->connections);
    pthread_mutex_destroy(&commit->lock);
    free(commit);
}

bool group_commit_is_connected(group_commit *commit) {
    return pool_is_connected(commit->connections);
}

group_commit_stats group_commit_stats_read(group_commit *commit) {
    pthread_mutex_lock(&commit->lock);
    group_commit_stats stats = {.sizes = &commit->sizes,
                                .singles = __atomic_load_n(&commit->singles, __ATOMIC_RELAXED),
                                .queued = commit->queued};
    pthread_mutex_unlock(&commit->lock);
    stats.connections = pool_stats_read(commit->connections);
    return stats;
}
