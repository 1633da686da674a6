/* Brings a database to the schema of this program: forward only, checksummed, one at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Applies what is missing to the database, as a role that may create roles and schemas (or with
 * both made before). Each file runs in a transaction of its own under an advisory lock, so that any
 * number of callers may start together. Prints a line a file to `out`. Returns false with one
 * sentence in `reason`: a file that was applied has changed, a statement failed (with PostgreSQL's
 * message), or a lock was not free within its limit. */
bool migrate_run(const char *conninfo, FILE *out, char *reason, size_t reason_size);

/* Whether the schema is complete. Returns 0: yes, 1: files are missing or changed (named in
 * `reason`), -1: the database could not be asked. */
int migrate_check(const char *conninfo, char *reason, size_t reason_size);
