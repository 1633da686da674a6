/* Checks whether the database keeps committed data even when its machine fails. */
#include "service/db/durability.h"

#include "service/db/link.h"
#include "service/db/statement.h"

#include <stdio.h>

durability_result durability_check(const char *conninfo, char *reason, size_t reason_size) {
    PGconn *link = link_open("LR_DATABASE", conninfo, reason, reason_size);
    if (link == NULL) {
        return DURABILITY_UNKNOWN;
    }
    PGresult *off = PQexec(link, statement_durability_off->text);
    durability_result result = DURABILITY_UNKNOWN;
    if (PQresultStatus(off) != PGRES_TUPLES_OK) {
        link_explain(link, "LR_DATABASE", "asked about its settings", reason, reason_size);
    } else if (PQntuples(off) > 0) {
        result = DURABILITY_OFF;
        snprintf(reason, reason_size,
                 "LR_DATABASE: the database has %s = off, and may lose what it confirmed; set it "
                 "on, or LR_MODE=dev for a register without real data.",
                 PQgetvalue(off, 0, 0));
    } else {
        result = DURABILITY_KEPT;
    }
    PQclear(off);
    PQfinish(link);
    return result;
}
