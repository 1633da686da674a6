/* Bearer tokens: the one function that accepts or rejects a JWT (RFC 7519, 8725, 9068). */
#pragma once

#include "service/auth/principal.h"
#include "service/auth/token_profile.h"

#include <stddef.h>

typedef struct keys keys;
typedef struct token_verifier token_verifier;

typedef struct token_rules {
    const char *issuer;             /* iss must equal it */
    const char *audience;           /* aud must equal or contain it */
    int leeway_seconds;             /* clock skew allowed on exp, nbf, iat; 30 */
    int lifetime_max_seconds;       /* upper limit of exp - iat */
    token_names client_claims;      /* all that a token has must be equal */
    token_names scope_claims;       /* the first that a token has counts, the others do not */
    token_names organisation_claim; /* one name */
    const char *scope_prefix;       /* scopes without it are ignored; "" or NULL: none */
    bool subject_optional;          /* without sub, the client is the subject */
    const char *const *scopes;      /* ours, NULL-terminated, not copied: others are ignored */
    /* Writes the organisation that the register maps the client to, or "". Returns false when it
     * cannot say. NULL: every token must have an organisation. */
    bool (*find_organisation)(void *context, const char *client,
                              char organisation[ORGANISATION_MAX + 1]);
    void *context;                                    /* of find_organisation; borrowed */
    const char *(*scan_identifier)(const char *text); /* see app_context.h; NULL: no check */
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
 * for every reason. "internal", "keys" and "directory" say nothing about the token: there was no
 * memory, no accepted key, or the register could not be asked for the client's organisation. The
 * answer of the register is remembered with the token, so that a mapping takes effect within
 * TOKEN_CACHE_SECONDS. */
const char *token_verify(token_verifier *verifier, const char *text, int64_t now,
                         principal *principal);

/* Sets the members of `rules` that depend on the issuer from the texts of a profile or of the
 * settings; `profile->name` does not matter. Returns false when a list of names is not valid. */
bool token_rules_map(token_rules *rules, const token_profile *profile);

/* Whether the signature is that of the key that the header names. Returns NULL or a code. `text` is
 * the whole token, which `parts` were split from. */
struct token_parts;
struct token_header;
const char *token_check_signature(keys *keys, const char *text, const struct token_parts *parts,
                                  const struct token_header *header);

/* Returns a sentence about such a code, with the claim or setting to check. For development only:
 * in production it would help attackers. */
const char *token_explain(const char *refusal);

/* Counters since the start, for the metrics. */
typedef struct token_stats {
    unsigned long long cache_hits, cache_misses, refused;
    size_t cache_entries; /* tokens in the cache now */
} token_stats;
token_stats token_stats_read(token_verifier *verifier);
