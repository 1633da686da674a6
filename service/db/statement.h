/* The named statements and the files of sql/, compiled into the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct statement {
    const char *name;
    const char *text;
    int parameters;
    bool unprepared; /* planned at each call with its values: lists (service/db/lists.py) */
    bool standby;    /* a standby may answer it (service/db/replica_router.h) */

    /* Of a list, which has several texts. The first one that matches a request is right. */
    const char *order; /* the sort order of this text; NULL: not a list */
    bool several;      /* for requests with several values of a filter */
    bool more;         /* the next statement is another text of the list */
} statement;

/* Written by the build: statement_<name> for each `-- name:` line. */
#include "statement_names.h"

extern const statement statements[];
extern const size_t statement_count;

/* The kinds of files that `migrate` applies to the schema register. Migrations are applied once and
 * never change. When a text changes, the objects attached to tables (trigger functions, policies,
 * and the functions they call) are created again as a whole; rows that every register has are
 * applied again file by file. */
typedef enum schema_kind { SCHEMA_MIGRATION, SCHEMA_ATTACHED, SCHEMA_ROWS } schema_kind;

typedef struct schema_file {
    const char *path;     /* below sql/ */
    const char *text;     /* for attached code: the definitions of its functions */
    const char *wiring;   /* for attached code: its other statements, which lock tables; else "" */
    const char *checksum; /* SHA-256 of the file */
    schema_kind kind;
} schema_file;

/* Written by the build, in the order in which they are applied. */
extern const schema_file schema_files[];
extern const size_t schema_file_count;
extern const char schema_roles[];

/* The path of the migration that creates the tables of a new database. */
extern const char schema_baseline[];

/* Upgrades the tables of a version before the baseline to those of the baseline. */
typedef struct schema_upgrade {
    const char *from; /* path of the last migration of that version */
    const char *text;
} schema_upgrade;

extern const schema_upgrade schema_upgrades[];
extern const size_t schema_upgrade_count;

/* The code that the program calls: created once, as a whole, in its own schema. */
typedef struct code_file {
    const char *path;
    const char *definitions; /* functions, with their comments, and types */
    const char *wiring;      /* privileges */
} code_file;

extern const code_file code_files[];
extern const size_t code_file_count;

/* The name of that schema: a digest of the texts, so that two versions of the program share a
 * schema only if their code is the same. */
extern const char code_version[];

/* The name of the version of the texts above: the number of the last migration and a digest. */
extern const char schema_version[];

/* As PostgreSQL arrays: the paths above, and those of the migrations. */
extern const char schema_paths[];
extern const char schema_migrations[];
