/* Whether the service's database role is one that row-level security binds. */
#include "service/db/role.h"

#include "service/db/link.h"
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

role_verdict role_check(const char *setting, const char *conninfo, char *reason,
                        size_t reason_size) {
    PGconn *link = link_open(setting, conninfo, reason, reason_size);
    if (link == NULL) {
        return ROLE_UNKNOWN;
    }
    role_verdict verdict = judge(link);
    if (verdict == ROLE_UNKNOWN) {
        link_explain(link, setting, "asked about the role", reason, reason_size);
    } else if (verdict == ROLE_UNSAFE) {
        snprintf(reason, reason_size,
                 "%s: the role is a superuser, bypasses row-level security or owns tables; log in "
                 "as register_service.",
                 setting);
    }
    PQfinish(link);
    return verdict;
}
