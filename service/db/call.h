/* One statement in one transaction with the claims of a principal, in one round trip. */
#pragma once

#include "service/auth/principal.h"
#include "service/db/audit.h"
#include "service/db/error.h"
#include "service/db/pool.h"
#include "service/db/statement.h"

enum { CALL_PARAMETERS_MAX = 12 };

typedef struct db_call {
    const statement *statement;
    const char *parameters[CALL_PARAMETERS_MAX]; /* text format; NULL is NULL */
    const char *position;    /* of a standby only: what it has to have replayed; NULL: no matter */
    const audit_note *audit; /* NULL: leaves no entry */
    bool safe_to_repeat; /* changes nothing: repeated once on a fresh connection when the first one
                        breaks */
} db_call;

/* How often a call may be tried: a few times while it fails fast. After a silence of the database
 * there is no other try, because the client's time would be over before its end. */
typedef struct db_retry {
    int64_t began_ms;
    int left;
} db_retry;
db_retry db_retry_begin(void);
/* Whether what has been tried since failed fast. */
bool db_retry_is_prompt(const db_retry *retry);
/* Whether another try may follow one that failed. */
bool db_retry_again(db_retry *retry);

/* Runs the call as `principal` (NULL: without claims). Claims, statement and commit travel in one
 * pipeline up to one sync, which PostgreSQL runs as one transaction (documentation 34.5.1.1). With
 * a note of `audit` the answer is read first, and its entry in the audit trail goes with the
 * commit: without the entry there is no answer (and no change), but the error database_unavailable.
 * Returns the result, which the caller clears, or NULL with `error` filled, its strings in
 * `memory`. An organisation that the database does not know gives the error code
 * organisation_not_allowed. */
PGresult *db_call_run(pool *pool, const principal *principal, const db_call *call, db_error *error,
                      arena *memory);

/* A transaction of several round trips, for what one pipeline cannot do. */
typedef struct db_transaction {
    connection *taken;
    arena *memory;
} db_transaction;

/* Begins with the claims of `principal`. Returns false with `error`; then there is nothing to end.
 */
bool db_begin(db_transaction *transaction, pool *pool, const principal *principal, db_error *error,
              arena *memory);
/* Runs one statement inside. Returns its result, which the caller clears, or NULL with `error`. */
PGresult *db_step(db_transaction *transaction, const statement *statement,
                  const char *const *parameters, db_error *error);
/* Ends it. Returns false with `error` when it is not known to be committed. */
bool db_commit(db_transaction *transaction, db_error *error);
void db_rollback(db_transaction *transaction);

/* What a POST with an Idempotency-Key asks (IETF draft-ietf-httpapi-idempotency-key-header-07). */
typedef struct db_idempotency {
    const char *key;
    const char *request_hash;
    const char *path; /* of the request: what its answer is about, unless it has a Location */
} db_idempotency;

/* The answer of an operation: what the row {status, version, location, body} says. Strings in
 * `memory`. */
typedef struct db_reply {
    int status;
    const char *version, *location, *body; /* NULL where null */
    bool replayed;
} db_reply;

/* Runs the call, a statement that returns one reply row, at most once for the key: in the same
 * transaction the reply is stored, and a later call with the key gets it back. Returns true with
 * `reply` filled, or false with `error`; another request under the same key is
 * idempotency_key_reused, one still running is idempotency_in_flight. A reply that is given again
 * shows what `principal` may see now; it is not_found when `principal` may no longer see what it is
 * about. */
bool db_call_idempotent(pool *pool, const principal *principal, const db_call *call,
                        const db_idempotency *idempotency, db_reply *reply, db_error *error,
                        arena *memory);

/* Inside a transaction: looks for an answer stored under the key. Returns whether the request is
 * settled by it: then `reply` is filled, or `error` when it was another request or the look itself
 * failed. */
bool db_idempotency_find(db_transaction *transaction, const db_idempotency *idempotency,
                         db_reply *reply, db_error *error);
/* Inside a transaction: stores the answer under the key. Returns false with `error`. */
bool db_idempotency_store(db_transaction *transaction, const db_idempotency *idempotency,
                          const db_reply *reply, db_error *error);

/* Inside a transaction: adds the entry of an answer (JSON text, or NULL) to the audit trail. Does
 * nothing without a note. Returns false with `error`. */
bool db_audit(db_transaction *transaction, const audit_note *note, const char *answer,
              db_error *error);

/* The same for a stored answer that is shown again, which makes a read of it. */
bool db_audit_replay(db_transaction *transaction, const audit_note *note, const db_reply *reply,
                     db_error *error);

/* Reads a reply row. Returns false when there is none. */
bool db_reply_read(const PGresult *result, db_reply *reply, arena *memory);

/* Returns the text of the first row's column, copied into `memory`; NULL when there is no row, no
 * such column, or null. */
const char *db_text(const PGresult *result, const char *column, arena *memory);

/* Building blocks for callers that pipeline several statements (service/db/group_commit.c). */
bool db_send(PGconn *link, const statement *statement, const char *const *parameters);
bool db_send_claims(PGconn *link, const principal *principal);
/* Whether the answer to the claims says that the organisation is known. */
bool db_claims_known(const PGresult *claims);
/* The next result of the pipeline: NULL when the connection broke or stayed silent (db_wait). Skips
 * the end-of-statement marks. */
PGresult *db_next_result(PGconn *link);
/* Reads to the end of the pipeline and leaves it. Returns whether the sync came and nothing failed
 * before it: then the transaction is committed. */
bool db_finish_pipeline(PGconn *link);
