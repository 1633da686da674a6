/* Tests of equal reads that share one query. */
#include "service/db/shared_read.h"

#include "service/clock.h"

#include <criterion/criterion.h>
#include <pthread.h>

/* A query that counts its runs, and waits in the first one for a word of the test. */
typedef struct asked {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int runs;
    bool held, fails;
} asked;

static asked question_state = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .changed = PTHREAD_COND_INITIALIZER};

static PGresult *query(void *context) {
    asked *state = context;
    pthread_mutex_lock(&state->lock);
    state->runs++;
    pthread_cond_broadcast(&state->changed);
    while (state->held) {
        pthread_cond_wait(&state->changed, &state->lock);
    }
    bool fails = state->fails;
    pthread_mutex_unlock(&state->lock);
    return fails ? NULL : PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
}

static void hold(bool held) {
    pthread_mutex_lock(&question_state.lock);
    question_state.held = held;
    pthread_cond_broadcast(&question_state.changed);
    pthread_mutex_unlock(&question_state.lock);
}

static void await_runs(int runs) {
    pthread_mutex_lock(&question_state.lock);
    while (question_state.runs < runs) {
        pthread_cond_wait(&question_state.changed, &question_state.lock);
    }
    pthread_mutex_unlock(&question_state.lock);
}

static shared_question question(const char *key, int64_t version, int64_t asked_us) {
    return (shared_question){.key = key,
                             .version = version,
                             .asked_us = asked_us,
                             .run = query,
                             .context = &question_state};
}

/* Asks, and returns whether there was a result. */
static bool ask(shared_reads *reads, shared_question asked) {
    shared_read *read = shared_reads_take(reads, &asked);
    if (read == NULL) {
        return false;
    }
    cr_assert_not_null(shared_read_result(read));
    shared_reads_give(reads, read);
    return true;
}

Test(shared_read, a_request_that_came_before_the_query_began_uses_its_result) {
    shared_reads *reads = shared_reads_new();
    int64_t before = clock_us(CLOCK_MONOTONIC);
    cr_expect(ask(reads, question("a", 1, before)));
    cr_expect(ask(reads, question("a", 1, before)));
    cr_expect_eq(question_state.runs, 1);
    shared_reads_stats stats = shared_reads_stats_read(reads);
    cr_expect(stats.queries == 1 && stats.shared == 1);
    shared_reads_free(reads);
}

Test(shared_read, a_later_request_another_key_and_another_version_have_queries_of_their_own) {
    shared_reads *reads = shared_reads_new();
    int64_t before = clock_us(CLOCK_MONOTONIC);
    cr_expect(ask(reads, question("a", 1, before)));
    cr_expect(ask(reads, question("a", 1, clock_us(CLOCK_MONOTONIC) + 1)));
    cr_expect(ask(reads, question("b", 1, before)));
    cr_expect(ask(reads, question("c", 2, before)));
    cr_expect(ask(reads, question("b", 2, before))); /* was forgotten with its version */
    cr_expect_eq(question_state.runs, 5);
    shared_reads_free(reads);
}

Test(shared_read, a_failed_query_is_not_shared) {
    shared_reads *reads = shared_reads_new();
    int64_t before = clock_us(CLOCK_MONOTONIC);
    question_state.fails = true;
    cr_expect_not(ask(reads, question("a", 1, before)));
    question_state.fails = false;
    cr_expect(ask(reads, question("a", 1, before)));
    cr_expect_eq(question_state.runs, 2);
    shared_reads_free(reads);
}

enum { TOGETHER = 8 };

typedef struct asker {
    pthread_t thread;
    shared_reads *reads;
    shared_question question;
    bool answered;
} asker;

static void *run_asker(void *context) {
    asker *one = context;
    one->answered = ask(one->reads, one->question);
    return NULL;
}

/* Starts the first asker's query, then the others, which arrived at `others_us`, and lets the query
 * end. Returns how many had a result. */
static int ask_together(shared_reads *reads, int64_t others_us, bool fails) {
    asker askers[TOGETHER];
    int answered = 0;
    question_state.fails = fails;
    hold(true);
    for (size_t i = 0; i < TOGETHER; i++) {
        askers[i] = (asker){.reads = reads, .question = question("a", 1, i == 0 ? 0 : others_us)};
        pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]);
        await_runs(1);
    }
    hold(false);
    for (size_t i = 0; i < TOGETHER; i++) {
        pthread_join(askers[i].thread, NULL);
        answered += askers[i].answered;
    }
    return answered;
}

Test(shared_read, requests_of_one_moment_share_the_running_query) {
    shared_reads *reads = shared_reads_new();
    cr_expect_eq(ask_together(reads, 0, false), TOGETHER);
    cr_expect_eq(question_state.runs, 1);
    shared_reads_free(reads);
}

Test(shared_read, requests_that_come_while_an_older_query_runs_never_use_its_result) {
    shared_reads *reads = shared_reads_new();
    cr_expect_eq(ask_together(reads, INT64_MAX, false), TOGETHER);
    cr_expect_eq(question_state.runs, TOGETHER);
    shared_reads_free(reads);
}

Test(shared_read, each_request_behind_a_failed_query_asks_by_itself) {
    shared_reads *reads = shared_reads_new();
    cr_expect_eq(ask_together(reads, 0, true), 0);
    cr_expect_eq(question_state.runs, TOGETHER);
    shared_reads_free(reads);
}
