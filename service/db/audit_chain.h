/* Verifies the chain of hashes that the audit trail is sealed with, row by row. */
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
