/* Requests that take long run on threads of their own.
 *
 * A worker of the HTTP library owns the connections of many clients and serves them one after the
 * other. A batch of a thousand referrals would keep the answers of all of them waiting. So the
 * worker suspends the connection of a slow request, one of these threads runs the request, and the
 * worker sends the answer.
 *
 * The threads are fewer than the connections to the database: slow requests never use all of them.
 * The next request is one of the client that has the fewest running, so that a client with many
 * requests does not keep others waiting. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct slow_work slow_work;

/* One request. The caller owns it and its client's name, and keeps both until `resume` is called.
 * The pool calls each function once, in this order. */
typedef struct slow_job {
    const char *client;                     /* whose request it is */
    void (*suspend)(struct slow_job *self); /* called by slow_work_add when it takes the job */
    void (*run)(struct slow_job *self);     /* called by a thread of the pool */
    void (*resume)(struct slow_job *self);  /* the same; the pool does not use the job afterwards */
    struct slow_job *next;                  /* for the pool alone */
} slow_job;

typedef struct slow_work_stats {
    size_t running, waiting;
    unsigned long long refused;
} slow_work_stats;

/* Starts the threads. Returns NULL when memory or threads are out. */
slow_work *slow_work_new(size_t threads);

/* Takes the job. Returns false, and calls none of its functions, when too many jobs wait: of this
 * client, or of all; or when the pool is stopped. */
bool slow_work_add(slow_work *work, slow_job *job);

/* Takes no more jobs, and returns when all jobs have run. May be called again. */
void slow_work_stop(slow_work *work);

slow_work_stats slow_work_stats_read(slow_work *work);

/* Stops and frees it; NULL is allowed. */
void slow_work_free(slow_work *work);
