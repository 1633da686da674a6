/* Group commit: concurrent writes of one kind share one transaction, and so one flush to disk.
 *
 * Pushing single referrals is the most frequent write, and PostgreSQL can only confirm it after its
 * log is on disk. With one transaction for each push the disk would limit their number.
 *
 * There is no separate thread and no timer. A writer is the thread of a request that waits in
 * group_commit_submit. There are at most as many leaders at a time as connections:
 *
 * - A writer that finds a free connection becomes a leader at once. Its group is itself and the
 *   writers that are queued at this moment, up to GROUP_MAX. A single client never waits.
 * - Any other writer queues and sleeps. While a group waits for its commit, the queue grows: the
 *   busier the disk, the larger the next group.
 * - When a leader is done, it wakes the writers of its group with their results, makes the first
 *   queued writer the next leader and returns to its own request.
 *
 * The group is sorted by principal. Each principal's writes are one batch: its claims, then one
 * statement with all its items. All batches are one transaction in one pipeline. If anything in it
 * fails, it rolls back as a whole, and each item is sent again by itself, so that every client gets
 * the error of its own item. If the failure took so long that the clients' time is over, nothing is
 * sent again. A writer that is still queued after a second leaves the queue; nothing was sent. */
#pragma once

#include "service/db/call.h"
#include "service/db/pool.h"

typedef struct group_commit group_commit;

/* Prepares group commit for `statement`, which takes one JSON array of items {n, ...} and returns
 * one row for each item: {n, status, replayed, id, version, location, body, code, errors}. Status 0
 * asks to send the item again. `connections` groups can be in progress at the same time, each on a
 * connection of its own to `conninfo`, with `options` as in pool_new. Returns NULL when memory or
 * threads are out. */
group_commit *group_commit_new(const char *conninfo, size_t connections, const char *options,
                               const statement *statement);
void group_commit_free(group_commit *commit);

/* Returns whether at least one connection is open. */
bool group_commit_is_connected(group_commit *commit);

/* The result of one item; strings in the caller's memory. */
typedef struct group_commit_result {
    db_reply reply; /* status 0: refused, see error */
    const char *id;
    db_error error;
} group_commit_result;

/* Submits one item and waits until it is durable or refused. The item is the members of a JSON
 * object without the braces and without n (for instance `"hash":"..","doc":{..}`). Never waits for
 * other writers to come. Waits at most a second for earlier ones; then the error is `overloaded`,
 * and nothing was sent. Returns true with result->reply, or false with result->error. */
bool group_commit_submit(group_commit *commit, const principal *principal, const char *item,
                         group_commit_result *result, arena *memory);

/* Reads the result of one row, with the columns in the order above. Returns false for status 0:
 * send again. */
bool group_commit_result_read(const PGresult *rows, int row, group_commit_result *result,
                              arena *memory);

typedef struct group_commit_stats {
    const histogram *sizes;     /* number of items per group; lives as long as the group commit */
    unsigned long long singles; /* items sent by themselves: single ones, or after another item of
                                   the group failed */
    size_t queued;
    pool_stats connections;
} group_commit_stats;
extern const histogram_scale group_commit_size_scale;
group_commit_stats group_commit_stats_read(group_commit *commit);
