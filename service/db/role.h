/* Checks whether row-level security binds the service's database role. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum role_result {
    ROLE_BOUND,  /* in order */
    ROLE_UNSAFE, /* a superuser, bypasses row-level security, or owns tables of the register */
    ROLE_UNKNOWN /* the database could not be asked */
} role_result;

/* Asks the database that the setting names; writes one sentence to `reason` unless the role is
 * safe. */
role_result role_check(const char *setting, const char *conninfo, char *reason, size_t reason_size);

/* Asks over an open connection: returns whether row-level security certainly binds its role. */
bool role_is_bound(PGconn *link);
