/* Finished answers that hold until something changes; of this instance. */
#pragma once

#include "service/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct answer_cache answer_cache;

enum { ANSWER_TAG_SIZE = 96, ANSWER_SCOPE_SIZE = 8 };

answer_cache *answer_cache_new(void);
void answer_cache_free(answer_cache *cache);

/* How long an answer holds: which part of its scope's version "change/day/release" it depends on.
 */
typedef enum answer_lasts { LASTS_CHANGE, LASTS_DAY, LASTS_RELEASE } answer_lasts;

/* What an answer is kept with. `scope`: whose figures it has ("*", a committee, or "" for none that
 * change); `version`: of that scope, when it was made. */
typedef struct answer_terms {
    const char *scope, *version;
    answer_lasts lasts;
} answer_terms;

/* Keeps an answer, in the place of an older one where there is none left. Answers that are too
 * large are not kept. */
void answer_cache_put(answer_cache *cache, const char *key, const answer_terms *terms,
                      const char *tag, const char *body);

/* Copies the scope of the answer that is kept under the key. Returns false when there is none. */
bool answer_cache_scope(answer_cache *cache, const char *key, char scope[ANSWER_SCOPE_SIZE]);

/* Whether the answer of this key still holds under the present version of its scope; copies its
 * entity tag. */
bool answer_cache_tag(answer_cache *cache, const char *key, const char *version,
                      char tag[ANSWER_TAG_SIZE]);

/* The answer's body if it still holds, copied into `memory`, with its tag; else NULL. */
const char *answer_cache_body(answer_cache *cache, const char *key, const char *version,
                              char tag[ANSWER_TAG_SIZE], arena *memory);
