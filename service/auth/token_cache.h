/* A cache of recently verified tokens: bounded, short-lived, cleared when the keys change. */
#pragma once

#include "service/auth/principal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_DIGEST_SIZE = 32 };

typedef struct token_cache token_cache;

/* Returns an empty cache of at most TOKEN_CACHE_ENTRIES entries, or NULL when memory is out; free
 * it with token_cache_free. Safe to use from many threads: each bucket of a dozen entries has its
 * own lock, held for one copy. */
token_cache *token_cache_new(void);
void token_cache_free(token_cache *cache);

/* Finds the token with this SHA-256. Returns true and fills `principal` when the entry has the same
 * generation of the keys, was put less than TOKEN_CACHE_SECONDS before `now` and not after it, and
 * has not reached its exp. No leeway applies: full verification decides about the last seconds. */
bool token_cache_find(token_cache *cache, const unsigned char digest[TOKEN_DIGEST_SIZE],
                      uint64_t generation, int64_t now, principal *principal);

/* Caches a verified token in place of a useless entry of its bucket, or else of the oldest.
 * `generation` is the value of keys_generation before the token's key was looked up. */
void token_cache_put(token_cache *cache, const unsigned char digest[TOKEN_DIGEST_SIZE],
                     uint64_t generation, int64_t now, const principal *principal);

/* Returns how many entries token_cache_find could find now. */
size_t token_cache_count(token_cache *cache, uint64_t generation, int64_t now);
