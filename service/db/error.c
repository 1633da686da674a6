/* Errors of PostgreSQL as problems: the one table from SQLSTATE to problem code. */
#include "service/db/error.h"

#include "service/log.h"

#include <stdio.h>
#include <string.h>

typedef struct mapping {
    const char *prefix; /* prefix of the SQLSTATE; the first matching row wins */
    db_failure failure;
    const char *code;
} mapping;

static const mapping mappings[] = {
    {"40001", DB_RETRY, "overloaded"},                 /* serialization_failure */
    {"40P01", DB_RETRY, "overloaded"},                 /* deadlock_detected */
    {"55P03", DB_REFUSED, "overloaded"},               /* lock_not_available: lock_timeout */
    {"57014", DB_REFUSED, "overloaded"},               /* query_canceled: statement_timeout */
    {"57P", DB_UNAVAILABLE, "database_unavailable"},   /* shutdown, crash, starting up */
    {"08", DB_UNAVAILABLE, "database_unavailable"},    /* connection_exception */
    {"25006", DB_UNAVAILABLE, "database_unavailable"}, /* read_only_sql_transaction: a standby */
    {"53", DB_REFUSED, "overloaded"},                  /* insufficient_resources, disk full */
    {"42501", DB_REFUSED, "not_found"},      /* insufficient_privilege: row-level security */
    {"23505", DB_REFUSED, "state_conflict"}, /* unique_violation: never says which row */
    {"23", DB_REFUSED, "rule_violation"},    /* integrity_constraint_violation */
    {"22", DB_REFUSED, "rule_violation"},    /* data_exception */
};

db_error db_error_read(const PGresult *result, arena *memory) {
    db_error error = {.failure = DB_UNAVAILABLE, .code = "database_unavailable"};
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL) {
        return error;
    }
    snprintf(error.sqlstate, sizeof error.sqlstate, "%s", state);
    error.constraint = arena_strdup(memory, PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    if (strncmp(state, "LR", 2) == 0) {
        /* Raised by the function `refuse` (sql/core/common.sql): the message is the code. */
        error.failure = DB_REFUSED;
        error.code = arena_strdup(memory, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
        error.errors = arena_strdup(memory, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
        return error;
    }
    for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++) {
        if (strncmp(state, mappings[i].prefix, strlen(mappings[i].prefix)) == 0) {
            error.failure = mappings[i].failure;
            error.code = mappings[i].code;
            return error;
        }
    }
    error.failure = DB_REFUSED;
    error.code = "internal";
    return error;
}

void db_error_name_in_flight(db_error *error) {
    if (strcmp(error->sqlstate, "55P03") == 0) {
        error->code = "idempotency_in_flight";
    }
}

void db_error_name_audit(db_error *error) {
    if (error->failure == DB_REFUSED && error->sqlstate[0] != '\0') {
        log_write(LOG_ERROR, "the audit trail could not be added to, SQLSTATE %s", error->sqlstate);
        error->code = "database_unavailable";
    }
}
