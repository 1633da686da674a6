/* Checks whether row-level security binds the service's database role. */
#include "service/db/role.h"

#include "service/db/link.h"
#include "service/db/statement.h"

#include <stdio.h>
#include <string.h>

static bool is_true(const PGresult *facts, const char *column) {
    return *PQgetvalue(facts, 0, PQfnumber(facts, column)) == 't';
}

static role_result check_privileges(PGconn *link) {
    PGresult *facts =
        PQstatus(link) == CONNECTION_OK ? PQexec(link, statement_role_facts->text) : NULL;
    role_result result = ROLE_BOUND;
    if (facts == NULL || PQresultStatus(facts) != PGRES_TUPLES_OK || PQntuples(facts) != 1) {
        result = ROLE_UNKNOWN;
    } else if (is_true(facts, "super") || is_true(facts, "bypasses") || is_true(facts, "owns")) {
        result = ROLE_UNSAFE;
    }
    PQclear(facts);
    return result;
}

bool role_is_bound(PGconn *link) {
    return check_privileges(link) == ROLE_BOUND;
}

role_result role_check(const char *setting, const char *conninfo, char *reason,
                       size_t reason_size) {
    PGconn *link = link_open(setting, conninfo, reason, reason_size);
    if (link == NULL) {
        return ROLE_UNKNOWN;
    }
    role_result result = check_privileges(link);
    if (result == ROLE_UNKNOWN) {
        link_explain(link, setting, "asked about the role", reason, reason_size);
    } else if (result == ROLE_UNSAFE) {
        snprintf(reason, reason_size,
                 "%s: the role is a superuser, bypasses row-level security or owns tables; log in "
                 "as register_service.",
                 setting);
    }
    PQfinish(link);
    return result;
}
