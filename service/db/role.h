/* Whether the service's database role is one that row-level security binds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Asks the database. Returns true, or false with one sentence in `reason`: the role is a superuser,
 * bypasses row-level security or owns tables of the register; or the database could not be asked.
 */
bool role_check(const char *conninfo, char *reason, size_t reason_size);
