/* Finished answers that hold until something changes; of this instance. */
#pragma once

#include "service/arena.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct answer_cache answer_cache;

enum { ANSWER_TAG_SIZE = 96 };

answer_cache *answer_cache_new(void);
void answer_cache_free(answer_cache *cache);

/* How long an answer holds: which part of the mark "change/day/release" it depends on. */
typedef enum answer_lasts { LASTS_CHANGE, LASTS_DAY, LASTS_RELEASE } answer_lasts;

/* Keeps an answer, in the place of an older one where there is none left. Answers that are too
 * large are not kept. */
void answer_cache_put(answer_cache *cache, const char *key, const char *mark, answer_lasts lasts,
                      const char *tag, const char *body);

/* Whether the answer of this key still holds under the present mark; copies its entity tag. */
bool answer_cache_tag(answer_cache *cache, const char *key, const char *mark,
                      char tag[ANSWER_TAG_SIZE]);

/* The answer's body if it still holds, copied into `memory`, with its tag; else NULL. */
const char *answer_cache_body(answer_cache *cache, const char *key, const char *mark,
                              char tag[ANSWER_TAG_SIZE], arena *memory);
