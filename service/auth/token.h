/* Bearer tokens: the one function that decides whether a JWT is believed (RFC 7519, 8725, 9068). */
#pragma once

#include "service/auth/principal.h"

#include <stddef.h>

typedef struct keys keys;
typedef struct token_verifier token_verifier;

typedef struct token_rules {
    const char *issuer;               /* exact value of iss */
    const char *audience;             /* has to be aud or in it */
    int leeway_seconds;               /* clock skew allowed on exp, nbf, iat; 30 */
    int lifetime_max_seconds;         /* exp - iat may not be longer; 3600 (dev: 86400) */
    const unsigned char *subject_key; /* key of the hash that stands for sub in logs and records */
    size_t subject_key_size;
} token_rules;

enum { TOKEN_BYTES_MAX = 4096, TOKEN_CACHE_ENTRIES = 10000, TOKEN_CACHE_SECONDS = 60 };

/* Returns a verifier over `keys` (borrowed, has to outlive it); NULL when memory is out.
 * The strings of `rules` are copied. Safe to use from many threads. */
token_verifier *token_verifier_new(keys *keys, const token_rules *rules);
void token_verifier_free(token_verifier *verifier);

/* Verifies the compact token `text` (without "Bearer ") at the time `now` (seconds since 1970).
 * Returns NULL and fills `principal`, or returns the reason of the refusal as a short literal code
 * for the log
 * ("expired", "unknown_kid", ...): in production the client is told the same for every reason.
 * "internal" and "keys" say nothing about the token: there was no memory, or no accepted key. */
const char *token_verify(token_verifier *verifier, const char *text, int64_t now,
                         principal *principal);

/* A sentence for people about such a code, with the claim or setting to look at. For development:
 * in production it would help those who try. */
const char *token_explain(const char *refusal);

/* Counters since the start, for the metrics. */
typedef struct token_stats {
    unsigned long long cache_hits, cache_misses, refused;
    size_t cache_entries; /* tokens that are remembered now */
} token_stats;
token_stats token_stats_read(token_verifier *verifier);
