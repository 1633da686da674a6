/* The named statements of sql/queries and the files of the schema, compiled into the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct statement {
    const char *name;
    const char *text;
    int parameters;
    bool unprepared; /* planned at each call with its values: lists with optional filters */
    bool standby;    /* may be answered by a standby (service/db/reads.h) */
} statement;

/* Written by the build: statement_<name> for each `-- name:` line. */
#include "statement_names.h"

extern const statement statements[];
extern const size_t statement_count;

typedef struct schema_file {
    const char *path; /* below sql/ */
    const char *text;
    bool repeatable; /* applied again whenever its text changes; others are applied once and never
                        change */
} schema_file;

/* Written by the build, in the order in which they are applied. */
extern const schema_file schema_files[];
extern const size_t schema_file_count;
extern const char schema_roles[];
