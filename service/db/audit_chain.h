/* Verifies the audit trail: that no entry was changed, removed or put in since it was sealed.
 *
 * Each response that the contract says is recorded has an entry (audit_entry), written in the
 * transaction of the response. About once a second the database seals the new entries in their
 * order: an entry gets a seal with its position and
 *
 *   hash = SHA-256(hash of the seal before || count of columns || type, length, bytes of each one)
 *
 * over the columns in PostgreSQL's binary form. So each hash depends on every entry before it. The
 * head says where the chain ends. Numbers of entries may have gaps, because transactions roll back.
 * Positions have none. Entries that were kept long enough are removed from the start: a checkpoint
 * keeps the place where the chain begins since, and an entry says that it was removed.
 *
 * The verifier gets the entries with their seals as a stream, in the order of their numbers, and
 * needs constant memory. It computes each hash itself instead of asking the database, and stops at
 * the first fault: another hash, a position or an entry that is missing, a seal that was added, an
 * end before the head.
 *
 * Somebody who may do everything in the database can change an entry and seal all that follow
 * again: the chain is whole then. An anchor reveals it: a position with its hash that was kept
 * elsewhere (the log, a file, an auditor who called GET /v1/audit/head). The chain must have this
 * hash at this position. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUDIT_HASH_SIZE = 32, AUDIT_COLUMNS = 13, AUDIT_ROW_COLUMNS = AUDIT_COLUMNS + 3 };

/* A place in the chain: how many entries it has up to there, the last one's number, and its hash.
 */
typedef struct audit_place {
    int64_t position, number;
    unsigned char hash[AUDIT_HASH_SIZE];
} audit_place;

/* A value in PostgreSQL's binary form; bytes NULL is null. */
typedef struct audit_value {
    const unsigned char *bytes;
    uint32_t size;
} audit_value;

typedef struct audit_chain {
    audit_place start;  /* what was removed before the oldest entry */
    audit_place end;    /* what the head says */
    audit_place anchor; /* what somebody kept elsewhere; position 0: nothing */
    audit_place last;   /* how far it is verified */
    int64_t seen;       /* number of the row before */
    int64_t unsealed;   /* entries behind the end */
    int64_t unused;     /* numbers between entries that no entry has */
    int64_t widest;     /* the most of them in a row, and the entry after them */
    int64_t widest_before;
    bool removal_noted; /* an entry says that the start was removed */
    char fault[256];    /* the first fault, naming the entry; "" while there is none */
    void *digest;
} audit_chain;

/* Begins at `start`; all places stand in the chain. Free it in any case. Returns false when memory
 * is out. */
bool audit_chain_begin(audit_chain *chain);
void audit_chain_free(audit_chain *chain);

/* Whether the row comes in order: each has a higher number than the one before. */
bool audit_chain_follows(audit_chain *chain, const audit_value row[AUDIT_ROW_COLUMNS]);

/* Takes the next row of the statement audit_chain: the columns of the entry, then number, position
 * and hash of its seal. Returns false at the first fault. */
bool audit_chain_take(audit_chain *chain, const audit_value row[AUDIT_ROW_COLUMNS]);

/* After the last row. Returns whether the chain is whole. */
bool audit_chain_end(audit_chain *chain);

/* Reads COUNT:HASH as the log and GET /v1/audit/head give it. */
bool audit_place_read(const char *text, audit_place *place);
/* Writes it: at most AUDIT_ANCHOR_MAX bytes with the end. */
enum { AUDIT_ANCHOR_MAX = 96 };
void audit_place_write(const audit_place *place, char *text);
