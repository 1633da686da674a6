/* Whether the service's database role is one that row-level security binds. */
#include "service/db/role.h"

#include "service/db/statement.h"

#include <stdio.h>
#include <string.h>

static bool is_true(const PGresult *facts, const char *column) {
    return *PQgetvalue(facts, 0, PQfnumber(facts, column)) == 't';
}

static role_verdict judge(PGconn *link) {
    PGresult *facts =
        PQstatus(link) == CONNECTION_OK ? PQexec(link, statement_role_facts->text) : NULL;
    role_verdict verdict = ROLE_BOUND;
    if (facts == NULL || PQresultStatus(facts) != PGRES_TUPLES_OK || PQntuples(facts) != 1) {
        verdict = ROLE_UNKNOWN;
    } else if (is_true(facts, "super") || is_true(facts, "bypasses") || is_true(facts, "owns")) {
        verdict = ROLE_UNSAFE;
    }
    PQclear(facts);
    return verdict;
}

bool role_is_bound(PGconn *link) {
    return judge(link) == ROLE_BOUND;
}

role_verdict role_check(const char *conninfo, char *reason, size_t reason_size) {
    PGconn *link = PQconnectdb(conninfo);
    role_verdict verdict = judge(link);
    if (verdict == ROLE_UNKNOWN) {
        snprintf(reason, reason_size,
                 "LR_DATABASE: the database cannot be reached or asked about the role.");
    } else if (verdict == ROLE_UNSAFE) {
        snprintf(reason, reason_size,
                 "LR_DATABASE: the role is a superuser, bypasses row-level security or owns "
                 "tables; log in as "
                 "register_service.");
    }
    PQfinish(link);
    return verdict;
}
