/* Finds how far the change feed is complete, and wakes requests that wait for more of it.
 *
 * Changes have numbers from one sequence, drawn inside their transactions. A number may be read
 * once no running transaction could still commit a lower one. A separate thread finds the highest
 * such number: it reads the sequence, then draws a transaction number (the barrier). Once every
 * transaction below the barrier has ended, everything up to the number that it read is final. No
 * reader needs a lock, and writers need not know about it.
 *
 * Instances notify one another with NOTIFY. They send it apart from the writing transactions, whose
 * commits it would serialise, and at most once in 50 ms. Each instance also checks by itself every
 * half second. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct feed feed;

/* A waiter: waits until one of its topics has a final number above the one it has read. */
typedef struct feed_waiter {
    struct feed_waiter *next;
    const char *const *topics;                    /* ends with NULL */
    int64_t until_ms;                             /* of the steady clock: now_ms */
    void (*suspend)(struct feed_waiter *self);    /* called once, when wake is certain to follow */
    bool (*lost)(const struct feed_waiter *self); /* the client is gone: wake the waiter now */
    void (*wake)(struct feed_waiter *self); /* called once, from another thread, as the last call */
} feed_waiter;

/* Starts the thread with a connection of its own. At most `waiting_max` waiters are allowed.
 * Returns NULL when memory or threads are out. */
feed *feed_new(const char *conninfo, size_t waiting_max);
/* Wakes all waiters and accepts no more. */
void feed_close(feed *feed);
void feed_free(feed *feed);

/* Returns the number up to which the feed is complete; -1 until the database was asked. */
int64_t feed_safe(feed *feed);

/* A transaction was committed here: check now, and notify the other instances. */
void feed_report_commit(feed *feed);

typedef enum feed_result {
    FEED_WAITS, /* it will be woken */
    FEED_MOVED, /* there is something above `seen` already */
    FEED_FULL   /* too many waiters, or the feed is closed */
} feed_result;

/* Adds a waiter that has read everything up to `seen`. */
feed_result feed_wait(feed *feed, feed_waiter *waiter, int64_t seen);

/* Writes to the eventfd `bell` (-1: none any more) whenever the feed advances. There is only one
 * bell at a time. */
void feed_follow(feed *feed, int bell);

/* Why the thread checked for new events. */
typedef enum feed_cause {
    FEED_COMMIT,       /* a transaction was committed here */
    FEED_NOTIFICATION, /* an instance reported a commit */
    FEED_INTERVAL,     /* half a second passed, or a transaction was still running */
    FEED_CAUSES
} feed_cause;

typedef struct feed_stats {
    int64_t newest, safe; /* numbers */
    uint64_t looks[FEED_CAUSES];
    int64_t behind_ms; /* time for which a transaction has kept the feed incomplete */
    size_t waiting;
} feed_stats;
feed_stats feed_stats_read(feed *feed);
