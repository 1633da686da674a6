/* Watches the sealed audit trail for what only tampering or a lost database does to it. */
#pragma once

#include "service/db/audit_chain.h"
#include "service/db/pool.h"

#include <stdatomic.h>

typedef enum audit_fault {
    AUDIT_SHORTENED,       /* the trail ends before a place that was seen or kept */
    AUDIT_ALTERED,         /* another hash, or no seal, at such a place */
    AUDIT_GAP,             /* a position of the chain without its seal or entry */
    AUDIT_TRIGGER_DISABLED /* a trigger of the schema is switched off, or one of the trail is gone
                            */
} audit_fault;
enum { AUDIT_FAULTS = 4 };
extern const char *const audit_fault_names[AUDIT_FAULTS];

typedef struct audit_stats {
    _Atomic(int64_t) sealed;    /* entries in the chain */
    _Atomic(int64_t) behind_ms; /* since when one waits to be sealed */
    atomic_bool faults[AUDIT_FAULTS];
    atomic_ullong anchor_failures; /* anchors that could not be written to the file */
} audit_stats;

/* What one thread knows of the trail. Zero but for `file`, and set by audit_watch_start. */
typedef struct audit_watch {
    const char *file;          /* where anchors are kept; NULL: only in the log */
    audit_place known;         /* the last place that was in order; position 0: none yet */
    audit_place patrol;        /* how far the present round through all seals has come */
    int64_t anchored;          /* position of the last anchor written; -1: none yet */
    bool gap_in_round;         /* the present round met a gap */
    bool logged[AUDIT_FAULTS]; /* since the last anchor */
} audit_watch;

/* Whether anchors can be added to the file, which is created when it is missing. Returns false with
 * one sentence in `reason`. */
bool audit_anchor_file_check(const char *file, char *reason, size_t reason_size);

/* Reads the last anchor of the file. Returns false when there is none. */
bool audit_anchor_file_last(const char *file, audit_place *last);

/* Begins with the last anchor of the file (NULL: none), so that a trail that lost its end while the
 * service was down is noticed. `file` is borrowed. */
void audit_watch_start(audit_watch *watch, const char *file);

/* Compares the trail with what is known, goes a step further through all seals, and stores what it
 * found in `stats`: an error in the log says where. A fault of the end stays until the process
 * ends, and is there again after it when the file has anchors. With `anchors`, writes where the
 * trail ends to the log and to the file, unless its end is at fault. */
void audit_watch_check(audit_watch *watch, pool *connections, audit_stats *stats, bool anchors);
