/* Brings a database to the schema of this program: forward only, checksummed, one run at a time.
 *
 * The first migration, the baseline, creates the tables of a new database
 * (sql/<subject>/tables.sql). Databases of the first version (commit f51fa40) and of the last one
 * before the baseline are upgraded to it instead (sql/upgrade).
 *
 * A migration runs once, in its own transaction. The objects attached to tables (trigger functions,
 * policies, and the functions they call) are one unit: when one of its files differs, one
 * transaction creates all of it again. Requests wait only for the second half of that transaction,
 * which locks tables. Rows that every register has are applied file by file.
 *
 * The code that the program calls is created once, in its own schema, and never changed: programs
 * of several versions serve one database, each with its own code. `register.code_version` lists the
 * versions in the database. Versions that no program uses are removed, except the newest other one.
 * A migration that begins with `-- contracts` ends all other versions.
 *
 * `register.schema_version` records each version to which the database was migrated. A database
 * that is newer than the program is not changed; the program serves it while its code is there. A
 * trigger refuses older programs that do not check this. The design follows pgroll (versions side
 * by side). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum schema_standing {
    SCHEMA_CURRENT,    /* of this program's version, and complete */
    SCHEMA_INCOMPLETE, /* older, or not fully migrated: run `migrate` */
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

/* Migrates the database that the setting names. The role must be able to create roles and schemas,
 * unless both exist. An advisory lock lets any number of callers start together. Prints each
 * applied file to `out`. All outcomes except MIGRATE_DONE have their reason in `reason`:
 * MIGRATE_NEWER, the database is newer than this program; MIGRATE_NO_UPGRADE, it is older than the
 * baseline, and its version has no upgrade; MIGRATE_FAILED, an applied migration has changed, a
 * statement failed (with PostgreSQL's message), or a lock was not free within its limit. */
migrate_outcome migrate_run(const char *setting, const char *conninfo, FILE *out, char *reason,
                            size_t reason_size);

/* Compares the schema with this program. For all results except SCHEMA_CURRENT one sentence in
 * `reason` names the missing file, or the versions. */
schema_standing migrate_check(const char *conninfo, char *reason, size_t reason_size);
