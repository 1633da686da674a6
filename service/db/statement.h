/* The named statements of sql/queries and the files of the schema, compiled into the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct statement {
    const char *name;
    const char *text;
    int parameters;
    bool unprepared; /* planned at each call with its values: lists with optional filters */
    bool standby;    /* may be answered by a standby (service/db/replica_router.h) */
} statement;

/* Written by the build: statement_<name> for each `-- name:` line. */
#include "statement_names.h"

extern const statement statements[];
extern const size_t statement_count;

/* Migrations are applied once and never change. Code (functions, types, triggers, policies) is made
 * again as a whole, data again file by file, whenever a text changes. */
typedef enum schema_kind { SCHEMA_MIGRATION, SCHEMA_CODE, SCHEMA_DATA } schema_kind;

typedef struct schema_file {
    const char *path;     /* below sql/ */
    const char *text;     /* of code: the definitions of its functions and types */
    const char *wiring;   /* of code: its other statements, which lock tables; else "" */
    const char *checksum; /* SHA-256 of the file */
    schema_kind kind;
} schema_file;

/* Written by the build, in the order in which they are applied. */
extern const schema_file schema_files[];
extern const size_t schema_file_count;
extern const char schema_roles[];

/* Names the texts above: the number of the last migration and a digest. */
extern const char schema_version[];

/* As PostgreSQL arrays: the paths above, those of the migrations, and sql/supported_versions.txt.
 */
extern const char schema_paths[];
extern const char schema_migrations[];
extern const char schema_supported[];
