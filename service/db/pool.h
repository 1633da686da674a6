/* Connections to PostgreSQL: a fixed number, prepared, taken for one request and given back. */
#pragma once

#include "service/histogram.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct pool pool;

typedef struct connection {
    PGconn *link; /* NULL while it is broken */
    pool *home;
    struct connection *next;
} connection;

/* Makes a pool of `size` connections to `conninfo`, which connect in the background with backoff.
 * `options` are further session settings in the form of libpq's `options`, or "".
 * Returns NULL when memory or threads are out. */
pool *pool_new(const char *conninfo, size_t size, const char *options);
/* The same to a standby, without further settings. A role that row-level security does not bind is
 * refused at each connection: LR_READ_DATABASE may name another than LR_DATABASE. */
pool *pool_new_standby(const char *conninfo, size_t size);
void pool_free(pool *pool);

/* Takes a connection that works, waiting at most `wait_ms` for one, in the order of asking. NULL:
 * none in time; then pool_is_connected tells overload from a database that is gone. Give it back
 * with pool_give. */
connection *pool_take(pool *pool, int wait_ms);

/* Gives the connection back; one that is broken, not idle, or no longer with a server of its kind
 * (a primary that has become read-only, a standby that was promoted) is reconnected in the
 * background.
 */
void pool_give(connection *taken);

/* Looks at the idle connections: those that the server has closed are reconnected. Call once a
 * second, so that readiness knows of a database that is gone before a request does. */
void pool_probe(pool *pool);

/* Whether at least one connection stands. */
bool pool_is_connected(pool *pool);

typedef struct pool_stats {
    size_t size, idle, connected, waiting;
    unsigned long long timeouts, reconnects;
    const histogram *waits; /* for a connection, in microseconds; lives as long as the pool */
} pool_stats;
extern const histogram_scale pool_wait_scale;
pool_stats pool_stats_read(pool *pool);
