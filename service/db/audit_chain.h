/* Verifies the audit trail: that no entry was changed, removed or inserted since it was sealed.
 *
 * Each response that the contract says is recorded has an entry (audit_entry), written in the
 * transaction of the response. About once a second the database seals the new entries in their
 * order: an entry gets a seal with its position and
 *
 *   hash = SHA-256(hash of the seal before || count of columns || type, length, bytes of each one)
 *
 * over the columns in PostgreSQL's binary form. So each hash depends on every entry before it. The
 * head says where the chain ends. Numbers of entries may have gaps, because transactions roll back.
 * Positions have none. Expired entries are removed from the start: a checkpoint records the new
 * beginning of the chain, and an entry records the removal.
 *
 * The verifier reads the entries with their seals as a stream, in the order of their numbers, and
 * needs constant memory. It computes each hash itself instead of asking the database, and stops at
 * the first fault: another hash, a missing position or entry, an added seal, an end before the
 * head.
 *
 * A superuser of the database can change an entry and seal all later ones again: then the chain is
 * whole. An anchor reveals it: a position with its hash that was kept elsewhere (the log, a file,
 * an auditor who called GET /v1/audit/head). The chain must have this hash at this position. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUDIT_HASH_SIZE = 32, AUDIT_COLUMNS = 13, AUDIT_ROW_COLUMNS = AUDIT_COLUMNS + 3 };

/* A position in the chain: the number of entries up to it, the last entry's number and hash. */
typedef struct audit_place {
    int64_t position, number;
    unsigned char hash[AUDIT_HASH_SIZE];
} audit_place;

/* A value in PostgreSQL's binary form; bytes NULL means null. */
typedef struct audit_value {
    const unsigned char *bytes;
    uint32_t size;
} audit_value;

typedef struct audit_chain {
    audit_place start;  /* the entries that were removed before the oldest one */
    audit_place end;    /* from the head */
    audit_place anchor; /* kept outside the database; position 0: none */
    audit_place last;   /* verified up to here */
    int64_t seen;       /* number of the previous row */
    int64_t unsealed;   /* entries after the end */
    int64_t unused;     /* numbers that no entry has, between entries */
    int64_t widest;     /* the longest series of them, and the entry after it */
    int64_t widest_before;
    bool removal_noted; /* an entry says that the start was removed */
    char fault[256];    /* the first fault, naming the entry; "" if there is none */
    void *digest;
} audit_chain;

/* Begins at `start`. All positions are fields of `chain`. Free the chain in any case. Returns false
 * when memory is out. */
bool audit_chain_begin(audit_chain *chain);
void audit_chain_free(audit_chain *chain);

/* Returns whether the row is in order: each number is higher than the one before. */
bool audit_chain_follows(audit_chain *chain, const audit_value row[AUDIT_ROW_COLUMNS]);

/* Verifies the next row of the statement audit_chain: the columns of the entry, then the number,
 * position and hash of its seal. Returns false at the first fault. */
bool audit_chain_take(audit_chain *chain, const audit_value row[AUDIT_ROW_COLUMNS]);

/* Call after the last row. Returns whether the chain is whole. */
bool audit_chain_end(audit_chain *chain);

/* Reads COUNT:HASH in the form of the log and of GET /v1/audit/head. */
bool audit_place_read(const char *text, audit_place *place);
/* Writes COUNT:HASH: at most AUDIT_ANCHOR_MAX bytes including the final NUL. */
enum { AUDIT_ANCHOR_MAX = 96 };
void audit_place_write(const audit_place *place, char *text);
