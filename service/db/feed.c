/* How far the change feed is complete, and who waits for more of it. */
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
    pthread_mutex_t lock; /* of the next six */
    int64_t safe, newest, behind_since_ms;
    uint64_t looks[FEED_CAUSES];
    int follower; /* eventfd of somebody who wants to know of every move; -1: nobody */
    feed_waiter *waiters;
    size_t waiting, waiting_max;
    bool closed;

    /* The thread's own. */
    pthread_t thread;
    int bell; /* eventfd: poked, or somebody new waits */
    pool *link_home;
    connection *taken;
    arena *memory;
    barrier barriers[BARRIERS_MAX];
    size_t barrier_count;
    int64_t looked_ms, checked_ms, told;
    bool heard;
    atomic_bool poked, stopping; /* set by others before they ring the bell */
};

static void ring_bell(int bell) {
    const uint64_t one = 1;
    ssize_t written = write(bell, &one, sizeof one);
    (void)written; /* full means that it rings already */
}

static void ring(feed *all) {
    ring_bell(all->bell);
}

/* --- who waits --- */

feed_result feed_wait(feed *all, feed_waiter *waiter, int64_t seen) {
    feed_result result = FEED_WAITS;
    pthread_mutex_lock(&all->lock);
    if (all->closed || all->waiting >= all->waiting_max) {
        result = FEED_FULL;
    } else if (all->safe > seen) {
        result = FEED_MOVED;
    } else {
        waiter->next = all->waiters;
        all->waiters = waiter;
        all->waiting++;
        waiter->suspend(waiter);
    }
    pthread_mutex_unlock(&all->lock);
    if (result == FEED_WAITS) {
        ring(all); /* its time may be the next to be over */
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

/* Whom to wake: those who wait for a topic (NULL: everybody), or those whose time is over. */
typedef struct choice {
    const char *topic;
    int64_t now_ms; /* 0: by topic */
    bool looks;     /* for those whose connection is gone, too */
} choice;

static bool is_chosen(const feed_waiter *one, const choice *which) {
    if (which->now_ms == 0) {
        return wants(one, which->topic);
    }
    return one->until_ms <= which->now_ms || (which->looks && one->lost(one));
}

/* Takes them out and wakes them outside the lock: from then on they may be gone. */
static void wake(feed *all, choice which) {
    feed_waiter *woken = NULL;
    pthread_mutex_lock(&all->lock);
    feed_waiter **place = &all->waiters;
    while (*place != NULL) {
        feed_waiter *one = *place;
        if (!is_chosen(one, &which)) {
            place = &one->next;
            continue;
        }
        *place = one->next;
        all->waiting--;
        one->next = woken;
        woken = one;
    }
    pthread_mutex_unlock(&all->lock);
    while (woken != NULL) {
        feed_waiter *next = woken->next;
        woken->wake(woken);
        woken = next;
    }
}

static int64_t next_deadline(feed *all, int64_t latest) {
    pthread_mutex_lock(&all->lock);
    for (const feed_waiter *one = all->waiters; one != NULL; one = one->next) {
        latest = one->until_ms < latest ? one->until_ms : latest;
    }
    pthread_mutex_unlock(&all->lock);
    return latest;
}

static int compare_topics(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The topics waited for, each once, as a PostgreSQL array; NULL when nobody waits. Under the lock.
 */
static const char *collect_topics(const feed *all, arena *memory) {
    size_t count = 0;
    size_t size = 3;
    for (const feed_waiter *one = all->waiters; one != NULL; one = one->next) {
        for (const char *const *each = one->topics; *each != NULL; each++) {
            count++;
        }
    }
    if (count == 0) {
        return NULL;
    }
    const char **topics = arena_alloc(memory, count * sizeof *topics);
    count = 0;
    for (const feed_waiter *one = all->waiters; one != NULL; one = one->next) {
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

/* --- how far it is complete --- */

static PGresult *ask(feed *all, const statement *what, const char *const *parameters) {
    db_error error = {0};
    db_transaction step = {.taken = all->taken, .memory = all->memory};
    PGresult *result = db_step(&step, what, parameters, &error);
    if (result == NULL) {
        pool_give(all->taken);
        all->taken = NULL;
    }
    return result;
}

static bool ask_number(feed *all, const statement *what, int64_t *number) {
    PGresult *result = ask(all, what, NULL);
    if (result == NULL) {
        return false;
    }
    *number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return true;
}

static bool command(feed *all, const statement *what) {
    PGresult *result = ask(all, what, NULL);
    PQclear(result);
    return result != NULL;
}

/* The sequence stands below what consumers were told: the database was restored from a backup, or a
 * standby was promoted that did not have all. Begins anew where it is. */
static void go_back(feed *all, int64_t last) {
    log_write(LOG_ERROR,
              "the change feed is at %lld, below a position that it has sent: changes are lost",
              (long long)last);
    pthread_mutex_lock(&all->lock);
    all->safe = -1;
    pthread_mutex_unlock(&all->lock);
    all->barrier_count = 0;
}

/* The order matters: the barrier has to be younger than what the sequence said. */
static bool add_barrier(feed *all, int64_t last) {
    int64_t known =
        all->barrier_count > 0 ? all->barriers[all->barrier_count - 1].number : feed_safe(all);
    if (last == known) {
        return true;
    }
    int64_t transaction;
    if (!ask_number(all, statement_feed_barrier, &transaction)) {
        return false;
    }
    if (all->barrier_count == BARRIERS_MAX) {
        all->barrier_count--; /* the newest may move on: it is only final later */
    }
    all->barriers[all->barrier_count++] =
        (barrier){.number = last, .transaction = transaction, .since_ms = now_ms()};
    return true;
}

/* Takes out the barriers that all transactions have passed. */
static bool pass_barriers(feed *all, int64_t *safe) {
    int64_t oldest;
    size_t passed = 0;
    if (all->barrier_count == 0) {
        return true;
    }
    if (!ask_number(all, statement_feed_oldest, &oldest)) {
        return false;
    }
    while (passed < all->barrier_count && all->barriers[passed].transaction <= oldest) {
        *safe = all->barriers[passed++].number;
    }
    all->barrier_count -= passed;
    memmove(all->barriers, all->barriers + passed, all->barrier_count * sizeof *all->barriers);
    return true;
}

/* Wakes those whom the numbers above `before` concern. */
static void wake_concerned(feed *all, const char *topics, int64_t before, int64_t safe) {
    const char *const parameters[] = {topics, arena_printf(all->memory, "%lld", (long long)before),
                                      arena_printf(all->memory, "%lld", (long long)safe)};
    PGresult *fresh = ask(all, statement_feed_fresh, parameters);
    if (fresh == NULL) {
        wake(all, (choice){0}); /* they look for themselves */
        return;
    }
    for (int row = 0; row < PQntuples(fresh); row++) {
        wake(all, (choice){.topic = PQgetvalue(fresh, row, 0)});
    }
    PQclear(fresh);
}

static void publish(feed *all, int64_t last, int64_t safe) {
    const char *topics = NULL;
    pthread_mutex_lock(&all->lock);
    int64_t before = all->safe;
    bool moved = safe > before;
    all->newest = last;
    all->behind_since_ms = all->barrier_count == 0 ? 0 : all->barriers[0].since_ms;
    if (moved) {
        all->safe = safe; /* who comes from now on has to have read up to here */
        topics = collect_topics(all, all->memory);
        if (all->follower >= 0) {
            ring_bell(all->follower);
        }
    }
    pthread_mutex_unlock(&all->lock);
    if (topics != NULL) {
        wake_concerned(all, topics, before, safe);
    }
}

/* A look may have two causes; each is counted. */
static void count_look(feed *all, bool committed, bool notified) {
    pthread_mutex_lock(&all->lock);
    all->looks[FEED_COMMIT] += committed;
    all->looks[FEED_NOTIFICATION] += notified;
    all->looks[FEED_INTERVAL] += !committed && !notified;
    pthread_mutex_unlock(&all->lock);
}

static void look(feed *all) {
    int64_t last;
    all->looked_ms = now_ms();
    bool mine = all->poked;
    count_look(all, mine, all->heard);
    all->poked = all->heard = false;
    bool seen = ask_number(all, statement_feed_last, &last);
    if (seen && last < feed_safe(all)) {
        go_back(all, last);
    }
    int64_t safe = feed_safe(all);
    if (!seen || !add_barrier(all, last) || !pass_barriers(all, &safe)) {
        all->poked = mine;
        return;
    }
    publish(all, last, safe);
    if (mine && last != all->told && all->taken != NULL && command(all, statement_feed_notify)) {
        all->told = last;
    }
}

/* --- the thread --- */

static void connect_and_listen(feed *all) {
    all->taken = pool_take(all->link_home, 0);
    if (all->taken != NULL) {
        all->barrier_count = 0; /* it may be another server: their transactions are not its */
        command(all, statement_feed_listen);
    }
}

static void rest(feed *all) {
    int64_t now = now_ms();
    bool waits_for_others = all->barrier_count > 0;
    int64_t until =
        all->looked_ms + (all->poked || all->heard || waits_for_others ? GAP_MS : LOOK_MS);
    until = next_deadline(all, all->taken == NULL ? now + GAP_MS : until);
    struct pollfd places[] = {
        {.fd = all->bell, .events = POLLIN},
        {.fd = all->taken == NULL ? -1 : PQsocket(all->taken->link), .events = POLLIN}};
    poll(places, 2, until > now ? (int)(until - now) : 0);
    uint64_t rung;
    ssize_t got = read(all->bell, &rung, sizeof rung);
    (void)got;
}

static void hear(feed *all) {
    if (all->taken == NULL) {
        return;
    }
    if (PQconsumeInput(all->taken->link) != 1) {
        pool_give(all->taken); /* which sees that it is broken */
        all->taken = NULL;
        return;
    }
    for (PGnotify *told; (told = PQnotifies(all->taken->link)) != NULL; PQfreemem(told)) {
        all->heard = true;
    }
}

static void *run(void *argument) {
    feed *all = argument;
    while (!all->stopping) {
        arena_reset(all->memory);
        hear(all);
        if (all->taken == NULL) {
            connect_and_listen(all);
        }
        int64_t now = now_ms();
        bool looks = now - all->checked_ms >= LOOK_MS;
        all->checked_ms = looks ? now : all->checked_ms;
        wake(all, (choice){.now_ms = now, .looks = looks});
        int64_t since = now - all->looked_ms;
        bool soon = all->poked || all->heard || all->barrier_count > 0;
        if (all->taken != NULL && (since >= LOOK_MS || (soon && since >= GAP_MS))) {
            look(all);
        }
        rest(all);
    }
    return NULL;
}

feed *feed_new(const char *conninfo, size_t waiting_max) {
    feed *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    pthread_mutex_init(&all->lock, NULL);
    all->safe = all->newest = all->follower = -1;
    all->waiting_max = waiting_max;
    all->looked_ms = now_ms() - LOOK_MS;
    all->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    all->memory = arena_new();
    all->link_home = pool_new(conninfo, 1, "");
    if (all->bell >= 0 && all->memory != NULL && all->link_home != NULL &&
        pthread_create(&all->thread, NULL, run, all) == 0) {
        return all;
    }
    pool_free(all->link_home);
    arena_free(all->memory);
    free(all);
    return NULL;
}

void feed_close(feed *all) {
    pthread_mutex_lock(&all->lock);
    all->closed = true;
    pthread_mutex_unlock(&all->lock);
    wake(all, (choice){0});
}

void feed_free(feed *all) {
    if (all == NULL) {
        return;
    }
    all->stopping = true;
    ring(all);
    pthread_join(all->thread, NULL);
    if (all->taken != NULL) {
        pool_give(all->taken);
    }
    pool_free(all->link_home);
    close(all->bell);
    arena_free(all->memory);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void feed_follow(feed *all, int bell) {
    pthread_mutex_lock(&all->lock);
    all->follower = bell;
    pthread_mutex_unlock(&all->lock);
}

int64_t feed_safe(feed *all) {
    pthread_mutex_lock(&all->lock);
    int64_t safe = all->safe;
    pthread_mutex_unlock(&all->lock);
    return safe;
}

void feed_poke(feed *all) {
    all->poked = true;
    ring(all);
}

feed_stats feed_stats_read(feed *all) {
    pthread_mutex_lock(&all->lock);
    int64_t since = all->behind_since_ms;
    feed_stats stats = {.newest = all->newest,
                        .safe = all->safe,
                        .behind_ms = since == 0 ? 0 : now_ms() - since,
                        .waiting = all->waiting};
    memcpy(stats.looks, all->looks, sizeof stats.looks);
    pthread_mutex_unlock(&all->lock);
    return stats;
}
