/* Combines concurrent writes of one kind: what has gathered goes out in one statement a principal
 * and one commit. */
#include "service/db/combiner.h"

#include "service/clock.h"
#include "service/db/wait.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER_MOST = 128, TAKE_WAIT_MS = 500, QUEUE_WAIT_MS = 1000, ALONE_TRIES_MOST = 3 };

typedef struct job {
    struct job *next;
    const principal *who;
    const char *item;
    combiner_answer *answer;
    arena *memory;
    bool answered;
    bool leads; /* set under the combiner's lock before the job is woken */
    bool called;
    sem_t woken;
} job;

struct combiner {
    pthread_mutex_t lock;
    job *first, *last;
    size_t queued;
    const statement *what;
    pool *lanes; /* connections */
    size_t lane_count, leaders;
    unsigned long long alone;
    histogram batches;
};

static const uint64_t batch_bounds[] = {1, 2, 4, 8, 16, 32, 64, TOGETHER_MOST};
const histogram_scale combiner_batch_scale = {
    .bounds = batch_bounds, .count = sizeof batch_bounds / sizeof batch_bounds[0], .unit = 1};

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

/* The statement is planned once and by index, whatever the statistics of a young table say: a plan
 * that reads the table whole is right while it is empty and stays when it is not. It waits for an
 * equal item that is under way elsewhere only so long that, when all fail together and that one
 * fails again by itself, the rest is still answered in time (db_is_prompt); and longer than a
 * migration waits for its locks, which whoever comes after it has to wait for, too. */
static const char *const lane_options =
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c lock_timeout=700ms";

static const char *copy_value(const PGresult *rows, int row, int column, arena *memory) {
    return PQgetisnull(rows, row, column) ? NULL
                                          : arena_strndup(memory, PQgetvalue(rows, row, column),
                                                          (size_t)PQgetlength(rows, row, column));
}

bool combiner_answer_read(const PGresult *rows, int row, combiner_answer *answer, arena *memory) {
    int status = (int)strtol(PQgetvalue(rows, row, COLUMN_STATUS), NULL, 10);
    *answer = (combiner_answer){.id = copy_value(rows, row, COLUMN_ID, memory)};
    if (status >= 400) {
        answer->error = (db_error){.failure = DB_REFUSED,
                                   .code = copy_value(rows, row, COLUMN_CODE, memory),
                                   .errors = copy_value(rows, row, COLUMN_ERRORS, memory)};
        return true;
    }
    answer->reply = (db_reply){.status = status,
                               .version = copy_value(rows, row, COLUMN_VERSION, memory),
                               .location = copy_value(rows, row, COLUMN_LOCATION, memory),
                               .body = copy_value(rows, row, COLUMN_BODY, memory),
                               .replayed = *PQgetvalue(rows, row, COLUMN_REPLAYED) == 't'};
    return status != 0;
}

static int compare_principals(const principal *a, const principal *b) {
    int order = strcmp(a->organisation, b->organisation);
    order = order != 0 ? order : strcmp(a->client, b->client);
    order = order != 0 ? order : strcmp(a->token_id, b->token_id);
    return order != 0 ? order : strcmp(a->scopes, b->scopes);
}

static int compare_jobs(const void *a, const void *b) {
    return compare_principals((*(job *const *)a)->who, (*(job *const *)b)->who);
}

/* The items of jobs[0..count) as a JSON array; freed by the caller. */
static char *join_items(job *const *jobs, size_t count) {
    size_t size = 3;
    for (size_t i = 0; i < count; i++) {
        size += strlen(jobs[i]->item) + 32;
    }
    char *text = malloc(size);
    if (text == NULL) {
        return NULL;
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(text + used, size - used, "%c{\"n\":%zu,%s}", i == 0 ? '[' : ',', i,
                              jobs[i]->item);
        used += (size_t)length;
    }
    memcpy(text + used, "]", 2);
    return text;
}

static size_t group_length(job *const *jobs, size_t count) {
    size_t length = 1;
    while (length < count && compare_principals(jobs[0]->who, jobs[length]->who) == 0) {
        length++;
    }
    return length;
}

static bool send_group(PGconn *link, const statement *what, job *const *jobs, size_t count) {
    char *items = join_items(jobs, count);
    const char *const parameters[] = {items};
    bool sent =
        items != NULL && db_send_claims(link, jobs[0]->who) && db_send(link, what, parameters);
    free(items);
    return sent;
}

/* Reads the answers of one group; an organisation that is not known leaves its jobs without one.
 * Returns false when a statement failed. */
static bool read_group(PGconn *link, job *const *jobs, size_t count) {
    PGresult *claims = db_next_result(link);
    PGresult *rows = db_next_result(link);
    bool good = claims != NULL && PQresultStatus(claims) == PGRES_TUPLES_OK && rows != NULL &&
                PQresultStatus(rows) == PGRES_TUPLES_OK;
    for (int row = 0; good && db_claims_known(claims) && row < PQntuples(rows); row++) {
        size_t n = (size_t)strtoul(PQgetvalue(rows, row, COLUMN_N), NULL, 10);
        if (n < count) {
            jobs[n]->answered = combiner_answer_read(rows, row, jobs[n]->answer, jobs[n]->memory);
        }
    }
    PQclear(claims);
    PQclear(rows);
    return good;
}

/* Sends all jobs as one transaction. Returns whether it was committed. */
static bool run_together(PGconn *link, const statement *what, job *const *jobs, size_t count) {
    if (PQenterPipelineMode(link) != 1) {
        return false;
    }
    for (size_t i = 0; i < count; i += group_length(jobs + i, count - i)) {
        if (!send_group(link, what, jobs + i, group_length(jobs + i, count - i))) {
            return false;
        }
    }
    if (PQpipelineSync(link) != 1) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < count; i += group_length(jobs + i, count - i)) {
        good = read_group(link, jobs + i, group_length(jobs + i, count - i)) && good;
    }
    return db_finish_pipeline(link) && good;
}

/* Sends one job by itself, so that its fault is its own. */
static void run_alone(combiner *all, job *one) {
    db_error error = {.failure = DB_UNAVAILABLE, .code = "overloaded"};
    char *item = join_items(&one, 1);
    db_call call = {.what = all->what, .parameters = {item}};
    for (int tries = 0; item != NULL && tries < ALONE_TRIES_MOST && !one->answered; tries++) {
        PGresult *rows = db_call_run(all->lanes, one->who, &call, &error, one->memory);
        if (rows != NULL) {
            one->answered =
                PQntuples(rows) == 1 && combiner_answer_read(rows, 0, one->answer, one->memory);
            error = (db_error){.failure = DB_UNAVAILABLE, .code = "overloaded"};
        } else if (strcmp(error.sqlstate, "23505") != 0) {
            /* 23505: the key was stored by another transaction; the next look finds it. */
            break;
        }
        PQclear(rows);
    }
    free(item);
    if (!one->answered) {
        db_error_name_in_flight(&error); /* only an equal item holds a lock that this one needs */
        one->answer->error = error;
    }
}

/* After this the job is its caller's alone. The flag repeats what the semaphore orders, for
 * ThreadSanitizer, which does not know sem_clockwait. */
static void wake(job *one) {
    __atomic_store_n(&one->called, true, __ATOMIC_RELEASE);
    sem_post(&one->woken);
}

/* Takes the first job out of the queue; NULL when it is empty. Under the lock. */
static job *take_first(combiner *all) {
    job *first = all->first;
    if (first != NULL) {
        all->first = first->next;
        all->last = all->first == NULL ? NULL : all->last;
        all->queued--;
    }
    return first;
}

/* The leader's own job and what has gathered behind it. */
static size_t take_jobs(combiner *all, job *mine, job **jobs) {
    size_t count = 1;
    jobs[0] = mine;
    pthread_mutex_lock(&all->lock);
    while (count < TOGETHER_MOST && all->first != NULL) {
        jobs[count++] = take_first(all);
    }
    pthread_mutex_unlock(&all->lock);
    histogram_add(&all->batches, &combiner_batch_scale, count);
    return count;
}

static void run_jobs(combiner *all, job **jobs, size_t count) {
    const db_tries since = db_tries_begin();
    bool committed = false;
    if (count > 1) {
        qsort(jobs, count, sizeof *jobs, compare_jobs);
        connection *taken = pool_take(all->lanes, pool_is_connected(all->lanes) ? TAKE_WAIT_MS : 0);
        if (taken != NULL) {
            committed = run_together(taken->link, all->what, jobs, count);
            pool_give(taken);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (committed && jobs[i]->answered) {
            continue;
        }
        jobs[i]->answered = false;
        if (db_is_prompt(&since)) {
            run_alone(all, jobs[i]);
            __atomic_add_fetch(&all->alone, 1, __ATOMIC_RELAXED);
        } else {
            /* The database was silent; by the next silence nobody would wait any more. */
            jobs[i]->answer->error =
                (db_error){.failure = DB_UNCERTAIN, .code = "database_unavailable"};
        }
    }
}

/* Sends what has gathered, tells the others, and hands the lead to the first who has come since. */
static void lead(combiner *all, job *mine) {
    job *jobs[TOGETHER_MOST];
    size_t count = take_jobs(all, mine, jobs);
    run_jobs(all, jobs, count);
    for (size_t i = 0; i < count; i++) {
        if (jobs[i] != mine) {
            wake(jobs[i]);
        }
    }
    pthread_mutex_lock(&all->lock);
    job *next = take_first(all);
    if (next == NULL) {
        all->leaders--;
    } else {
        next->leads = true;
    }
    pthread_mutex_unlock(&all->lock);
    if (next != NULL) {
        wake(next);
    }
}

/* Leads at once when a lane is free, queues otherwise: there is no thread to hand the job to, so
 * that a single client waits for nobody. Whoever is queued is woken exactly once: answered, or out
 * of the queue and leading. Returns whether the job is queued. */
static bool enqueue(combiner *all, job *mine) {
    pthread_mutex_lock(&all->lock);
    bool queued = all->leaders >= all->lane_count;
    if (queued) {
        *(all->last == NULL ? &all->first : &all->last->next) = mine;
        all->last = mine;
        all->queued++;
    } else {
        all->leaders++;
        mine->leads = true;
    }
    pthread_mutex_unlock(&all->lock);
    return queued;
}

/* Takes a job out of the queue whose time is up; false when somebody has taken it already. */
static bool withdraw(combiner *all, job *mine) {
    pthread_mutex_lock(&all->lock);
    job *before = NULL, *one = all->first;
    while (one != NULL && one != mine) {
        before = one;
        one = one->next;
    }
    if (one != NULL) {
        *(before == NULL ? &all->first : &before->next) = mine->next;
        all->last = all->last == mine ? before : all->last;
        all->queued--;
    }
    pthread_mutex_unlock(&all->lock);
    return one != NULL;
}

/* Waits until it is answered or leads. False when nobody had time for it. */
static bool wait_in_queue(combiner *all, job *mine) {
    const struct timespec deadline = clock_deadline(CLOCK_MONOTONIC, QUEUE_WAIT_MS);
    int status = 0;
    do {
        status = sem_clockwait(&mine->woken, CLOCK_MONOTONIC, &deadline);
    } while (status != 0 && errno == EINTR);
    if (status != 0 && withdraw(all, mine)) {
        return false;
    }
    while (status != 0) {
        status = sem_wait(&mine->woken);
    }
    return __atomic_load_n(&mine->called, __ATOMIC_ACQUIRE);
}

bool combiner_submit(combiner *all, const principal *who, const char *item, combiner_answer *answer,
                     arena *memory) {
    job mine = {.who = who, .item = item, .answer = answer, .memory = memory};
    sem_init(&mine.woken, 0, 0);
    if (enqueue(all, &mine) && !wait_in_queue(all, &mine)) {
        answer->error = (db_error){.failure = DB_UNAVAILABLE, .code = "overloaded"};
    }
    if (mine.leads) {
        lead(all, &mine);
    }
    sem_destroy(&mine.woken);
    return mine.answered && answer->error.code == NULL;
}

combiner *combiner_new(const char *conninfo, size_t lanes, const statement *what) {
    combiner *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    pthread_mutex_init(&all->lock, NULL);
    all->what = what;
    all->lane_count = lanes;
    all->lanes = pool_new(conninfo, lanes, lane_options);
    if (all->lanes == NULL) {
        combiner_free(all);
        return NULL;
    }
    return all;
}

void combiner_free(combiner *all) {
    if (all == NULL) {
        return;
    }
    pool_free(all->lanes);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

combiner_stats combiner_stats_read(combiner *all) {
    pthread_mutex_lock(&all->lock);
    combiner_stats stats = {.batches = &all->batches,
                            .alone = __atomic_load_n(&all->alone, __ATOMIC_RELAXED),
                            .queued = all->queued};
    pthread_mutex_unlock(&all->lock);
    stats.lanes = pool_stats_read(all->lanes);
    return stats;
}
