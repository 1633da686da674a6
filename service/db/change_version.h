/* Counts what statistics are made of, in bounded steps, on a connection of its own: twice a second,
 * and without a pause while more is left. Knows for each scope when answers stop to hold, and which
 * organisations have clients that are blocked. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct change_version change_version;

enum { CHANGE_VERSION_SIZE = 128 };

/* Starts counting. NULL when memory or threads are out. */
change_version *change_version_new(const char *conninfo);
void change_version_free(change_version *changes);

/* The version of a scope ("*", a committee, or "" for what only days and releases change) at the
 * last step: "change/day/release". It differs whenever an answer of the scope could differ, and
 * says nothing of other scopes. Returns false while nothing is known for sure, because the last
 * step began more than a second ago: then the caller must ask the database. */
bool change_version_read(change_version *changes, const char *scope,
                         char version[CHANGE_VERSION_SIZE]);

/* Whether the last look saw that a client of the organisation, or one of its tokens, is shut out:
 * then, too, the caller must ask the database. */
bool change_version_excludes(change_version *changes, const char *organisation);

typedef struct change_version_stats {
    int64_t pending;       /* changes that wait to be counted */
    int64_t not_included;  /* subjects whose facts cannot be computed */
    double behind_seconds; /* since when the oldest change waits, or no step succeeded */
    bool release_failed;
    uint64_t counted, steps; /* subjects that this instance counted, and in how many steps */
    int64_t step_max;        /* subjects of the largest of them */
} change_version_stats;
change_version_stats change_version_stats_read(change_version *changes);
