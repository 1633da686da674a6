/* Checks whether PostgreSQL's own log would contain data of requests. */
#pragma once

#include <stddef.h>

/* Asks the database, as the serving role, and calls `report` with a sentence for each setting at
 * fault: its value, and the statement that repairs it. Returns the number of faults, or -1 with one
 * sentence in `reason` when the database cannot be asked. */
int logging_check(const char *conninfo, void (*report)(void *context, const char *text),
                  void *context, char *reason, size_t reason_size);
