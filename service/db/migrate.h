/* Brings a database to the schema of this program: forward only, checksummed, one at a time.
 *
 * A migration runs once, in a transaction of its own. The code (sql/functions) is one thing: when
 * one of its files differs, one transaction makes all of it again and drops every function, trigger
 * and policy that it did not make, so that an upgraded database has what a new one has. Requests
 * wait only for the second half of it, which locks tables. A composite type that changes has to be
 * dropped by a migration (`drop type … cascade`). Reference data is applied file by file.
 *
 * `register.schema_version` keeps each version that the database was migrated to. A database that
 * is newer than the program is left alone; it is served only when the newer program listed the
 * older one's version (sql/supported_versions.txt). A trigger refuses older programs that do not
 * ask. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum schema_standing {
    SCHEMA_CURRENT,    /* of this program's version, and complete */
    SCHEMA_INCOMPLETE, /* older, or not migrated to the end: `migrate` is needed */
    SCHEMA_NEWER,      /* migrated by a newer program that does not list this version */
    SCHEMA_SUPPORTED,  /* migrated by a newer program that lists this version: may be served */
    SCHEMA_UNKNOWN     /* the database could not be asked */
} schema_standing;

typedef enum migrate_outcome { MIGRATE_DONE, MIGRATE_FAILED, MIGRATE_NEWER } migrate_outcome;

/* Applies what is missing to the database that the setting names, as a role that may create roles
 * and schemas (or with both made before), under an advisory lock, so that any number of callers may
 * start together. Prints what it applies to `out`. Returns MIGRATE_NEWER with one sentence in
 * `reason` when the database is newer than this program, and MIGRATE_FAILED when a migration that
 * was applied has changed, a statement failed (with PostgreSQL's message), or a lock was not free
 * within its limit.
 */
migrate_outcome migrate_run(const char *setting, const char *conninfo, FILE *out, char *reason,
                            size_t reason_size);

/* How the schema stands to this program. For all but SCHEMA_CURRENT with one sentence in `reason`;
 * it names the file that is missing, or the versions. */
schema_standing migrate_check(const char *conninfo, char *reason, size_t reason_size);
