/* Equal reads at the same time share one query. */
#include "service/db/shared_read.h"

#include "service/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Results are few and small: a page with many events is read once, by a consumer that is behind. */
enum { KEPT_MAX = 32, KEPT_SIZE_MAX = 64 * 1024 };

struct shared_read {
    shared_read *next;
    char *key;
    int64_t version, began_us;
    bool running;
    size_t users;     /* the list is one */
    PGresult *result; /* NULL: the query is running, or failed */
};

struct shared_reads {
    pthread_mutex_t lock;
    pthread_cond_t ended; /* some query */
    shared_read *first;   /* the listed ones, the newest first */
    uint64_t queries, shared;
};

shared_reads *shared_reads_new(void) {
    shared_reads *reads = calloc(1, sizeof *reads);
    if (reads != NULL) {
        pthread_mutex_init(&reads->lock, NULL);
        pthread_cond_init(&reads->ended, NULL);
    }
    return reads;
}

static void free_read(shared_read *read) {
    PQclear(read->result);
    free(read->key);
    free(read);
}

void shared_reads_free(shared_reads *reads) {
    if (reads == NULL) {
        return;
    }
    while (reads->first != NULL) {
        shared_read *next = reads->first->next;
        free_read(reads->first);
        reads->first = next;
    }
    pthread_cond_destroy(&reads->ended);
    pthread_mutex_destroy(&reads->lock);
    free(reads);
}

/* The functions below are called with the lock. */

static shared_read *find(const shared_reads *reads, const char *key) {
    shared_read *read = reads->first;
    while (read != NULL && strcmp(read->key, key) != 0) {
        read = read->next;
    }
    return read;
}

static void stop_using(shared_read *read) {
    if (--read->users == 0) {
        free_read(read);
    }
}

static void unlist(shared_read **place) {
    shared_read *read = *place;
    *place = read->next;
    stop_using(read);
}

static void unlist_read(shared_reads *reads, const shared_read *read) {
    shared_read **place = &reads->first;
    while (*place != NULL && *place != read) {
        place = &(*place)->next;
    }
    if (*place != NULL) {
        unlist(place);
    }
}

/* Removes results of lower versions, the former one of the same key, and the oldest ones. */
static void make_room(shared_reads *reads, const shared_question *question) {
    size_t count = 0;
    for (shared_read **place = &reads->first; *place != NULL;) {
        const shared_read *read = *place;
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the list uses what is in it */
        if (read->version < question->version || strcmp(read->key, question->key) == 0 ||
            ++count >= KEPT_MAX) {
            unlist(place);
        } else {
            place = &(*place)->next;
        }
    }
}

/* Lists a read that is about to begin; NULL when memory is out. */
static shared_read *begin(shared_reads *reads, const shared_question *question) {
    shared_read *read = calloc(1, sizeof *read);
    char *key = strdup(question->key);
    if (read == NULL || key == NULL) {
        free(read);
        free(key);
        return NULL;
    }
    make_room(reads, question);
    *read = (shared_read){.next = reads->first,
                          .key = key,
                          .version = question->version,
                          .began_us = clock_us(CLOCK_MONOTONIC),
                          .running = true,
                          .users = 2};
    reads->first = read;
    return read;
}

/* Waits until the read has ended. Returns it, or NULL when it failed. */
static shared_read *join(shared_reads *reads, shared_read *read) {
    read->users++;
    while (read->running) {
        pthread_cond_wait(&reads->ended, &reads->lock);
    }
    if (read->result != NULL) {
        return read;
    }
    stop_using(read);
    return NULL;
}

/* Runs the query without the lock. */
static shared_read *lead(shared_reads *reads, const shared_question *question) {
    shared_read *read = begin(reads, question);
    if (read == NULL) {
        return NULL;
    }
    reads->queries++;
    pthread_mutex_unlock(&reads->lock);
    PGresult *result = question->run(question->context);
    pthread_mutex_lock(&reads->lock);
    read->result = result;
    read->running = false;
    if (result == NULL || PQresultMemorySize(result) > KEPT_SIZE_MAX) {
        unlist_read(reads, read);
    }
    pthread_cond_broadcast(&reads->ended);
    if (result != NULL) {
        return read;
    }
    stop_using(read);
    return NULL;
}

shared_read *shared_reads_take(shared_reads *reads, const shared_question *question) {
    pthread_mutex_lock(&reads->lock);
    shared_read *read = find(reads, question->key);
    while (read != NULL && read->running && read->began_us < question->asked_us) {
        shared_read *ended = join(reads, read);
        if (ended != NULL) {
            stop_using(ended);
        }
        read = find(reads, question->key);
    }
    shared_read *answer = NULL;
    if (read != NULL && read->began_us >= question->asked_us) {
        answer = join(reads, read);
        reads->shared += answer != NULL;
    }
    if (answer == NULL) {
        answer = lead(reads, question);
    }
    pthread_mutex_unlock(&reads->lock);
    return answer;
}

const PGresult *shared_read_result(const shared_read *read) {
    return read->result;
}

void shared_reads_give(shared_reads *reads, shared_read *read) {
    pthread_mutex_lock(&reads->lock);
    stop_using(read);
    pthread_mutex_unlock(&reads->lock);
}

shared_reads_stats shared_reads_stats_read(shared_reads *reads) {
    pthread_mutex_lock(&reads->lock);
    shared_reads_stats stats = {.queries = reads->queries, .shared = reads->shared};
    pthread_mutex_unlock(&reads->lock);
    return stats;
}
