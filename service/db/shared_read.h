/* Equal reads at the same time share one query.
 *
 * An event wakes every long poll that it concerns, and all that follow one committee with the same
 * token ask for the same page at the same moment. One of them asks the database; the others use its
 * result. None gets an answer that a query of its own could not have given:
 *
 * - A result is used only for the same key, which names everything on which it depends: the caller,
 *   the parameters, and the number up to which the feed is complete.
 * - It is used only by requests that had arrived before its query began. Whatever had happened when
 *   a request arrived, such as the block of its token, the query has seen.
 *
 * A request that finds an earlier query running waits for it: then one of all that have come
 * meanwhile asks for the rest. A query that fails is not shared. */
#pragma once

#include <libpq-fe.h>
#include <stdint.h>

typedef struct shared_reads shared_reads;

/* Returns NULL when memory is out. */
shared_reads *shared_reads_new(void);
void shared_reads_free(shared_reads *reads);

/* Runs the query of one request; NULL when it failed. */
typedef PGresult *shared_query(void *context);

/* The question of one request. */
typedef struct shared_question {
    const char *key;
    int64_t version;   /* results of lower versions are not needed any more */
    int64_t asked_us;  /* when the request arrived, by CLOCK_MONOTONIC */
    shared_query *run; /* called on this thread, at most once */
    void *context;     /* of `run` */
} shared_question;

typedef struct shared_read shared_read;

/* Answers the question. Returns NULL when `run` failed, or when memory is out and it was not
 * called. The result is valid until shared_reads_give. */
shared_read *shared_reads_take(shared_reads *reads, const shared_question *question);
const PGresult *shared_read_result(const shared_read *read);
void shared_reads_give(shared_reads *reads, shared_read *read);

typedef struct shared_reads_stats {
    uint64_t queries, shared; /* requests that asked the database, and those that did not */
} shared_reads_stats;
shared_reads_stats shared_reads_stats_read(shared_reads *reads);
