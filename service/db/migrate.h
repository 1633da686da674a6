/* Brings a database to the schema of this program: forward only, checksummed, one at a time.
 *
 * The first migration, the baseline, makes the tables of a new database (sql/<subject>/tables.sql).
 * Databases of the first version (commit f51fa40) and of the last one before the baseline are
 * upgraded to it instead (sql/upgrade).
 *
 * A migration runs once, in a transaction of its own. What is attached to tables (trigger
 * functions, policies, and what they call) is one unit: when one of its files differs, one
 * transaction makes all of it again. Requests wait only for the second half of it, which locks
 * tables. Rows that every register has are applied file by file.
 *
 * The code that the program calls is made once, in a schema of its own, and never changed: programs
 * of several versions serve one database, each with its own code. `register.code_version` lists
 * what the database holds. Versions that no program uses are removed, except the newest other one.
 * A migration that begins with `-- contracts` ends all other versions.
 *
 * `register.schema_version` keeps each version that the database was migrated to. A database that
 * is newer than the program is left alone; the program serves it while its code is there. A trigger
 * refuses older programs that do not ask. The design follows pgroll (versions side by side).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum schema_standing {
    SCHEMA_CURRENT,    /* of this program's version, and complete */
    SCHEMA_INCOMPLETE, /* older, or not migrated to the end: `migrate` is needed */
    SCHEMA_NEWER,      /* migrated by a newer program, without this version's code */
    SCHEMA_SUPPORTED,  /* migrated by a newer program, with this version's code: may be served */
    SCHEMA_UNKNOWN     /* the database could not be asked */
} schema_standing;

typedef enum migrate_outcome {
    MIGRATE_DONE,
    MIGRATE_FAILED,
    MIGRATE_NEWER,
    MIGRATE_NO_UPGRADE
} migrate_outcome;

/* Applies what is missing to the database that the setting names, as a role that may create roles
 * and schemas (or with both made before), under an advisory lock, so that any number of callers may
 * start together. Prints what it applies to `out`. All outcomes but MIGRATE_DONE have their reason
 * in `reason`: MIGRATE_NEWER, the database is newer than this program; MIGRATE_NO_UPGRADE, it is
 * older than the baseline, and not a version that has an upgrade; MIGRATE_FAILED, a migration that
 * was applied has changed, a statement failed (with PostgreSQL's message), or a lock was not free
 * within its limit.
 */
migrate_outcome migrate_run(const char *setting, const char *conninfo, FILE *out, char *reason,
                            size_t reason_size);

/* How the schema stands to this program. For all but SCHEMA_CURRENT with one sentence in `reason`;
 * it names the file that is missing, or the versions. */
schema_standing migrate_check(const char *conninfo, char *reason, size_t reason_size);
