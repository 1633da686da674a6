/* Cached answers of this instance, valid until their data change. */
#pragma once

#include "service/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct answer_cache answer_cache;

enum { ANSWER_TAG_SIZE = 96, ANSWER_SCOPE_SIZE = 8 };

answer_cache *answer_cache_new(void);
void answer_cache_free(answer_cache *cache);

/* The part of the version "change/day/release" of its scope that an answer depends on. */
typedef enum answer_lasts { LASTS_CHANGE, LASTS_DAY, LASTS_RELEASE } answer_lasts;

/* The metadata of a cached answer. `scope` says whose statistics it contains ("*", a committee, or
 * "" for none that change). `version` is the version of that scope when the answer was made. */
typedef struct answer_terms {
    const char *scope, *version;
    answer_lasts lasts;
} answer_terms;

/* Caches an answer; replaces an older one when no slot is free. Does not cache answers that are too
 * large. */
void answer_cache_put(answer_cache *cache, const char *key, const answer_terms *terms,
                      const char *tag, const char *body);

/* Copies the scope of the answer that is cached under the key. Returns false when there is none. */
bool answer_cache_scope(answer_cache *cache, const char *key, char scope[ANSWER_SCOPE_SIZE]);

/* Returns whether the answer of this key is valid for the present version of its scope; copies its
 * entity tag. */
bool answer_cache_tag(answer_cache *cache, const char *key, const char *version,
                      char tag[ANSWER_TAG_SIZE]);

/* Returns the answer's body, copied into `memory`, and its tag; NULL when it is no longer valid. */
const char *answer_cache_body(answer_cache *cache, const char *key, const char *version,
                              char tag[ANSWER_TAG_SIZE], arena *memory);
