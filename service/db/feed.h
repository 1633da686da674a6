/* How far the change feed is complete, and who waits for more of it.
 *
 * Changes carry numbers of one sequence, drawn inside their transactions. A number may be read once
 * no transaction that could still commit a lower one is running. A thread of its own finds how far
 * that is: it reads the sequence, then draws a transaction number (the barrier), and once every
 * transaction below the barrier has ended, everything up to what it read is final. No reader needs
 * a lock, and no writer knows of it.
 *
 * Instances tell one another by NOTIFY, sent apart from the writing transactions (whose commits it
 * would line up) and at most once in 50 ms; each looks by itself every half second besides. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct feed feed;

/* Somebody who waits until a number above what is known is final in one of the topics. */
typedef struct feed_waiter {
    struct feed_waiter *next;
    const char *const *topics;                    /* ends with NULL */
    int64_t until_ms;                             /* of the steady clock: now_ms */
    void (*suspend)(struct feed_waiter *self);    /* called once it is sure that wake will follow */
    bool (*lost)(const struct feed_waiter *self); /* nobody listens any more: wake it now */
    void (*wake)(struct feed_waiter *self); /* called once, from another thread; then it is not
                                               known here any more */
} feed_waiter;

/* Starts the thread with a connection of its own. At most `waiting_max` may wait. NULL when memory
 * or threads are out. */
feed *feed_new(const char *conninfo, size_t waiting_max);
/* Wakes all and lets nobody wait any more. */
void feed_close(feed *feed);
void feed_free(feed *feed);

/* The number up to which the feed is complete; -1 until the database was asked. */
int64_t feed_safe(feed *feed);

/* Something was committed here: to be looked at now, and told to the other instances. */
void feed_report_commit(feed *feed);

typedef enum feed_result {
    FEED_WAITS, /* it will be woken */
    FEED_MOVED, /* there is more than `seen` already */
    FEED_FULL   /* too many wait, or the feed is closed */
} feed_result;

/* Lets the waiter wait, who has read everything up to `seen`. */
feed_result feed_wait(feed *feed, feed_waiter *waiter, int64_t seen);

/* Has the eventfd `bell` (-1: none any more) rung whenever the feed is complete up to a later
 * number. One bell at a time. */
void feed_follow(feed *feed, int bell);

/* Why the thread looked for new events. */
typedef enum feed_cause {
    FEED_COMMIT,       /* something was committed here */
    FEED_NOTIFICATION, /* an instance reported a commit */
    FEED_INTERVAL,     /* half a second passed, or a transaction was waited for */
    FEED_CAUSES
} feed_cause;

typedef struct feed_stats {
    int64_t newest, safe; /* numbers */
    uint64_t looks[FEED_CAUSES];
    int64_t behind_ms; /* since when a transaction keeps the feed from being complete */
    size_t waiting;
} feed_stats;
feed_stats feed_stats_read(feed *feed);
