/* Looks twice a second whether anything changed that statistics are made of, and who is shut out.
 */
#include "service/db/change_watch.h"

#include "service/db/call.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_EVERY_MS = 500, LOOK_AGAIN_MS = 20, FRESH_MS = 1000 };

struct change_watch {
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    pthread_t thread;
    pool *connection;
    char mark[CHANGE_MARK_SIZE];
    int64_t looked_ms; /* when the last good look began; 0: never */
    bool more;         /* changes wait to be counted */
    char *excluded;    /* organisations, a space on either side of each */
    bool stopping;
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* One look. Whatever was committed before it began is in it. */
static void look(change_watch *watching, arena *memory) {
    int64_t began = now_ms();
    db_call call = {.what = statement_look_at_statistics, .safe_to_repeat = true};
    db_error error = {0};
    PGresult *seen = db_call_run(watching->connection, NULL, &call, &error, memory);
    const char *mark = seen == NULL ? NULL : db_text(seen, "mark", memory);
    const char *more = seen == NULL ? NULL : db_text(seen, "more", memory);
    const char *organisations = seen == NULL ? NULL : db_text(seen, "excluded", memory);
    char *excluded = organisations == NULL ? NULL : strdup(organisations);
    pthread_mutex_lock(&watching->lock);
    if (mark != NULL && more != NULL && excluded != NULL) {
        free(watching->excluded);
        watching->excluded = excluded;
        excluded = NULL;
        snprintf(watching->mark, sizeof watching->mark, "%s", mark);
        watching->looked_ms = began;
        watching->more = *more == 't';
    }
    pthread_mutex_unlock(&watching->lock);
    free(excluded);
    PQclear(seen);
}

static void wait_for_next(change_watch *watching) {
    long wait_ms = watching->more ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += wait_ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!watching->stopping &&
           pthread_cond_timedwait(&watching->stopped, &watching->lock, &until) != ETIMEDOUT) {
    }
}

static void *keep_looking(void *argument) {
    change_watch *watching = argument;
    arena *memory = arena_new();
    pthread_mutex_lock(&watching->lock);
    while (memory != NULL && !watching->stopping) {
        pthread_mutex_unlock(&watching->lock);
        pool_probe(watching->connection);
        look(watching, memory);
        arena_reset(memory);
        pthread_mutex_lock(&watching->lock);
        wait_for_next(watching);
    }
    pthread_mutex_unlock(&watching->lock);
    arena_free(memory);
    return NULL;
}

change_watch *change_watch_new(const char *conninfo) {
    change_watch *watching = calloc(1, sizeof *watching);
    if (watching == NULL) {
        return NULL;
    }
    watching->connection = pool_new(conninfo, 1, "-c statement_timeout=8s");
    pthread_mutex_init(&watching->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watching->stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    if (watching->connection == NULL ||
        pthread_create(&watching->thread, NULL, keep_looking, watching) != 0) {
        pool_free(watching->connection);
        free(watching);
        return NULL;
    }
    return watching;
}

void change_watch_free(change_watch *watching) {
    if (watching == NULL) {
        return;
    }
    pthread_mutex_lock(&watching->lock);
    watching->stopping = true;
    pthread_cond_broadcast(&watching->stopped);
    pthread_mutex_unlock(&watching->lock);
    pthread_join(watching->thread, NULL);
    pool_free(watching->connection);
    pthread_cond_destroy(&watching->stopped);
    pthread_mutex_destroy(&watching->lock);
    free(watching->excluded);
    free(watching);
}

bool change_watch_excludes(change_watch *watching, const char *organisation) {
    char word[ORGANISATION_MOST + 3];
    snprintf(word, sizeof word, " %s ", organisation);
    pthread_mutex_lock(&watching->lock);
    bool found = watching->excluded != NULL && strstr(watching->excluded, word) != NULL;
    pthread_mutex_unlock(&watching->lock);
    return found;
}

bool change_watch_mark(change_watch *watching, char mark[CHANGE_MARK_SIZE]) {
    pthread_mutex_lock(&watching->lock);
    bool known =
        watching->looked_ms != 0 && !watching->more && now_ms() - watching->looked_ms <= FRESH_MS;
    memcpy(mark, watching->mark, CHANGE_MARK_SIZE);
    pthread_mutex_unlock(&watching->lock);
    return known;
}
