/* Counts the data of statistics in bounded steps, on a connection of its own: twice a second, and
 * without a pause while more is pending. Knows for each scope when answers are no longer valid, and
 * which organisations have blocked clients. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct change_version change_version;

enum { CHANGE_VERSION_SIZE = 128 };

/* Starts counting. NULL when memory or threads are out. */
change_version *change_version_new(const char *conninfo);
void change_version_free(change_version *changes);

/* Reads the version of a scope at the last step: "change/day/release". The scope is "*", a
 * committee, or "" for answers that change only with days and releases. The version differs
 * whenever an answer of the scope could differ, and does not depend on other scopes. Returns false
 * while the version is not certain, because the last step began more than a second ago: then the
 * caller must ask the database. */
bool change_version_read(change_version *changes, const char *scope,
                         char version[CHANGE_VERSION_SIZE]);

/* Returns whether the last step found that a client of the organisation, or one of its tokens, is
 * blocked: then, too, the caller must ask the database. */
bool change_version_excludes(change_version *changes, const char *organisation);

typedef struct change_version_stats {
    int64_t pending;       /* changes that wait to be counted */
    int64_t not_included;  /* subjects whose facts cannot be computed */
    double behind_seconds; /* age of the oldest pending change, or time without a successful step */
    bool release_failed;
    uint64_t counted, steps; /* subjects that this instance counted, and the number of steps */
    int64_t step_max;        /* subjects of the largest step */
} change_version_stats;
change_version_stats change_version_stats_read(change_version *changes);
