/* Finds how far the change feed is complete, and wakes requests that wait for more of it. */
#include "service/db/feed.h"

#include "service/clock.h"
#include "service/db/call.h"
#include "service/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 500, GAP_MS = 50, BARRIERS_MAX = 64 };

typedef struct barrier {
    int64_t number; /* final once every transaction below `transaction` has ended */
    int64_t transaction;
    int64_t since_ms;
} barrier;

struct feed {
    pthread_mutex_t lock; /* of the next six fields */
    int64_t safe, newest, behind_since_ms;
    uint64_t looks[FEED_CAUSES];
    int follower; /* eventfd that is written to when the feed advances; -1: none */
    feed_waiter *waiters;
    size_t waiting, waiting_max;
    bool closed;

    /* Used by the thread alone. */
    pthread_t thread;
    int bell; /* eventfd: committed_here is set, or there is a new waiter */
    pool *link_home;
    connection *taken;
    arena *memory;
    barrier barriers[BARRIERS_MAX];
    size_t barrier_count;
    int64_t looked_ms, checked_ms, told;
    bool heard;
    atomic_bool committed_here, stopping; /* set by other threads before they write to the bell */
};

static void ring_bell(int bell) {
    const uint64_t one = 1;
    ssize_t written = write(bell, &one, sizeof one);
    (void)written; /* full means that it is set already */
}

static void wake_thread(feed *feed) {
    ring_bell(feed->bell);
}

/* --- waiters --- */

feed_result feed_wait(feed *feed, feed_waiter *waiter, int64_t seen) {
    feed_result result = FEED_WAITS;
    pthread_mutex_lock(&feed->lock);
    if (feed->closed || feed->waiting >= feed->waiting_max) {
        result = FEED_FULL;
    } else if (feed->safe > seen) {
        result = FEED_MOVED;
    } else {
        waiter->next = feed->waiters;
        feed->waiters = waiter;
        feed->waiting++;
        waiter->suspend(waiter);
    }
    pthread_mutex_unlock(&feed->lock);
    if (result == FEED_WAITS) {
        wake_thread(feed); /* its deadline may be the next one */
    }
    return result;
}

static bool wants(const feed_waiter *one, const char *topic) {
    bool found = topic == NULL;
    for (const char *const *each = one->topics; !found && *each != NULL; each++) {
        found = strcmp(*each, topic) == 0;
    }
    return found;
}

/* Selects the waiters to wake: those of a topic (NULL: all), or those whose deadline has passed. */
typedef struct choice {
    const char *topic;
    int64_t now_ms; /* 0: by topic */
    bool looks;     /* also selects those whose connection is gone */
} choice;

static bool is_chosen(const feed_waiter *one, const choice *which) {
    if (which->now_ms == 0) {
        return wants(one, which->topic);
    }
    return one->until_ms <= which->now_ms || (which->looks && one->lost(one));
}

/* Removes the waiters and wakes them outside the lock: from then on they may be freed. */
static void wake_waiters(feed *feed, choice which) {
    feed_waiter *woken = NULL;
    pthread_mutex_lock(&feed->lock);
    feed_waiter **place = &feed->waiters;
    while (*place != NULL) {
        feed_waiter *one = *place;
        if (!is_chosen(one, &which)) {
            place = &one->next;
            continue;
        }
        *place = one->next;
        feed->waiting--;
        one->next = woken;
        woken = one;
    }
    pthread_mutex_unlock(&feed->lock);
    while (woken != NULL) {
        feed_waiter *next = woken->next;
        woken->wake(woken);
        woken = next;
    }
}

static int64_t next_deadline(feed *feed, int64_t latest) {
    pthread_mutex_lock(&feed->lock);
    for (const feed_waiter *one = feed->waiters; one != NULL; one = one->next) {
        latest = one->until_ms < latest ? one->until_ms : latest;
    }
    pthread_mutex_unlock(&feed->lock);
    return latest;
}

static int compare_topics(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the topics of all waiters, each once, as a PostgreSQL array; NULL when there is no
 * waiter. The caller holds the lock. */
static const char *collect_topics(const feed *feed, arena *memory) {
    size_t count = 0;
    size_t size = 3;
    for (const feed_waiter *one = feed->waiters; one != NULL; one = one->next) {
        for (const char *const *each = one->topics; *each != NULL; each++) {
            count++;
        }
    }
    if (count == 0) {
        return NULL;
    }
    const char **topics = arena_alloc(memory, count * sizeof *topics);
    count = 0;
    for (const feed_waiter *one = feed->waiters; one != NULL; one = one->next) {
        for (const char *const *each = one->topics; *each != NULL; each++) {
            topics[count++] = *each;
        }
    }
    qsort(topics, count, sizeof *topics, compare_topics);
    for (size_t i = 0; i < count; i++) {
        size += strlen(topics[i]) + 3;
    }
    char *text = arena_alloc(memory, size);
    char *end = text;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(topics[i], topics[i - 1]) != 0) {
            end += snprintf(end, size - (size_t)(end - text), "%c\"%s\"", i == 0 ? '{' : ',',
                            topics[i]);
        }
    }
    snprintf(end, size - (size_t)(end - text), "}");
    return text;
}

/* --- how far the feed is complete --- */

static PGresult *ask(feed *feed, const statement *statement, const char *const *parameters) {
    db_error error = {0};
    db_transaction step = {.taken = feed->taken, .memory = feed->memory};
    PGresult *result = db_step(&step, statement, parameters, &error);
    if (result == NULL) {
        pool_give(feed->taken);
        feed->taken = NULL;
    }
    return result;
}

static bool ask_number(feed *feed, const statement *statement, int64_t *number) {
    PGresult *result = ask(feed, statement, NULL);
    if (result == NULL) {
        return false;
    }
    *number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return true;
}

static bool command(feed *feed, const statement *statement) {
    PGresult *result = ask(feed, statement, NULL);
    PQclear(result);
    return result != NULL;
}

/* The sequence is below the number that consumers have received: the database was restored from a
 * backup, or a standby was promoted that had not replayed everything. Starts again from the
 * sequence. */
static void go_back(feed *feed, int64_t last) {
    log_write(LOG_ERROR,
              "the change feed is at %lld, below a position that it has sent: changes are lost",
              (long long)last);
    pthread_mutex_lock(&feed->lock);
    feed->safe = -1;
    pthread_mutex_unlock(&feed->lock);
    feed->barrier_count = 0;
}

/* The order matters: the barrier must be drawn after the sequence was read. */
static bool add_barrier(feed *feed, int64_t last) {
    int64_t known =
        feed->barrier_count > 0 ? feed->barriers[feed->barrier_count - 1].number : feed_safe(feed);
    if (last == known) {
        return true;
    }
    int64_t transaction;
    if (!ask_number(feed, statement_feed_barrier, &transaction)) {
        return false;
    }
    if (feed->barrier_count == BARRIERS_MAX) {
        feed->barrier_count--; /* `newest` may advance: it becomes final later */
    }
    feed->barriers[feed->barrier_count++] =
        (barrier){.number = last, .transaction = transaction, .since_ms = now_ms()};
    return true;
}

/* Removes the barriers that all transactions have passed. */
static bool pass_barriers(feed *feed, int64_t *safe) {
    int64_t oldest;
    size_t passed = 0;
    if (feed->barrier_count == 0) {
        return true;
    }
    if (!ask_number(feed, statement_feed_oldest, &oldest)) {
        return false;
    }
    while (passed < feed->barrier_count && feed->barriers[passed].transaction <= oldest) {
        *safe = feed->barriers[passed++].number;
    }
    feed->barrier_count -= passed;
    memmove(feed->barriers, feed->barriers + passed, feed->barrier_count * sizeof *feed->barriers);
    return true;
}

/* Wakes the waiters that the numbers above `before` concern. */
static void wake_concerned(feed *feed, const char *topics, int64_t before, int64_t safe) {
    const char *const parameters[] = {topics, arena_printf(feed->memory, "%lld", (long long)before),
                                      arena_printf(feed->memory, "%lld", (long long)safe)};
    PGresult *fresh = ask(feed, statement_feed_fresh, parameters);
    if (fresh == NULL) {
        wake_waiters(feed, (choice){0}); /* each waiter checks by itself */
        return;
    }
    for (int row = 0; row < PQntuples(fresh); row++) {
        wake_waiters(feed, (choice){.topic = PQgetvalue(fresh, row, 0)});
    }
    PQclear(fresh);
}

static void publish(feed *feed, int64_t last, int64_t safe) {
    const char *topics = NULL;
    pthread_mutex_lock(&feed->lock);
    int64_t before = feed->safe;
    bool moved = safe > before;
    feed->newest = last;
    feed->behind_since_ms = feed->barrier_count == 0 ? 0 : feed->barriers[0].since_ms;
    if (moved) {
        feed->safe = safe; /* later waiters must have read up to here */
        topics = collect_topics(feed, feed->memory);
        if (feed->follower >= 0) {
            ring_bell(feed->follower);
        }
    }
    pthread_mutex_unlock(&feed->lock);
    if (topics != NULL) {
        wake_concerned(feed, topics, before, safe);
    }
}

/* A check may have two causes; each is counted. */
static void count_look(feed *feed, bool committed, bool notified) {
    pthread_mutex_lock(&feed->lock);
    feed->looks[FEED_COMMIT] += committed;
    feed->looks[FEED_NOTIFICATION] += notified;
    feed->looks[FEED_INTERVAL] += !committed && !notified;
    pthread_mutex_unlock(&feed->lock);
}

static void advance(feed *feed) {
    int64_t last;
    feed->looked_ms = now_ms();
    bool mine = feed->committed_here;
    count_look(feed, mine, feed->heard);
    feed->committed_here = feed->heard = false;
    bool seen = ask_number(feed, statement_feed_last, &last);
    if (seen && last < feed_safe(feed)) {
        go_back(feed, last);
    }
    int64_t safe = feed_safe(feed);
    if (!seen || !add_barrier(feed, last) || !pass_barriers(feed, &safe)) {
        feed->committed_here = mine;
        return;
    }
    publish(feed, last, safe);
    if (mine && last != feed->told && feed->taken != NULL && command(feed, statement_feed_notify)) {
        feed->told = last;
    }
}

/* --- the thread --- */

static void connect_and_listen(feed *feed) {
    feed->taken = pool_take(feed->link_home, 0);
    if (feed->taken != NULL) {
        feed->barrier_count = 0; /* it may be another server, whose transactions differ */
        command(feed, statement_feed_listen);
    }
}

static void rest(feed *feed) {
    int64_t now = now_ms();
    bool waits_for_others = feed->barrier_count > 0;
    int64_t until = feed->looked_ms +
                    (feed->committed_here || feed->heard || waits_for_others ? GAP_MS : LOOK_MS);
    until = next_deadline(feed, feed->taken == NULL ? now + GAP_MS : until);
    struct pollfd places[] = {
        {.fd = feed->bell, .events = POLLIN},
        {.fd = feed->taken == NULL ? -1 : PQsocket(feed->taken->link), .events = POLLIN}};
    poll(places, 2, until > now ? (int)(until - now) : 0);
    uint64_t rung;
    ssize_t got = read(feed->bell, &rung, sizeof rung);
    (void)got;
}

static void hear(feed *feed) {
    if (feed->taken == NULL) {
        return;
    }
    if (PQconsumeInput(feed->taken->link) != 1) {
        pool_give(feed->taken); /* pool_give sees that it is broken */
        feed->taken = NULL;
        return;
    }
    for (PGnotify *told; (told = PQnotifies(feed->taken->link)) != NULL; PQfreemem(told)) {
        feed->heard = true;
    }
}

static void *run(void *argument) {
    feed *feed = argument;
    while (!feed->stopping) {
        arena_reset(feed->memory);
        hear(feed);
        if (feed->taken == NULL) {
            connect_and_listen(feed);
        }
        int64_t now = now_ms();
        bool looks = now - feed->checked_ms >= LOOK_MS;
        feed->checked_ms = looks ? now : feed->checked_ms;
        wake_waiters(feed, (choice){.now_ms = now, .looks = looks});
        int64_t since = now - feed->looked_ms;
        bool soon = feed->committed_here || feed->heard || feed->barrier_count > 0;
        if (feed->taken != NULL && (since >= LOOK_MS || (soon && since >= GAP_MS))) {
            advance(feed);
        }
        rest(feed);
    }
    return NULL;
}

feed *feed_new(const char *conninfo, size_t waiting_max) {
    feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL) {
        return NULL;
    }
    pthread_mutex_init(&feed->lock, NULL);
    feed->safe = feed->newest = feed->follower = -1;
    feed->waiting_max = waiting_max;
    feed->looked_ms = now_ms() - LOOK_MS;
    feed->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    feed->memory = arena_new();
    const statement *const needed[] = {statement_feed_barrier,
                                       statement_feed_oldest,
                                       statement_feed_fresh,
                                       statement_feed_last,
                                       statement_feed_notify,
                                       statement_feed_listen,
                                       NULL};
    feed->link_home = pool_new_for(conninfo, 1, "", needed);
    if (feed->bell >= 0 && feed->memory != NULL && feed->link_home != NULL &&
        pthread_create(&feed->thread, NULL, run, feed) == 0) {
        return feed;
    }
    pool_free(feed->link_home);
    arena_free(feed->memory);
    free(feed);
    return NULL;
}

void feed_close(feed *feed) {
    pthread_mutex_lock(&feed->lock);
    feed->closed = true;
    pthread_mutex_unlock(&feed->lock);
    wake_waiters(feed, (choice){0});
}

void feed_free(feed *feed) {
    if (feed == NULL) {
        return;
    }
    feed->stopping = true;
    wake_thread(feed);
    pthread_join(feed->thread, NULL);
    if (feed->taken != NULL) {
        pool_give(feed->taken);
    }
    pool_free(feed->link_home);
    close(feed->bell);
    arena_free(feed->memory);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

void feed_follow(feed *feed, int bell) {
    pthread_mutex_lock(&feed->lock);
    feed->follower = bell;
    pthread_mutex_unlock(&feed->lock);
}

int64_t feed_safe(feed *feed) {
    pthread_mutex_lock(&feed->lock);
    int64_t safe = feed->safe;
    pthread_mutex_unlock(&feed->lock);
    return safe;
}

void feed_report_commit(feed *feed) {
    feed->committed_here = true;
    wake_thread(feed);
}

feed_stats feed_stats_read(feed *feed) {
    pthread_mutex_lock(&feed->lock);
    int64_t since = feed->behind_since_ms;
    feed_stats stats = {.newest = feed->newest,
                        .safe = feed->safe,
                        .behind_ms = since == 0 ? 0 : now_ms() - since,
                        .waiting = feed->waiting};
    memcpy(stats.looks, feed->looks, sizeof stats.looks);
    pthread_mutex_unlock(&feed->lock);
    return stats;
}
