/* Requests that take long run on threads of their own. */
#include "service/http/slow_work.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A job should not wait until its client gives up: those that come later are refused at once. */
enum { WAITING_PER_THREAD = 16, CLIENT_PART = 2 };

struct slow_work {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job came, or the pool stops */
    slow_job *first, **last;
    const char **clients; /* of the running jobs; NULL where a thread has none */
    pthread_t *threads;
    size_t thread_max, thread_count;
    size_t seats; /* in `clients`, one for each thread that runs */
    size_t running, waiting;
    unsigned long long refused;
    bool stopping;
};

/* The functions below are called with the lock. */

static size_t count_running(const slow_work *work, const char *client) {
    size_t count = 0;
    for (size_t i = 0; i < work->thread_max; i++) {
        count += work->clients[i] != NULL && strcmp(work->clients[i], client) == 0;
    }
    return count;
}

static size_t count_waiting(const slow_work *work, const char *client) {
    size_t count = 0;
    for (const slow_job *job = work->first; job != NULL; job = job->next) {
        count += strcmp(job->client, client) == 0;
    }
    return count;
}

static bool is_full(const slow_work *work, const char *client) {
    size_t max = WAITING_PER_THREAD * work->thread_max;
    return work->waiting >= max || count_waiting(work, client) >= max / CLIENT_PART;
}

/* Returns the place of the oldest job of the client that has the fewest running. */
static slow_job **find_next(slow_work *work) {
    slow_job **best = &work->first;
    size_t fewest = count_running(work, (*best)->client);
    for (slow_job **place = &(*best)->next; *place != NULL && fewest > 0; place = &(*place)->next) {
        size_t running = count_running(work, (*place)->client);
        if (running < fewest) {
            best = place;
            fewest = running;
        }
    }
    return best;
}

static slow_job *take_next(slow_work *work) {
    slow_job **place = find_next(work);
    slow_job *job = *place;
    *place = job->next;
    if (*place == NULL) {
        work->last = place;
    }
    work->waiting--;
    return job;
}

/* --- the threads --- */

static void *run_jobs(void *argument) {
    slow_work *work = argument;
    pthread_mutex_lock(&work->lock);
    size_t own = work->seats++;
    while (work->first != NULL || !work->stopping) {
        if (work->first == NULL) {
            pthread_cond_wait(&work->changed, &work->lock);
            continue;
        }
        slow_job *job = take_next(work);
        work->clients[own] = job->client;
        work->running++;
        pthread_mutex_unlock(&work->lock);
        job->run(job);
        pthread_mutex_lock(&work->lock);
        work->clients[own] = NULL;
        work->running--;
        pthread_mutex_unlock(&work->lock);
        job->resume(job); /* the client's name may be gone now */
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

static bool start_threads(slow_work *work) {
    while (work->thread_count < work->thread_max &&
           pthread_create(&work->threads[work->thread_count], NULL, run_jobs, work) == 0) {
        work->thread_count++;
    }
    return work->thread_count == work->thread_max;
}

slow_work *slow_work_new(size_t threads) {
    slow_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return NULL;
    }
    pthread_mutex_init(&work->lock, NULL);
    pthread_cond_init(&work->changed, NULL);
    work->last = &work->first;
    work->thread_max = threads;
    work->threads = calloc(threads, sizeof *work->threads);
    work->clients = calloc(threads, sizeof *work->clients);
    if (work->threads == NULL || work->clients == NULL || !start_threads(work)) {
        slow_work_free(work);
        return NULL;
    }
    return work;
}

bool slow_work_add(slow_work *work, slow_job *job) {
    pthread_mutex_lock(&work->lock);
    bool taken = !work->stopping && !is_full(work, job->client);
    if (taken) {
        job->suspend(job);
        job->next = NULL;
        *work->last = job;
        work->last = &job->next;
        work->waiting++;
        pthread_cond_signal(&work->changed);
    } else {
        work->refused++;
    }
    pthread_mutex_unlock(&work->lock);
    return taken;
}

void slow_work_stop(slow_work *work) {
    pthread_mutex_lock(&work->lock);
    work->stopping = true;
    pthread_cond_broadcast(&work->changed);
    pthread_mutex_unlock(&work->lock);
    while (work->thread_count > 0) {
        pthread_join(work->threads[--work->thread_count], NULL);
    }
}

slow_work_stats slow_work_stats_read(slow_work *work) {
    pthread_mutex_lock(&work->lock);
    slow_work_stats stats = {
        .running = work->running, .waiting = work->waiting, .refused = work->refused};
    pthread_mutex_unlock(&work->lock);
    return stats;
}

void slow_work_free(slow_work *work) {
    if (work == NULL) {
        return;
    }
    slow_work_stop(work);
    free(work->threads);
    free(work->clients);
    pthread_cond_destroy(&work->changed);
    pthread_mutex_destroy(&work->lock);
    free(work);
}
