/* One statement in one transaction with the claims of a principal, in one round trip. */
#include "service/db/call.h"

#include "service/clock.h"
#include "service/db/json_text.h"
#include "service/db/wait.h"

#include <stdlib.h>
#include <string.h>

enum { TAKE_WAIT_MS = 500, TRIES_MAX = 3, REPEAT_WITHIN_MS = 2000 };

bool db_send(PGconn *link, const statement *statement, const char *const *parameters) {
    if (statement->unprepared) {
        return PQsendQueryParams(link, statement->text, statement->parameters, NULL, parameters,
                                 NULL, NULL, 0) == 1;
    }
    return PQsendQueryPrepared(link, statement->name, statement->parameters, parameters, NULL, NULL,
                               0) == 1;
}

/* The parameters of statement_claims. */
typedef struct claims {
    const char *values[4];
} claims;

static claims claims_of(const principal *principal) {
    return (claims){
        {principal->organisation, principal->scopes, principal->client, principal->token_id}};
}

bool db_send_claims(PGconn *link, const principal *principal) {
    return db_send(link, statement_claims, claims_of(principal).values);
}

bool db_claims_known(const PGresult *claims) {
    return PQntuples(claims) == 1 && *PQgetvalue(claims, 0, 0) == 't';
}

PGresult *db_next_result(PGconn *link) {
    for (int ends = 0; ends < 2;) {
        if (!db_wait(link)) {
            return NULL;
        }
        PGresult *result = PQgetResult(link);
        if (result != NULL) {
            return result;
        }
        ends++; /* one NULL ends a statement; two in a row mean that the pipeline is empty */
    }
    return NULL;
}

bool db_finish_pipeline(PGconn *link) {
    bool committed = true;
    for (;;) {
        PGresult *result = db_next_result(link);
        if (result == NULL) {
            return false;
        }
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC) {
            return PQexitPipelineMode(link) == 1 && committed;
        }
        committed = committed && status != PGRES_FATAL_ERROR;
    }
}

static bool is_success(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static PGresult *fail(PGresult *result, db_error *error, arena *memory) {
    *error = db_error_read(result, memory);
    PQclear(result);
    return NULL;
}

/* Reads the result of the claims. Returns whether the organisation is known; otherwise returns
 * false and sets `error`. */
static bool read_claims(PGconn *link, db_error *error, arena *memory) {
    PGresult *result = db_next_result(link);
    if (result == NULL || !is_success(result)) {
        fail(result, error, memory);
        return false;
    }
    bool known = db_claims_known(result);
    PQclear(result);
    if (!known) {
        *error = (db_error){.failure = DB_REFUSED, .code = "organisation_not_allowed"};
    }
    return known;
}

static bool send_position(PGconn *link, const char *position) {
    return position == NULL || db_send(link, statement_await_position, &position);
}

/* Returns whether the statement before the claims, if one was sent, succeeded; otherwise returns
 * false and sets `error`. */
static bool read_before(PGconn *link, bool sent, db_error *error, arena *memory) {
    if (!sent) {
        return true;
    }
    PGresult *result = db_next_result(link);
    if (result == NULL || !is_success(result)) {
        fail(result, error, memory);
        return false;
    }
    PQclear(result);
    return true;
}

const char *db_answer(const PGresult *result) {
    int number = PQfnumber(result, "items");
    if (number < 0 || PQgetisnull(result, 0, number)) {
        number = PQfnumber(result, "body");
    }
    return number < 0 || PQgetisnull(result, 0, number) ? NULL : PQgetvalue(result, 0, number);
}

/* Sends everything up to the statement's end. An audited call begins a transaction, which its entry
 * ends. PostgreSQL waits between the two, but not indefinitely
 * (idle_in_transaction_session_timeout). */
static bool send_call(PGconn *link, const principal *principal, const db_call *call) {
    return PQenterPipelineMode(link) == 1 &&
           (call->audit == NULL || db_send(link, statement_begin, NULL)) &&
           send_position(link, call->position) &&
           (principal == NULL || db_send_claims(link, principal)) &&
           db_send(link, call->statement, call->parameters) && PQpipelineSync(link) == 1;
}

/* The connection broke at a time when the statement may have been committed. */
static PGresult *fail_midway(PGresult *result, const db_call *call, db_error *error,
                             arena *memory) {
    fail(NULL, error, memory);
    error->failure = call->safe_to_repeat ? DB_UNAVAILABLE : DB_UNCERTAIN;
    PQclear(result);
    return NULL;
}

/* The same for an audited call that has not asked to commit yet. */
static PGresult *fail_unfinished(PGresult *result, const db_call *call, db_error *error,
                                 arena *memory) {
    return call->audit == NULL ? fail_midway(result, call, error, memory)
                               : fail(result, error, memory);
}

/* Runs claims and statement. Returns the statement's result, committed unless the call is audited.
 */
static PGresult *run_statement(PGconn *link, const principal *principal, const db_call *call,
                               db_error *error, arena *memory) {
    if (!send_call(link, principal, call)) {
        return fail(NULL, error, memory);
    }
    bool good = read_before(link, call->audit != NULL, error, memory) &&
                read_before(link, call->position != NULL, error, memory) &&
                (principal == NULL || read_claims(link, error, memory));
    PGresult *result = db_next_result(link);
    if (result == NULL) {
        return fail_unfinished(NULL, call, error, memory);
    }
    if (good && !is_success(result)) {
        result = fail(result, error, memory);
        good = false;
    }
    if (!db_finish_pipeline(link) && good) {
        return fail_unfinished(result, call, error, memory);
    }
    if (!good) {
        PQclear(result);
        return NULL;
    }
    return result;
}

/* Ends an audited call: writes the entry of its answer, if there is one, and commits. Returns the
 * answer; on failure clears it and returns NULL with `error`. */
static PGresult *commit_audited(PGconn *link, const db_call *call, PGresult *answer,
                                db_error *error, arena *memory) {
    const char *parameters[AUDIT_PARAMETERS];
    bool noted = PQntuples(answer) > 0;
    if (noted) {
        audit_parameters(call->audit, db_answer(answer), parameters, memory);
    }
    if (PQenterPipelineMode(link) != 1 ||
        (noted && !db_send(link, statement_audit_write, parameters)) ||
        !db_send(link, statement_commit, NULL) || PQpipelineSync(link) != 1) {
        return fail_midway(answer, call, error, memory);
    }
    PGresult *entry = noted ? db_next_result(link) : NULL;
    bool written = !noted || (entry != NULL && is_success(entry));
    if (written) {
        PQclear(entry);
    } else {
        fail(entry, error, memory);
        db_error_name_audit(error);
    }
    if (!db_finish_pipeline(link) && written) {
        return fail_midway(answer, call, error, memory);
    }
    if (!written) {
        PQclear(answer);
        return NULL;
    }
    return answer;
}

/* Outside a pipeline one NULL ends the statement. */
static bool end_statement(PGconn *link) {
    if (!db_wait(link)) {
        return false;
    }
    PGresult *more = PQgetResult(link);
    PQclear(more);
    return more == NULL;
}

/* Begins or ends a transaction, outside a pipeline. */
static bool run_command(PGconn *link, const statement *command) {
    PGresult *result = db_send(link, command, NULL) ? db_next_result(link) : NULL;
    bool good = result != NULL && PQresultStatus(result) == PGRES_COMMAND_OK && end_statement(link);
    PQclear(result);
    return good;
}

static PGresult *run_on(PGconn *link, const principal *principal, const db_call *call,
                        db_error *error, arena *memory) {
    PGresult *result = run_statement(link, principal, call, error, memory);
    if (call->audit != NULL && result != NULL) {
        result = commit_audited(link, call, result, error, memory);
    }
    PGTransactionStatusType left = PQtransactionStatus(link);
    if (PQpipelineStatus(link) == PQ_PIPELINE_OFF &&
        (left == PQTRANS_INERROR || left == PQTRANS_INTRANS)) {
        run_command(link, statement_rollback);
    }
    return result;
}

static connection *take_connection(pool *pool, db_error *error) {
    /* While the database is unreachable the call does not wait: the answer is 503 at once. */
    connection *taken = pool_take(pool, pool_is_connected(pool) ? TAKE_WAIT_MS : 0);
    if (taken == NULL) {
        *error =
            (db_error){.failure = DB_UNAVAILABLE,
                       .code = pool_is_connected(pool) ? "overloaded" : "database_unavailable"};
    }
    return taken;
}

db_retry db_retry_begin(void) {
    return (db_retry){.began_ms = now_ms(), .left = TRIES_MAX};
}

bool db_retry_is_prompt(const db_retry *retry) {
    return now_ms() - retry->began_ms < REPEAT_WITHIN_MS;
}

bool db_retry_again(db_retry *retry) {
    return --retry->left > 0 && db_retry_is_prompt(retry);
}

PGresult *db_call_run(pool *pool, const principal *principal, const db_call *call, db_error *error,
                      arena *memory) {
    for (db_retry retry = db_retry_begin();;) {
        connection *taken = take_connection(pool, error);
        if (taken == NULL) {
            return NULL;
        }
        PGresult *result = run_on(taken->link, principal, call, error, memory);
        pool_give(taken);
        bool passing = error->failure == DB_RETRY ||
                       (error->failure == DB_UNAVAILABLE && call->safe_to_repeat);
        if (result != NULL || !passing || !db_retry_again(&retry)) {
            return result;
        }
    }
}

/* Returns the text of the first row's column; NULL when there is none. */
static const char *find_text(const PGresult *result, const char *column) {
    int number = PQfnumber(result, column);
    bool found = number >= 0 && PQntuples(result) > 0 && !PQgetisnull(result, 0, number);
    return found ? PQgetvalue(result, 0, number) : NULL;
}

const char *db_text(const PGresult *result, const char *column, arena *memory) {
    return arena_strdup(memory, find_text(result, column));
}

const char *db_json(const PGresult *result, const char *column, arena *memory) {
    const char *text = find_text(result, column);
    return text == NULL ? NULL : json_text_compact(text, memory);
}

bool db_reply_read(const PGresult *result, db_reply *reply, arena *memory) {
    if (PQntuples(result) < 1) {
        return false;
    }
    const char *status = db_text(result, "status", memory);
    *reply = (db_reply){.status = status == NULL ? 200 : (int)strtol(status, NULL, 10),
                        .version = db_text(result, "version", memory),
                        .location = db_text(result, "location", memory),
                        .body = db_json(result, "body", memory)};
    return true;
}

PGresult *db_step(db_transaction *transaction, const statement *statement,
                  const char *const *parameters, db_error *error) {
    PGconn *link = transaction->taken->link;
    if (!db_send(link, statement, parameters)) {
        return fail(NULL, error, transaction->memory);
    }
    PGresult *result = db_next_result(link);
    bool ended = result != NULL && end_statement(link);
    return ended && is_success(result) ? result : fail(result, error, transaction->memory);
}

bool db_begin(db_transaction *transaction, pool *pool, const principal *principal, db_error *error,
              arena *memory) {
    transaction->memory = memory;
    transaction->taken = take_connection(pool, error);
    if (transaction->taken == NULL) {
        return false;
    }
    PGresult *result = NULL;
    if (run_command(transaction->taken->link, statement_begin)) {
        result = db_step(transaction, statement_claims, claims_of(principal).values, error);
    } else {
        fail(NULL, error, memory);
    }
    bool known = result != NULL && db_claims_known(result);
    if (result != NULL && !known) {
        *error = (db_error){.failure = DB_REFUSED, .code = "organisation_not_allowed"};
    }
    PQclear(result);
    if (!known) {
        db_rollback(transaction);
    }
    return known;
}

bool db_commit(db_transaction *transaction, db_error *error) {
    bool committed = run_command(transaction->taken->link, statement_commit);
    pool_give(transaction->taken);
    if (!committed) {
        *error = (db_error){.failure = DB_UNCERTAIN, .code = "database_unavailable"};
    }
    return committed;
}

void db_rollback(db_transaction *transaction) {
    run_command(transaction->taken->link, statement_rollback);
    pool_give(transaction->taken);
}

bool db_idempotency_find(db_transaction *transaction, const db_idempotency *idempotency,
                         db_reply *reply, db_error *error) {
    const char *const parameters[] = {idempotency->key};
    PGresult *found = db_step(transaction, statement_idempotency_find, parameters, error);
    if (found == NULL) {
        db_error_name_in_flight(error);
        return true;
    }
    const char *hash = db_text(found, "request_hash", transaction->memory);
    bool settled = hash != NULL;
    if (settled && strcmp(hash, idempotency->request_hash) != 0) {
        *error = (db_error){.failure = DB_REFUSED, .code = "idempotency_key_reused"};
    } else if (settled) {
        db_reply_read(found, reply, transaction->memory);
        reply->replayed = true;
    }
    PQclear(found);
    return settled;
}

bool db_idempotency_store(db_transaction *transaction, const db_idempotency *idempotency,
                          const db_reply *reply, db_error *error) {
    const char *const parameters[] = {idempotency->key,
                                      idempotency->request_hash,
                                      arena_printf(transaction->memory, "%d", reply->status),
                                      reply->version,
                                      reply->location,
                                      reply->body,
                                      idempotency->path};
    PGresult *stored = db_step(transaction, statement_idempotency_store, parameters, error);
    if (stored != NULL) {
        PQclear(stored);
        return true;
    }
    if (strcmp(error->sqlstate, "23505") == 0) {
        error->failure = DB_RETRY; /* the same key has finished since: its answer is stored */
    }
    db_error_name_in_flight(error);
    return false;
}

bool db_audit(db_transaction *transaction, const audit_note *note, const char *answer,
              db_error *error) {
    const char *parameters[AUDIT_PARAMETERS];
    if (note == NULL) {
        return true;
    }
    audit_parameters(note, answer, parameters, transaction->memory);
    PGconn *link = transaction->taken->link;
    PGresult *entry = NULL;
    if (db_send(link, statement_audit_write, parameters)) {
        entry = db_next_result(link);
        PQclear(entry == NULL ? NULL : PQgetResult(link));
    }
    if (entry == NULL || !is_success(entry)) {
        fail(entry, error, transaction->memory);
        db_error_name_audit(error);
        return false;
    }
    PQclear(entry);
    return true;
}

bool db_audit_replay(db_transaction *transaction, const audit_note *note, const db_reply *reply,
                     db_error *error) {
    if (note == NULL) {
        return true;
    }
    audit_note read = *note;
    read.kind = "read";
    return db_audit(transaction, &read, reply->body, error);
}

static bool run_idempotent(pool *pool, const principal *principal, const db_call *call,
                           const db_idempotency *idempotency, db_reply *reply, db_error *error,
                           arena *memory) {
    db_transaction transaction;
    *error = (db_error){0};
    if (!db_begin(&transaction, pool, principal, error, memory)) {
        return false;
    }
    bool good;
    if (db_idempotency_find(&transaction, idempotency, reply, error)) {
        good = error->code == NULL && db_audit_replay(&transaction, call->audit, reply, error);
    } else {
        PGresult *result = db_step(&transaction, call->statement, call->parameters, error);
        good = result != NULL && db_reply_read(result, reply, memory) &&
               db_idempotency_store(&transaction, idempotency, reply, error) &&
               db_audit(&transaction, call->audit, reply->body, error);
        PQclear(result);
    }
    if (!good) {
        db_rollback(&transaction);
        return false;
    }
    return db_commit(&transaction, error);
}

bool db_call_idempotent(pool *pool, const principal *principal, const db_call *call,
                        const db_idempotency *idempotency, db_reply *reply, db_error *error,
                        arena *memory) {
    for (db_retry retry = db_retry_begin();;) {
        bool done = run_idempotent(pool, principal, call, idempotency, reply, error, memory);
        /* With a key the call may be retried even after an uncertain commit: the key shows whether
         * the commit happened. */
        if (done || error->failure == DB_REFUSED || !db_retry_again(&retry)) {
            return done;
        }
    }
}
