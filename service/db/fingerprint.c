/* Fingerprints of the keys that a register has used. */
#include "service/db/fingerprint.h"

#include "service/db/link.h"
#include "service/db/statement.h"
#include "service/hex.h"

#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SALT_SIZE = 16,
    HASH_SIZE = 32,
    ITERATIONS = 100000, /* takes tens of milliseconds, once at start-up */
    SALT_TEXT = 2 * SALT_SIZE + 1,
    HASH_TEXT = 2 * HASH_SIZE + 1
};

/* Both in hexadecimal, as the database stores them. */
typedef struct fingerprint {
    char salt[SALT_TEXT];
    char iterations[16];
    char hash[HASH_TEXT];
} fingerprint;

static bool read_hex(const char *text, unsigned char *bytes, size_t size) {
    size_t read = 0;
    return OPENSSL_hexstr2buf_ex(bytes, size, &read, text, '\0') == 1 && read == size;
}

/* Hashes the key with the salt and the iteration count of `made`. */
static bool hash_key(const fingerprint_key *key, fingerprint *made) {
    unsigned char salt[SALT_SIZE];
    unsigned char hash[HASH_SIZE];
    int iterations = (int)strtol(made->iterations, NULL, 10);
    bool good = read_hex(made->salt, salt, sizeof salt) &&
                PKCS5_PBKDF2_HMAC((const char *)key->secret, (int)key->size, salt, sizeof salt,
                                  iterations, EVP_sha256(), sizeof hash, hash) == 1;
    if (good) {
        hex_write(hash, sizeof hash, made->hash);
    }
    return good;
}

static bool make_fingerprint(const fingerprint_key *key, fingerprint *made) {
    unsigned char salt[SALT_SIZE];
    if (RAND_bytes(salt, sizeof salt) != 1) {
        return false;
    }
    hex_write(salt, sizeof salt, made->salt);
    snprintf(made->iterations, sizeof made->iterations, "%d", ITERATIONS);
    return hash_key(key, made);
}

static bool is_good(const PGresult *result) {
    return PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK;
}

/* Runs the statement; NULL with a sentence in `reason` when it fails. */
static PGresult *ask(PGconn *link, const statement *statement, const char *const *parameters,
                     char *reason, size_t reason_size) {
    PGresult *result =
        PQexecParams(link, statement->text, statement->parameters, NULL, parameters, NULL, NULL, 0);
    if (is_good(result)) {
        return result;
    }
    snprintf(reason, reason_size, "The keys' fingerprints cannot be read or written: %s",
             PQerrorMessage(link));
    reason[strcspn(reason, "\n")] = '\0';
    PQclear(result);
    return NULL;
}

/* Compares the key with the row of a recorded one; clears the result. */
static fingerprint_result compare(const fingerprint_key *key, PGresult *row, char *since) {
    fingerprint own;
    const char *recorded = PQgetvalue(row, 0, PQfnumber(row, "hash"));
    snprintf(own.salt, sizeof own.salt, "%s", PQgetvalue(row, 0, PQfnumber(row, "salt")));
    snprintf(own.iterations, sizeof own.iterations, "%s",
             PQgetvalue(row, 0, PQfnumber(row, "iterations")));
    snprintf(since, FINGERPRINT_DAY_SIZE, "%s", PQgetvalue(row, 0, PQfnumber(row, "since")));
    return hash_key(key, &own) && strcmp(own.hash, recorded) == 0 ? FINGERPRINT_SAME
                                                                  : FINGERPRINT_OTHER;
}

static fingerprint_result check_recorded(PGconn *link, const fingerprint_key *key, bool record,
                                         char *since, char *reason, size_t reason_size) {
    fingerprint made;
    const char *const parameters[] = {key->name, made.salt, made.iterations, made.hash};
    PGresult *row = ask(link, statement_key_find, parameters, reason, reason_size);
    if (row != NULL && PQntuples(row) == 0 && record) {
        PQclear(row);
        row = make_fingerprint(key, &made)
                  ? ask(link, statement_key_record, parameters, reason, reason_size)
                  : NULL;
    }
    fingerprint_result result = FINGERPRINT_UNKNOWN;
    if (row != NULL) {
        result = PQntuples(row) == 0 ? FINGERPRINT_NONE : compare(key, row, since);
    }
    PQclear(row);
    return result;
}

fingerprint_result fingerprint_check(const char *conninfo, const fingerprint_key *key, bool record,
                                     char since[FINGERPRINT_DAY_SIZE], char *reason,
                                     size_t reason_size) {
    *since = '\0';
    snprintf(reason, reason_size, "The key's fingerprint could not be made.");
    PGconn *link = link_open_code("LR_DATABASE", conninfo, reason, reason_size);
    if (link == NULL) {
        return FINGERPRINT_UNKNOWN;
    }
    fingerprint_result result = check_recorded(link, key, record, since, reason, reason_size);
    PQfinish(link);
    return result;
}

/* Opens a connection with the rights of the owner. */
static PGconn *open_as_owner(const char *conninfo, char *reason, size_t reason_size) {
    PGconn *link = link_open_code("LR_MIGRATION_DATABASE", conninfo, reason, reason_size);
    PGresult *done =
        link == NULL ? NULL : ask(link, statement_schema_own, NULL, reason, reason_size);
    if (done == NULL) {
        PQfinish(link);
        link = NULL;
    }
    PQclear(done);
    return link;
}

bool fingerprint_uses(const char *conninfo, long *children, long *webhooks, char *reason,
                      size_t reason_size) {
    PGconn *link = open_as_owner(conninfo, reason, reason_size);
    if (link == NULL) {
        return false;
    }
    PGresult *row = ask(link, statement_key_uses, NULL, reason, reason_size);
    if (row != NULL) {
        *children = strtol(PQgetvalue(row, 0, 0), NULL, 10);
        *webhooks = strtol(PQgetvalue(row, 0, 1), NULL, 10);
    }
    bool good = row != NULL;
    PQclear(row);
    PQfinish(link);
    return good;
}

static fingerprint_result replace(PGconn *link, const fingerprint_key *key, char *reason,
                                  size_t reason_size) {
    fingerprint made;
    if (!make_fingerprint(key, &made)) {
        snprintf(reason, reason_size, "The key's fingerprint could not be made.");
        return FINGERPRINT_UNKNOWN;
    }
    const char *const parameters[] = {key->name, made.salt, made.iterations, made.hash};
    PGresult *done =
        PQexecParams(link, statement_key_replace->text, 4, NULL, parameters, NULL, NULL, 0);
    const char *state = PQresultErrorField(done, PG_DIAG_SQLSTATE);
    fingerprint_result result = is_good(done) ? FINGERPRINT_SAME : FINGERPRINT_UNKNOWN;
    if (state != NULL && strcmp(state, "55006") == 0) { /* object_in_use */
        result = FINGERPRINT_IN_USE;
    }
    snprintf(reason, reason_size, "%s", PQresultErrorMessage(done));
    reason[strcspn(reason, "\n")] = '\0';
    PQclear(done);
    return result;
}

fingerprint_result fingerprint_replace(const char *conninfo, const fingerprint_key *key,
                                       char *reason, size_t reason_size) {
    PGconn *link = open_as_owner(conninfo, reason, reason_size);
    if (link == NULL) {
        return FINGERPRINT_UNKNOWN;
    }
    fingerprint_result result = replace(link, key, reason, reason_size);
    PQfinish(link);
    return result;
}
