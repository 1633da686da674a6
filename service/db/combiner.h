/* Combines concurrent writes of one kind: what has gathered goes out in one statement a principal
 * and one commit. */
#pragma once

#include "service/db/call.h"
#include "service/db/pool.h"

typedef struct combiner combiner;

/* Makes a combiner for `what`, a statement that takes one JSON array of items {n, ...} and returns
 * one row an item {n, status, replayed, id, version, location, body, code, errors}; status 0 asks
 * to send the item again. `lanes` threads send at the same time, each on a connection of its own to
 * `conninfo`: while one waits for its commit to be durable the other gathers. NULL when memory or
 * threads are out. */
combiner *combiner_new(const char *conninfo, size_t lanes, const statement *what);
void combiner_free(combiner *all);

/* The answer for one item; strings in the caller's memory. */
typedef struct combiner_answer {
    db_reply reply; /* status 0: refused, see error */
    const char *id;
    db_error error;
} combiner_answer;

/* Hands over one item, the members of a JSON object without the braces and without n (for instance
 * `"hash":"..","doc":{..}`), and waits until it is durable or refused. Never waits for others to
 * come; waits at most a second for those who are ahead (then `overloaded`, and nothing was sent).
 * Returns true with answer->reply, or false with answer->error. */
bool combiner_submit(combiner *all, const principal *who, const char *item, combiner_answer *answer,
                     arena *memory);

/* Reads the answer of one row; the columns stand in the order above. Returns false for status 0:
 * ask again. */
bool combiner_answer_read(const PGresult *rows, int row, combiner_answer *answer, arena *memory);

typedef struct combiner_stats {
    const histogram *batches; /* how many items went together; lives as long as the combiner */
    unsigned long long
        alone; /* items sent by themselves: single ones, or after a neighbour failed */
    size_t queued;
    pool_stats lanes;
} combiner_stats;
extern const histogram_scale combiner_batch_scale;
combiner_stats combiner_stats_read(combiner *all);
