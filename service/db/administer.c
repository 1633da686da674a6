/* Changes that an operator makes by commands, with the rights of the register's owner. */
#include "service/db/administer.h"

#include "service/db/link.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* The message of the error alone, without its severity and context. */
static void take_message(const PGconn *link, const PGresult *result, char *text, size_t text_size) {
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message != NULL) {
        snprintf(text, text_size, "%s", message);
    } else {
        link_fault(link, text, text_size);
    }
    text[strcspn(text, "\n")] = '\0';
}

/* raise exception, and a text that is no time (classes P0 and 22). */
static bool is_refusal(const PGresult *result) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state != NULL && (strcmp(state, "P0001") == 0 || strncmp(state, "22", 2) == 0);
}

static administer_result run(PGconn *link, const char *command, int count,
                             const char *const *parameters, char *text, size_t text_size) {
    PGresult *result = PQexecParams(link, command, count, NULL, parameters, NULL, NULL, 0);
    administer_result outcome = ADMINISTER_DONE;
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        snprintf(text, text_size, "%s", PQgetvalue(result, 0, 0));
    } else if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        take_message(link, result, text, text_size);
        outcome = is_refusal(result) ? ADMINISTER_REFUSED : ADMINISTER_UNAVAILABLE;
    }
    PQclear(result);
    return outcome;
}

administer_result administer(const char *setting, const char *conninfo, const statement *statement,
                             const char *const *parameters, char *text, size_t text_size) {
    PGconn *link = link_open_code(setting, conninfo, text, text_size);
    if (link == NULL) {
        return ADMINISTER_UNAVAILABLE;
    }
    administer_result outcome = run(link, statement_schema_own->text, 0, NULL, text, text_size);
    if (outcome == ADMINISTER_DONE) {
        outcome = run(link, statement->text, statement->parameters, parameters, text, text_size);
    }
    PQfinish(link);
    return outcome;
}
