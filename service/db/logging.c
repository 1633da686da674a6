/* Checks whether PostgreSQL's own log would contain data of requests. */
#include "service/db/logging.h"

#include "service/db/link.h"
#include "service/db/statement.h"

#include <stdio.h>

enum { NAME, SETTING, SAFE, REPAIR, BECAUSE };

static void report_row(const PGresult *found, int row,
                       void (*report)(void *context, const char *text), void *context) {
    char text[600];
    const char *because = PQgetvalue(found, row, BECAUSE);
    snprintf(text, sizeof text,
             "PostgreSQL has %s = %s%s%s, so that its log records what requests hold. As a "
             "superuser: %s; or set it to %s in postgresql.conf.",
             PQgetvalue(found, row, NAME), PQgetvalue(found, row, SETTING),
             *because == '\0' ? "" : " with ", because, PQgetvalue(found, row, REPAIR),
             PQgetvalue(found, row, SAFE));
    report(context, text);
}

int logging_check(const char *conninfo, void (*report)(void *context, const char *text),
                  void *context, char *reason, size_t reason_size) {
    PGconn *link = link_open("LR_DATABASE", conninfo, reason, reason_size);
    if (link == NULL) {
        return -1;
    }
    PGresult *found = PQexec(link, statement_logging_exposes->text);
    int count = -1;
    if (PQresultStatus(found) == PGRES_TUPLES_OK) {
        count = PQntuples(found);
        for (int row = 0; row < count; row++) {
            report_row(found, row, report, context);
        }
    } else {
        link_explain(link, "LR_DATABASE", "asked about its log", reason, reason_size);
    }
    PQclear(found);
    PQfinish(link);
    return count;
}
