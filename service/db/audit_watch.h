/* Watches the sealed audit trail for damage that only tampering or a lost database causes. */
#pragma once

#include "service/db/audit_chain.h"
#include "service/db/pool.h"

#include <stdatomic.h>

typedef enum audit_fault {
    AUDIT_SHORTENED,       /* the trail ends before a position that was seen or kept */
    AUDIT_ALTERED,         /* another hash, or no seal, at such a position */
    AUDIT_GAP,             /* a position of the chain without its seal or entry */
    AUDIT_TRIGGER_DISABLED /* a trigger of the schema is disabled, or one of the trail is missing */
} audit_fault;
enum { AUDIT_FAULTS = 4 };
extern const char *const audit_fault_names[AUDIT_FAULTS];

typedef struct audit_stats {
    _Atomic(int64_t) sealed;    /* entries in the chain */
    _Atomic(int64_t) behind_ms; /* start of the longest wait for a seal */
    atomic_bool faults[AUDIT_FAULTS];
    atomic_ullong anchor_failures; /* anchors that could not be written to the file */
} audit_stats;

/* The state of one thread. All zero except `file`; audit_watch_start sets it. */
typedef struct audit_watch {
    const char *file;          /* file of the anchors; NULL: the log only */
    audit_place known;         /* the last position without a fault; position 0: none yet */
    audit_place patrol;        /* position of the present round through all seals */
    int64_t anchored;          /* position of the last anchor written; -1: none yet */
    bool gap_in_round;         /* the present round found a gap */
    bool logged[AUDIT_FAULTS]; /* since the last anchor */
} audit_watch;

/* Returns whether anchors can be appended to the file; creates it when it is missing. Returns false
 * with one sentence in `reason`. */
bool audit_anchor_file_check(const char *file, char *reason, size_t reason_size);

/* Reads the last anchor of the file. Returns false when there is none. */
bool audit_anchor_file_last(const char *file, audit_place *last);

/* Begins with the last anchor of the file (NULL: no file), so that a trail that lost its end while
 * the service was down is noticed. `file` is borrowed. */
void audit_watch_start(audit_watch *watch, const char *file);

/* Compares the trail with the known position, checks the next part of all seals, and stores the
 * faults in `stats`; an error in the log gives the position. A fault of the end stays until the
 * process ends, and is found again after a restart when the file has anchors. With `anchors`,
 * writes the end of the trail to the log and to the file, unless the end has a fault. */
void audit_watch_check(audit_watch *watch, pool *connections, audit_stats *stats, bool anchors);
