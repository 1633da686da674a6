/* Verifies the chain of hashes that seals the audit trail. */
#include "service/db/audit_chain.h"

#include "service/hex.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER, OPERATION = 4, REQUEST = 6, SEALED = AUDIT_COLUMNS, POSITION, HASH };

/* The types of the hashed columns (pg_type: the numbers of built-in types never change). */
enum { INT8 = 20, INT4 = 23, TEXT = 25, TEXT_LIST = 1009, TIMESTAMPTZ = 1184, UUID_LIST = 2951 };
static const uint32_t types[AUDIT_COLUMNS] = {INT8,      TIMESTAMPTZ, TEXT, TEXT,      TEXT,
                                              TEXT,      TEXT,        TEXT, UUID_LIST, UUID_LIST,
                                              TEXT_LIST, UUID_LIST,   INT4};

__attribute__((format(printf, 2, 3))) static bool fault(audit_chain *chain, const char *format,
                                                        ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(chain->fault, sizeof chain->fault, format, arguments);
    va_end(arguments);
    return false;
}

static int64_t read_int8(const audit_value *value) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < value->size && i < sizeof number; i++) {
        number = number << 8 | value->bytes[i];
    }
    return (int64_t)number;
}

static void add_int4(EVP_MD_CTX *digest, uint32_t number) {
    const unsigned char bytes[] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                   (unsigned char)(number >> 8), (unsigned char)number};
    EVP_DigestUpdate(digest, bytes, sizeof bytes);
}

/* hash = SHA-256(previous hash || count of columns || type, length and bytes of each). The
 * database's function audit_bytes makes the same of the row, in the format of record_send. */
static void extend(audit_chain *chain, const audit_value *row) {
    EVP_MD_CTX *digest = chain->digest;
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    EVP_DigestUpdate(digest, chain->last.hash, AUDIT_HASH_SIZE);
    add_int4(digest, AUDIT_COLUMNS);
    for (int i = 0; i < AUDIT_COLUMNS; i++) {
        add_int4(digest, types[i]);
        add_int4(digest, row[i].bytes == NULL ? UINT32_MAX : row[i].size);
        EVP_DigestUpdate(digest, row[i].bytes, row[i].bytes == NULL ? 0 : row[i].size);
    }
    EVP_DigestFinal_ex(digest, chain->last.hash, NULL);
}

static bool is_text(const audit_value *value, const char *text) {
    return value->bytes != NULL && value->size == strlen(text) &&
           memcmp(value->bytes, text, value->size) == 0;
}

/* Notes whether the entry says that everything up to the start was removed. */
static void note_removal(audit_chain *chain, const audit_value *row) {
    char anchor[AUDIT_ANCHOR_MAX];
    audit_place_write(&chain->start, anchor);
    chain->removal_noted = chain->removal_noted || (is_text(&row[OPERATION], "pruneAudit") &&
                                                    is_text(&row[REQUEST], anchor));
}

static bool check_anchor(audit_chain *chain) {
    const audit_place *anchor = &chain->anchor;
    if (anchor->position != chain->last.position || anchor->position == 0 ||
        memcmp(anchor->hash, chain->last.hash, AUDIT_HASH_SIZE) == 0) {
        return true;
    }
    return fault(chain,
                 "the anchor is not that of entry %" PRId64
                 ": it, or one before it, was altered and sealed again",
                 chain->last.number);
}

static bool take_sealed(audit_chain *chain, const audit_value *row) {
    int64_t number = read_int8(&row[SEALED]);
    int64_t position = read_int8(&row[POSITION]);
    int64_t expected = chain->last.position + 1;
    if (number <= chain->start.number) {
        return fault(chain, "entry %" PRId64 " was added before where the chain begins", number);
    }
    if (position > expected) {
        return fault(chain,
                     "%" PRId64 " of the entries before entry %" PRId64
                     " are missing, with their seals: position %" PRId64 " of the chain",
                     position - expected, number, expected);
    }
    if (position < expected) {
        return fault(chain, "the seal of entry %" PRId64 " was altered or added", number);
    }
    if (row[NUMBER].bytes == NULL) {
        return fault(chain, "entry %" PRId64 " is missing", number);
    }
    extend(chain, row);
    if (row[HASH].size != AUDIT_HASH_SIZE ||
        memcmp(row[HASH].bytes, chain->last.hash, AUDIT_HASH_SIZE) != 0) {
        return fault(chain, "entry %" PRId64 " or its seal was altered", number);
    }
    chain->last.position = position;
    chain->last.number = number;
    note_removal(chain, row);
    return check_anchor(chain);
}

/* Failed requests leave unused numbers, which are not a fault; but so does an entry that was cut
 * off. */
static void note_unused(audit_chain *chain, int64_t number) {
    int64_t between = number - chain->seen - 1;
    chain->unused += between;
    if (between > chain->widest) {
        chain->widest = between;
        chain->widest_before = number;
    }
}

bool audit_chain_follows(audit_chain *chain, const audit_value row[AUDIT_ROW_COLUMNS]) {
    int64_t number = read_int8(&row[row[NUMBER].bytes != NULL ? NUMBER : SEALED]);
    bool follows = number > chain->seen;
    if (follows && chain->seen > 0) {
        note_unused(chain, number);
    }
    chain->seen = number;
    return follows;
}

bool audit_chain_take(audit_chain *chain, const audit_value row[AUDIT_ROW_COLUMNS]) {
    if (row[SEALED].bytes != NULL) {
        return take_sealed(chain, row);
    }
    int64_t number = read_int8(&row[NUMBER]);
    if (number <= chain->end.number) {
        return fault(chain, "entry %" PRId64 " was added, or its seal was removed", number);
    }
    note_removal(chain, row);
    chain->unsealed++;
    return true;
}

bool audit_chain_end(audit_chain *chain) {
    if (chain->last.position < chain->end.position) {
        return fault(chain,
                     "%" PRId64 " entries are missing at the end, behind entry %" PRId64
                     ", with their seals",
                     chain->end.position - chain->last.position, chain->last.number);
    }
    if (chain->last.position != chain->end.position || chain->last.number != chain->end.number ||
        memcmp(chain->last.hash, chain->end.hash, AUDIT_HASH_SIZE) != 0) {
        return fault(chain, "the head of the chain is not that of entry %" PRId64 ", its last",
                     chain->last.number);
    }
    if (chain->anchor.position > chain->last.position) {
        return fault(chain,
                     "the chain ends with entry %" PRId64 ", %" PRId64
                     " entries before the anchor: they are missing",
                     chain->last.number, chain->anchor.position - chain->last.position);
    }
    if (chain->start.position > 0 && !chain->removal_noted) {
        return fault(chain,
                     "the entries before entry %" PRId64
                     " are missing: the chain does not say that they were removed",
                     chain->start.number + 1);
    }
    return true;
}

bool audit_chain_begin(audit_chain *chain) {
    chain->last = chain->start;
    chain->seen = INT64_MIN;
    chain->digest = EVP_MD_CTX_new();
    if (chain->digest != NULL && chain->anchor.position != 0 &&
        chain->anchor.position < chain->start.position) {
        fault(chain, "the entry of the anchor has been kept long enough and was removed");
    }
    return chain->digest != NULL && check_anchor(chain);
}

void audit_chain_free(audit_chain *chain) {
    EVP_MD_CTX_free(chain->digest);
    chain->digest = NULL;
}

bool audit_place_read(const char *text, audit_place *place) {
    char *end = NULL;
    place->position = strtoll(text, &end, 10);
    if (end == text || *end != ':' || place->position < 0 ||
        strspn(end + 1, "0123456789abcdef") != (size_t)2 * AUDIT_HASH_SIZE ||
        end[1 + 2 * AUDIT_HASH_SIZE] != '\0') {
        return false;
    }
    for (int i = 0; i < AUDIT_HASH_SIZE; i++) {
        place->hash[i] =
            (unsigned char)(hex_value(end[1 + 2 * i]) * 16 + hex_value(end[2 + 2 * i]));
    }
    return true;
}

void audit_place_write(const audit_place *place, char *text) {
    int length = snprintf(text, AUDIT_ANCHOR_MAX, "%" PRId64 ":", place->position);
    hex_write(place->hash, AUDIT_HASH_SIZE, text + length);
}
