/* Reads whose entries in the audit trail share a commit (service/db/group_commit.h).
 *
 * An answer may be sent once its entry is durable. The commit of that entry is the most expensive
 * part of a read, so that reads in progress at the same time share it:
 *
 * - A read that finds few others in progress writes its entry in its own transaction (db_call_run):
 *   two round trips.
 * - Any other read ends first. Its entry then joins a group, in which each caller's entries have
 *   that caller's claims: again two round trips, but one commit for the whole group. An entry that
 *   fails makes only its own read fail.
 *
 * Without a connection for groups every read uses its own transaction. */
#pragma once

#include "service/db/call.h"
#include "service/db/group_commit.h"

typedef struct audited_reads audited_reads;

/* `connections` is borrowed: the reads run on it. Groups have their own connections to `conninfo`,
 * with `options` as in pool_new. Returns NULL when memory or threads are out. */
audited_reads *audited_reads_new(pool *connections, const char *conninfo, const char *options);
void audited_reads_free(audited_reads *reads);

/* Runs the call, an audited read, like db_call_run. */
PGresult *audited_reads_run(audited_reads *reads, const principal *principal, const db_call *call,
                            db_error *error, arena *memory);

group_commit_stats audited_reads_stats(audited_reads *reads);
