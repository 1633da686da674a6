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
    const char *position;    /* for a standby: it must have replayed this; NULL: any */
    const audit_note *audit; /* NULL: the call has no audit entry */
    bool safe_to_repeat;     /* changes nothing: retried once on a new connection */
} db_call;

/* Limits the retries of a call: a few while it fails fast. After a silence of the database there is
 * no retry, because the client's time would be over before its end. */
typedef struct db_retry {
    int64_t began_ms;
    int left;
} db_retry;
db_retry db_retry_begin(void);
/* Returns whether the attempts so far failed fast. */
bool db_retry_is_prompt(const db_retry *retry);
/* Returns whether another attempt may follow a failed one. */
bool db_retry_again(db_retry *retry);

/* Runs the call as `principal` (NULL: without claims). Claims, statement and commit travel in one
 * pipeline up to one sync, which PostgreSQL runs as one transaction (documentation 34.5.1.1). With
 * a note of `audit` the answer is read first, and its entry in the audit trail is sent with the
 * commit. Without the entry there is no answer (and no change), but the error database_unavailable.
 * Returns the result, which the caller clears, or NULL with `error` filled, its strings in
 * `memory`. An organisation that the database does not know gives the error code
 * organisation_not_allowed. */
PGresult *db_call_run(pool *pool, const principal *principal, const db_call *call, db_error *error,
                      arena *memory);

/* A transaction of several round trips, for work that one pipeline cannot do. */
typedef struct db_transaction {
    connection *taken;
    arena *memory;
} db_transaction;

/* Begins with the claims of `principal`. Returns false with `error`; then there is no transaction
 * to end. */
bool db_begin(db_transaction *transaction, pool *pool, const principal *principal, db_error *error,
              arena *memory);
/* Runs one statement in the transaction. Returns its result, which the caller clears, or NULL with
 * `error`. */
PGresult *db_step(db_transaction *transaction, const statement *statement,
                  const char *const *parameters, db_error *error);
/* Commits. Returns false with `error` when the commit is not confirmed. */
bool db_commit(db_transaction *transaction, db_error *error);
void db_rollback(db_transaction *transaction);

/* The key and the request of a POST with an Idempotency-Key (IETF
 * draft-ietf-httpapi-idempotency-key-header-07). */
typedef struct db_idempotency {
    const char *key;
    const char *request_hash;
    const char *path; /* from the request: the resource that its answer describes, unless it has a
                         Location */
} db_idempotency;

/* The answer of an operation: the row {status, version, location, body}. Strings in `memory`. */
typedef struct db_reply {
    int status;
    const char *version, *location, *body; /* NULL for null */
    bool replayed;
} db_reply;

/* Runs the call, a statement that returns one reply row, at most once for the key. The same
 * transaction stores the reply, and a later call with the key gets it back. Returns true with
 * `reply` filled, or false with `error`: idempotency_key_reused for another request with the same
 * key, idempotency_in_flight while the first one is running. A stored reply shows only what
 * `principal` may see now; it is not_found when `principal` may no longer see its resource. */
bool db_call_idempotent(pool *pool, const principal *principal, const db_call *call,
                        const db_idempotency *idempotency, db_reply *reply, db_error *error,
                        arena *memory);

/* Inside a transaction: finds an answer stored under the key. Returns whether that settles the
 * request: then `reply` is filled, or `error` when it was another request or the search failed. */
bool db_idempotency_find(db_transaction *transaction, const db_idempotency *idempotency,
                         db_reply *reply, db_error *error);
/* Inside a transaction: stores the answer under the key. Returns false with `error`. */
bool db_idempotency_store(db_transaction *transaction, const db_idempotency *idempotency,
                          const db_reply *reply, db_error *error);

/* Inside a transaction: adds the entry of an answer (JSON text, or NULL) to the audit trail. Does
 * nothing without a note. Returns false with `error`. */
bool db_audit(db_transaction *transaction, const audit_note *note, const char *answer,
              db_error *error);

/* The same for a stored answer that is sent again, which counts as a read. */
bool db_audit_replay(db_transaction *transaction, const audit_note *note, const db_reply *reply,
                     db_error *error);

/* Reads a reply row. Returns false when there is none. */
bool db_reply_read(const PGresult *result, db_reply *reply, arena *memory);

/* Returns the text of the first row's column, copied into `memory`; NULL when there is no row, no
 * such column, or null. */
const char *db_text(const PGresult *result, const char *column, arena *memory);

/* The same for JSON text, which is compact in the copy. */
const char *db_json(const PGresult *result, const char *column, arena *memory);

/* Returns the JSON text that the first row shows: its list `items`, else its document `body`, else
 * NULL. It lives as long as the result, which has a row. */
const char *db_answer(const PGresult *result);

/* Building blocks for callers that pipeline several statements (service/db/group_commit.c). */
bool db_send(PGconn *link, const statement *statement, const char *const *parameters);
bool db_send_claims(PGconn *link, const principal *principal);
/* Returns whether the result of the claims says that the organisation is known. */
bool db_claims_known(const PGresult *claims);
/* Returns the next result of the pipeline; NULL when the connection broke or was silent (db_wait).
 * Skips the end-of-statement marks. */
PGresult *db_next_result(PGconn *link);
/* Reads to the end of the pipeline and leaves it. Returns whether the sync arrived and nothing
 * failed before it: then the transaction is committed. */
bool db_finish_pipeline(PGconn *link);
