/* Whether PostgreSQL's own log would hold what requests hold. */
#pragma once

#include <stddef.h>

/* Asks the database, as the role that serves, and calls `report` with a sentence for each setting
 * that is at fault: its value, and the statement that repairs it. Returns how many there are, or -1
 * with one sentence in `reason` when the database cannot be asked. */
int logging_check(const char *conninfo, void (*report)(void *context, const char *text),
                  void *context, char *reason, size_t reason_size);
