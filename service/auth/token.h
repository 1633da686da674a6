/* Bearer tokens: the one function that accepts or rejects a JWT (RFC 7519, 8725, 9068). */
#pragma once

#include "service/auth/principal.h"

#include <stddef.h>

typedef struct keys keys;
typedef struct token_verifier token_verifier;

typedef struct token_rules {
    const char *issuer;               /* iss must equal it */
    const char *audience;             /* aud must equal or contain it */
    int leeway_seconds;               /* clock skew allowed on exp, nbf, iat; 30 */
    int lifetime_max_seconds;         /* upper limit of exp - iat; 3600 (dev: 86400) */
    const unsigned char *subject_key; /* key of the hash that represents sub in logs and records */
    size_t subject_key_size;
} token_rules;

enum { TOKEN_BYTES_MAX = 4096, TOKEN_CACHE_ENTRIES = 10000, TOKEN_CACHE_SECONDS = 60 };

/* Returns a verifier over `keys` (borrowed, must outlive it); NULL when memory is out. The strings
 * of `rules` are copied. Safe to use from many threads. */
token_verifier *token_verifier_new(keys *keys, const token_rules *rules);
void token_verifier_free(token_verifier *verifier);

/* Verifies the compact token `text` (without "Bearer ") at the time `now` (seconds since 1970).
 * Returns NULL and fills `principal`, or returns the reason for the rejection as a short literal
 * code for the log ("expired", "unknown_kid", ...). In production the client gets the same answer
 * for every reason. "internal" and "keys" say nothing about the token: memory was out, or there was
 * no accepted key. */
const char *token_verify(token_verifier *verifier, const char *text, int64_t now,
                         principal *principal);

/* Returns a sentence about such a code, with the claim or setting to check. For development only:
 * in production it would help attackers. */
const char *token_explain(const char *refusal);

/* Counters since the start, for the metrics. */
typedef struct token_stats {
    unsigned long long cache_hits, cache_misses, refused;
    size_t cache_entries; /* tokens in the cache now */
} token_stats;
token_stats token_stats_read(token_verifier *verifier);
