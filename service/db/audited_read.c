/* Reads whose entries in the audit trail share a commit. */
#include "service/db/audited_read.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { GROUP_CONNECTIONS = 2, ALONE_MAX = 2 };

struct audited_reads {
    pool *connections;
    group_commit *entries;
    atomic_int running;
};

audited_reads *audited_reads_new(pool *connections, const char *conninfo, const char *options) {
    audited_reads *reads = calloc(1, sizeof *reads);
    if (reads == NULL) {
        return NULL;
    }
    reads->connections = connections;
    reads->entries =
        group_commit_new(conninfo, GROUP_CONNECTIONS, options, statement_audit_write_reads);
    if (reads->entries == NULL) {
        free(reads);
        return NULL;
    }
    return reads;
}

void audited_reads_free(audited_reads *reads) {
    if (reads != NULL) {
        group_commit_free(reads->entries);
        free(reads);
    }
}

/* The entry as an item of statement_audit_write_reads. No value contains a character that JSON
 * escapes. */
static const char *entry_item(const audit_note *note, const char *answer, arena *memory) {
    const char *entry[AUDIT_PARAMETERS];
    audit_parameters(note, answer, entry, memory);
    return arena_printf(memory,
                        "\"operation\":\"%s\",\"request\":\"%s\",\"collection\":\"%s\","
                        "\"ids\":\"%s\",\"parts\":\"%s\",\"items\":%s",
                        entry[AUDIT_OPERATION], entry[AUDIT_REQUEST], entry[AUDIT_COLLECTION],
                        entry[AUDIT_IDS], entry[AUDIT_PARTS],
                        entry[AUDIT_ITEMS] == NULL ? "null" : entry[AUDIT_ITEMS]);
}

/* Ends the read, and returns its answer once its entry is durable. */
static PGresult *run_shared(audited_reads *reads, const principal *principal, const db_call *call,
                            db_error *error, arena *memory) {
    db_call unaudited = *call;
    unaudited.audit = NULL;
    PGresult *answer = db_call_run(reads->connections, principal, &unaudited, error, memory);
    if (answer == NULL || PQntuples(answer) == 0) {
        return answer;
    }
    group_commit_result entry = {0};
    if (group_commit_submit(reads->entries, principal,
                            entry_item(call->audit, db_answer(answer), memory), &entry, memory)) {
        return answer;
    }
    *error = entry.error;
    db_error_name_audit(error);
    PQclear(answer);
    return NULL;
}

PGresult *audited_reads_run(audited_reads *reads, const principal *principal, const db_call *call,
                            db_error *error, arena *memory) {
    bool shared = atomic_fetch_add(&reads->running, 1) >= ALONE_MAX &&
                  group_commit_is_connected(reads->entries);
    PGresult *answer = shared ? run_shared(reads, principal, call, error, memory)
                              : db_call_run(reads->connections, principal, call, error, memory);
    atomic_fetch_sub(&reads->running, 1);
    return answer;
}

group_commit_stats audited_reads_stats(audited_reads *reads) {
    return group_commit_stats_read(reads->entries);
}
