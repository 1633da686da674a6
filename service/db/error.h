/* Errors of PostgreSQL as problems: the one table from SQLSTATE to problem code. */
#pragma once

#include "service/arena.h"

#include <libpq-fe.h>
#include <stdbool.h>

typedef enum db_failure {
    DB_REFUSED,     /* the statement was refused with `code`; nothing changed */
    DB_UNAVAILABLE, /* no connection, or it broke before the commit was sent */
    DB_UNCERTAIN,   /* it broke during the commit: the change may have happened */
    DB_RETRY        /* serialisation failure or deadlock: nothing changed, retry */
} db_failure;

typedef struct db_error {
    db_failure failure;
    const char *code;       /* of the problem catalogue */
    const char *errors;     /* JSON array of {pointer, rule, message}, or NULL */
    char sqlstate[6];       /* "" when there was no answer */
    const char *constraint; /* of SQLSTATE class 23, or NULL; for the log only */
} db_error;

/* Reads the error of a failed result (or of a broken connection: result NULL). Strings live in
 * `memory`. */
db_error db_error_read(const PGresult *result, arena *memory);

/* For a statement that waits only for an equal one: a lock timeout means that the same request is
 * still running, idempotency_in_flight. Other errors stay as they are. */
void db_error_name_in_flight(db_error *error);

/* For an entry of the audit trail that PostgreSQL refused: logs it, and the error becomes
 * database_unavailable, because an answer must not be sent without its entry, whatever the reason.
 * Other errors stay as they are. */
void db_error_name_audit(db_error *error);
