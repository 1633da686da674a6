/* Combines concurrent writes of one kind: what has gathered goes out in one statement a principal
 * and one commit. */
#include "service/db/combiner.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOGETHER_MOST = 128, LANES_MOST = 16, ALONE_TRIES_MOST = 3 };

typedef struct job {
    struct job *next;
    const principal *who;
    const char *item;
    combiner_answer *answer;
    arena *memory;
    bool answered;
    sem_t done;
} job;

struct combiner {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    job *first, *last;
    size_t queued;
    const statement *what;
    pool *lanes; /* one connection a thread */
    pthread_t threads[LANES_MOST];
    size_t lane_count;
    unsigned long long items, commits, alone;
    bool stopping;
};

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
 * that reads the table whole is right while it is empty and stays when it is not. */
static const char *const lane_options =
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off";

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

/* Reads the answers of one group. Returns false when the statement failed. */
static bool read_group(PGconn *link, job *const *jobs, size_t count) {
    PGresult *claims = db_next_result(link);
    bool known =
        claims != NULL && PQresultStatus(claims) == PGRES_TUPLES_OK && PQntuples(claims) == 1;
    PQclear(claims);
    PGresult *rows = db_next_result(link);
    bool good = known && rows != NULL && PQresultStatus(rows) == PGRES_TUPLES_OK;
    for (int row = 0; good && row < PQntuples(rows); row++) {
        size_t n = (size_t)strtoul(PQgetvalue(rows, row, COLUMN_N), NULL, 10);
        if (n < count) {
            jobs[n]->answered = combiner_answer_read(rows, row, jobs[n]->answer, jobs[n]->memory);
        }
    }
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
        one->answer->error = error;
    }
}

static size_t take_jobs(combiner *all, job **jobs) {
    pthread_mutex_lock(&all->lock);
    while (all->first == NULL && !all->stopping) {
        pthread_cond_wait(&all->arrived, &all->lock);
    }
    size_t count = 0;
    while (all->first != NULL && count < TOGETHER_MOST) {
        jobs[count++] = all->first;
        all->first = all->first->next;
    }
    if (all->first == NULL) {
        all->last = NULL;
    }
    all->queued -= count;
    all->items += count;
    all->commits++;
    pthread_mutex_unlock(&all->lock);
    return count;
}

static void run_jobs(combiner *all, job **jobs, size_t count) {
    bool committed = false;
    if (count > 1) {
        qsort(jobs, count, sizeof *jobs, compare_jobs);
        connection *taken = pool_take(all->lanes, pool_is_connected(all->lanes) ? 500 : 0);
        if (taken != NULL) {
            committed = run_together(taken->link, all->what, jobs, count);
            pool_give(taken);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!committed) {
            jobs[i]->answered = false;
        }
        if (!jobs[i]->answered) {
            run_alone(all, jobs[i]);
            __atomic_add_fetch(&all->alone, 1, __ATOMIC_RELAXED);
        }
        sem_post(&jobs[i]->done);
    }
}

static void *run_lane(void *argument) {
    combiner *all = argument;
    job *jobs[TOGETHER_MOST];
    for (size_t count = take_jobs(all, jobs); count > 0; count = take_jobs(all, jobs)) {
        run_jobs(all, jobs, count);
    }
    return NULL;
}

combiner *combiner_new(const char *conninfo, size_t lanes, const statement *what) {
    combiner *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->arrived, NULL);
    all->what = what;
    all->lanes = pool_new(conninfo, lanes, lane_options);
    while (all->lanes != NULL && all->lane_count < lanes && all->lane_count < LANES_MOST &&
           pthread_create(&all->threads[all->lane_count], NULL, run_lane, all) == 0) {
        all->lane_count++;
    }
    if (all->lane_count == 0) {
        combiner_free(all);
        return NULL;
    }
    return all;
}

void combiner_free(combiner *all) {
    if (all == NULL) {
        return;
    }
    pthread_mutex_lock(&all->lock);
    all->stopping = true;
    pthread_cond_broadcast(&all->arrived);
    pthread_mutex_unlock(&all->lock);
    for (size_t i = 0; i < all->lane_count; i++) {
        pthread_join(all->threads[i], NULL);
    }
    pool_free(all->lanes);
    pthread_cond_destroy(&all->arrived);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

bool combiner_submit(combiner *all, const principal *who, const char *item, combiner_answer *answer,
                     arena *memory) {
    job mine = {.who = who, .item = item, .answer = answer, .memory = memory};
    sem_init(&mine.done, 0, 0);
    pthread_mutex_lock(&all->lock);
    if (all->last == NULL) {
        all->first = &mine;
    } else {
        all->last->next = &mine;
    }
    all->last = &mine;
    all->queued++;
    pthread_cond_signal(&all->arrived);
    pthread_mutex_unlock(&all->lock);
    while (sem_wait(&mine.done) != 0) {
    }
    sem_destroy(&mine.done);
    return mine.answered && answer->error.code == NULL;
}

combiner_figures combiner_figures_read(combiner *all) {
    pthread_mutex_lock(&all->lock);
    combiner_figures figures = {.items = all->items,
                                .commits = all->commits,
                                .alone = __atomic_load_n(&all->alone, __ATOMIC_RELAXED),
                                .queued = all->queued};
    pthread_mutex_unlock(&all->lock);
    return figures;
}
