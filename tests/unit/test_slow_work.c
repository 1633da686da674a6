/* Tests of requests that run on threads of their own. */
#include "service/http/slow_work.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { JOBS_MAX = 40, CLIENT_WAITING_MAX = 8, WAITING_MAX = 16 };

/* Jobs note the order in which they run, and wait for the gate. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    char open_for; /* a client */
    char order[JOBS_MAX + 1];
    size_t ran, suspended, resumed;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void count(size_t *counter) {
    pthread_mutex_lock(&seen.lock);
    ++*counter;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void suspend(slow_job *job) {
    (void)job;
    count(&seen.suspended);
}

static void run(slow_job *job) {
    pthread_mutex_lock(&seen.lock);
    seen.order[seen.ran++] = *job->client;
    pthread_cond_broadcast(&seen.changed);
    while (!seen.open && seen.open_for != *job->client) {
        pthread_cond_wait(&seen.changed, &seen.lock);
    }
    pthread_mutex_unlock(&seen.lock);
}

static void resume(slow_job *job) {
    (void)job;
    count(&seen.resumed);
}

static void await_running(size_t jobs) {
    pthread_mutex_lock(&seen.lock);
    while (seen.ran < jobs) {
        pthread_cond_wait(&seen.changed, &seen.lock);
    }
    pthread_mutex_unlock(&seen.lock);
}

static void open_gate_for(char client) {
    pthread_mutex_lock(&seen.lock);
    seen.open_for = client;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

static void open_gate(void) {
    pthread_mutex_lock(&seen.lock);
    seen.open = true;
    pthread_cond_broadcast(&seen.changed);
    pthread_mutex_unlock(&seen.lock);
}

/* Adds a job for each letter, which is the name of its client. Returns how many were taken. */
static size_t add(slow_work *work, const char *clients) {
    static slow_job jobs[JOBS_MAX];
    static char names[JOBS_MAX][2];
    static size_t used;
    size_t taken = 0;
    for (; *clients != '\0'; clients++, used++) {
        *names[used] = *clients;
        jobs[used] =
            (slow_job){.client = names[used], .suspend = suspend, .run = run, .resume = resume};
        taken += slow_work_add(work, &jobs[used]);
    }
    return taken;
}

Test(slow_work, runs_each_job_once_and_resumes_it) {
    slow_work *work = slow_work_new(2);
    open_gate();
    cr_assert_eq(add(work, "abc"), 3);
    slow_work_stop(work);
    cr_assert_eq(seen.suspended, 3);
    cr_assert_eq(seen.ran, 3);
    cr_assert_eq(seen.resumed, 3);
    slow_work_free(work);
}

Test(slow_work, prefers_the_client_with_the_fewest_running) {
    slow_work *work = slow_work_new(2);
    cr_assert_eq(add(work, "ab"), 2);
    await_running(2);
    cr_assert_eq(add(work, "aac"), 3);
    open_gate_for('b');
    await_running(3);
    cr_assert_eq(seen.order[2], 'c');
    open_gate();
    slow_work_free(work);
    cr_assert_eq(seen.ran, 5);
}

Test(slow_work, bounds_the_jobs_that_wait) {
    slow_work *work = slow_work_new(1);
    cr_assert_eq(add(work, "a"), 1);
    await_running(1);
    cr_assert_eq(add(work, "aaaaaaaaaa"), CLIENT_WAITING_MAX);
    cr_assert_eq(add(work, "bbbbbbb"), WAITING_MAX - CLIENT_WAITING_MAX - 1);
    cr_assert_eq(add(work, "cd"), 1);
    slow_work_stats stats = slow_work_stats_read(work);
    cr_assert_eq(stats.running, 1);
    cr_assert_eq(stats.waiting, WAITING_MAX);
    cr_assert_eq(stats.refused, 3);
    open_gate();
    slow_work_free(work);
    cr_assert_eq(seen.suspended, 1 + WAITING_MAX);
    cr_assert_eq(seen.resumed, 1 + WAITING_MAX);
}

Test(slow_work, takes_nothing_after_its_end) {
    slow_work *work = slow_work_new(1);
    open_gate();
    slow_work_stop(work);
    cr_assert_eq(add(work, "a"), 0);
    cr_assert_eq(seen.suspended, 0);
    slow_work_free(work);
}
