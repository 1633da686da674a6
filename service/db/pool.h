/* Connections to PostgreSQL: a fixed number, prepared, taken for one request and given back. */
#pragma once

#include "service/db/statement.h"
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
 * `options` are further session settings in the form of libpq's `options`, or "". Returns NULL when
 * memory or threads are out. */
pool *pool_new(const char *conninfo, size_t size, const char *options);
/* The same for connections that run only the statements of `needed`, which ends with NULL: no other
 * is prepared. */
pool *pool_new_for(const char *conninfo, size_t size, const char *options,
                   const statement *const needed[]);
/* The same for a standby, without further settings. Each new connection is refused when row-level
 * security does not bind its role: LR_READ_DATABASE may name another role than LR_DATABASE. */
pool *pool_new_standby(const char *conninfo, size_t size);
void pool_free(pool *pool);

/* Takes a working connection and waits at most `wait_ms` for one, in the order of arrival. Returns
 * NULL when none is free in time; then pool_is_connected distinguishes overload from an unreachable
 * database. Give the connection back with pool_give. */
connection *pool_take(pool *pool, int wait_ms);

/* Gives the connection back. A connection is reconnected in the background when it is broken, not
 * idle, or its server has changed (a primary that has become read-only, a standby that was
 * promoted). */
void pool_give(connection *taken);

/* Checks the idle connections: those that the server has closed are reconnected. Call once a
 * second, so that readiness notices an unreachable database before a request does. */
void pool_probe(pool *pool);

/* Returns whether at least one connection is open. */
bool pool_is_connected(pool *pool);

typedef struct pool_stats {
    size_t size, idle, connected, waiting;
    unsigned long long timeouts, reconnects;
    const histogram *waits; /* wait for a connection, in microseconds; lives as long as the pool */
} pool_stats;
extern const histogram_scale pool_wait_scale;
pool_stats pool_stats_read(pool *pool);
