/* "Did you mean": the known name that is nearest to one that was sent. */
#pragma once

#include <stddef.h>

/* Names longer than this get no suggestion, so that the cost of a request stays bounded. */
enum { SUGGEST_LENGTH_MAX = 64 };

typedef struct suggestion {
    const char *name; /* as it was sent; not terminated */
    size_t length;
    const char *best; /* the nearest candidate so far; NULL: none is near */
    size_t distance;
} suggestion;

/* Begins a search for the name. */
suggestion suggestion_begin(const char *name, size_t length);

/* Considers a candidate, which must live as long as the suggestion. Near are names that differ only
 * in case, hyphens and underscores, and names with few differing letters: one in four, and two at
 * most. */
void suggestion_consider(suggestion *search, const char *candidate);
