/* Bearer tokens: the one function that decides whether a JWT is accepted (RFC 7519, 8725, 9068). */
#include "service/auth/token.h"

#include "service/auth/keys.h"
#include "service/auth/signature.h"
#include "service/auth/token_cache.h"
#include "service/auth/token_claims.h"
#include "service/auth/token_parse.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct token_verifier {
    keys *keys;
    token_rules rules; /* its strings are the copies below */
    char *issuer, *audience, *scope_prefix;
    unsigned char *subject_key;
    EVP_MD *sha256;
    token_cache *cache;
    atomic_ullong hits, misses, refused;
};

token_verifier *token_verifier_new(keys *keys, const token_rules *rules) {
    token_verifier *verifier = calloc(1, sizeof *verifier);
    if (verifier == NULL) {
        return NULL;
    }
    verifier->keys = keys;
    verifier->rules = *rules;
    verifier->rules.issuer = verifier->issuer = strdup(rules->issuer);
    verifier->rules.audience = verifier->audience = strdup(rules->audience);
    const char *prefix = rules->scope_prefix == NULL ? "" : rules->scope_prefix;
    verifier->rules.scope_prefix = verifier->scope_prefix = strdup(prefix);
    /* One byte more, because malloc may return NULL for a size of zero. */
    verifier->rules.subject_key = verifier->subject_key = malloc(rules->subject_key_size + 1);
    verifier->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    verifier->cache = token_cache_new();
    if (verifier->issuer == NULL || verifier->audience == NULL || verifier->subject_key == NULL ||
        verifier->scope_prefix == NULL || verifier->sha256 == NULL || verifier->cache == NULL) {
        token_verifier_free(verifier);
        return NULL;
    }
    if (rules->subject_key_size > 0) {
        memcpy(verifier->subject_key, rules->subject_key, rules->subject_key_size);
    }
    return verifier;
}

void token_verifier_free(token_verifier *verifier) {
    if (verifier == NULL) {
        return;
    }
    if (verifier->subject_key != NULL) {
        OPENSSL_cleanse(verifier->subject_key, verifier->rules.subject_key_size);
    }
    token_cache_free(verifier->cache);
    EVP_MD_free(verifier->sha256);
    free(verifier->subject_key);
    free(verifier->scope_prefix);
    free(verifier->audience);
    free(verifier->issuer);
    free(verifier);
}

bool token_rules_map(token_rules *rules, const token_profile *profile) {
    rules->lifetime_max_seconds = profile->max_seconds;
    rules->subject_optional = strcmp(profile->subject, "optional") == 0;
    return token_names_read(profile->client_claims, &rules->client_claims) &&
           token_names_read(profile->scope_claims, &rules->scope_claims) &&
           token_names_read(profile->organisation_claim, &rules->organisation_claim) &&
           rules->organisation_claim.count == 1;
}

const char *token_check_signature(keys *keys, const char *text, const token_parts *parts,
                                  const token_header *header) {
    const key *found = keys_find(keys, header->kid);
    const char *refusal = NULL;
    if (found == NULL) {
        return "unknown_kid";
    }
    if (strcmp(header->algorithm, signature_algorithm_name(found->algorithm)) != 0) {
        refusal = "algorithm";
    } else if (!signature_verify(found, text, parts->signed_size, parts->signature,
                                 parts->signature_size)) {
        refusal = "signature";
    }
    key_release(found);
    return refusal;
}

static const char *verify_fully(token_verifier *verifier, const char *text, size_t size,
                                int64_t now, principal *principal) {
    token_parts parts;
    token_header header;
    const char *refusal = token_split(text, size, &parts);
    if (refusal != NULL) {
        return refusal;
    }
    refusal = token_read_header(&parts, &header);
    if (refusal != NULL) {
        return refusal;
    }
    refusal = token_check_signature(verifier->keys, text, &parts, &header);
    if (refusal != NULL) {
        return refusal;
    }
    return token_read_claims(parts.claims, parts.claims_size, &verifier->rules, now, principal);
}

const char *token_find_organisation(const token_rules *rules, principal *principal) {
    char mapped[ORGANISATION_MAX + 1] = "";
    if (rules->find_organisation == NULL) {
        return NULL;
    }
    if (!rules->find_organisation(rules->context, principal->client, mapped)) {
        return "directory";
    }
    if (*principal->organisation == '\0') {
        memcpy(principal->organisation, mapped, sizeof mapped);
    }
    principal->organisation_differs =
        *mapped != '\0' && strcmp(mapped, principal->organisation) != 0;
    return NULL;
}

static const char *verify_cached(token_verifier *verifier, const char *text, int64_t now,
                                 principal *principal) {
    unsigned char digest[TOKEN_DIGEST_SIZE];
    size_t size = strnlen(text, TOKEN_BYTES_MAX + 1);
    if (size == 0 || size > TOKEN_BYTES_MAX) {
        return "size";
    }
    if (!keys_are_accepted(verifier->keys, now)) {
        return "keys";
    }
    if (EVP_Digest(text, size, digest, NULL, verifier->sha256, NULL) != 1) {
        return "internal";
    }
    /* Read before the key is: a set that changes in between makes the new entry stale, never a
     * stale entry valid. */
    uint64_t generation = keys_generation(verifier->keys);
    if (token_cache_find(verifier->cache, digest, generation, now, principal)) {
        atomic_fetch_add_explicit(&verifier->hits, 1, memory_order_relaxed);
        return NULL;
    }
    atomic_fetch_add_explicit(&verifier->misses, 1, memory_order_relaxed);
    const char *refusal = verify_fully(verifier, text, size, now, principal);
    if (refusal == NULL) {
        refusal = token_find_organisation(&verifier->rules, principal);
    }
    if (refusal == NULL) {
        token_cache_put(verifier->cache, digest, generation, now, principal);
        principal->first_seen = true;
    }
    return refusal;
}

const char *token_verify(token_verifier *verifier, const char *text, int64_t now,
                         principal *principal) {
    *principal = (struct principal){0};
    const char *refusal = verify_cached(verifier, text, now, principal);
    if (refusal == NULL && principal->organisation_differs) {
        refusal = "organisation_differs";
    }
    if (refusal != NULL) {
        /* A rejected token must not leave a half-filled principal. */
        *principal = (struct principal){0};
        atomic_fetch_add_explicit(&verifier->refused, 1, memory_order_relaxed);
    }
    return refusal;
}

typedef struct explanation {
    const char *refusal, *sentence;
} explanation;

static const explanation explanations[] = {
    {"size", "The token is empty or longer than 4096 bytes."},
    {"shape", "The token is not a JWT: it must have three parts with dots between them."},
    {"encoding", "A part of the token is not base64url without padding (RFC 7515)."},
    {"header_json", "The token's header is not a JSON object without repeated members."},
    {"critical", "The token's header has `crit`: the register knows no extension that it names."},
    {"type",
     "The header's `typ` must be `JWT` or `at+jwt`, or be left out. The claim `typ` must not "
     "be that of an identity or refresh token."},
    {"algorithm", "The token's `alg` is not the algorithm of its key (RS256, ES256; HS256 for "
                  "development tokens)."},
    {"kid", "The token's header has no `kid`, or one that is longer than 64 bytes."},
    {"unknown_kid",
     "The token's `kid` is not in the key set (LR_JWKS_URL, LR_JWKS_FILE or LR_DEV_SECRET_FILE)."},
    {"signature", "The token's signature does not match its key."},
    {"claims_json", "The token's claims are not a JSON object without repeated members."},
    {"issuer", "The token's `iss` is not LR_ISSUER."},
    {"audience", "The token's `aud` neither is nor contains LR_AUDIENCE."},
    {"exp", "The token's `exp` is missing or not a whole number of seconds."},
    {"iat", "The token's `iat` is missing or not a whole number of seconds."},
    {"nbf", "The token's `nbf` is not a whole number of seconds."},
    {"expired", "The token has expired (`exp`): get a new one."},
    {"issued_later",
     "The token's `iat` is in the future: compare the clocks of issuer and register."},
    {"not_yet_valid",
     "The token is not yet valid (`nbf`): compare the clocks of issuer and register."},
    {"lifetime", "The token's lifetime (`exp` - `iat`) is longer than LR_TOKEN_MAX_SECONDS."},
    {"client", "The client's claim (LR_TOKEN_CLIENT_CLAIMS: `client_id`, `azp` or the like) is "
               "missing, not 1 to 64 of `A-Z a-z 0-9 . _ ~ : / @ -`, or an e-mail address or CHI "
               "number; or two of these claims differ."},
    {"organisation", "The organisation's claim (LR_TOKEN_ORGANISATION_CLAIM: `organisation` or the "
                     "like) is missing or not a code such as `CPC-GLA`."},
    {"organisation_differs",
     "The register maps the client to another organisation than the token has: correct one of "
     "them (`learning-reviews client map`)."},
    {"scope",
     "The scopes' claim (LR_TOKEN_SCOPE_CLAIMS: `scope`, `scp` or the like) is missing, or "
     "neither a text of scopes with one space between them nor an array of scopes (RFC "
     "6749 section 3.3)."},
    {"token_id", "The token's `jti` is not a text of 1 to 128 bytes."},
    {"subject", "The token's `sub` is missing or not a text of 1 to 255 bytes."},
};

const char *token_explain(const char *refusal) {
    for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++) {
        if (strcmp(explanations[i].refusal, refusal) == 0) {
            return explanations[i].sentence;
        }
    }
    return NULL;
}

token_stats token_stats_read(token_verifier *verifier) {
    return (token_stats){
        .cache_hits = atomic_load_explicit(&verifier->hits, memory_order_relaxed),
        .cache_misses = atomic_load_explicit(&verifier->misses, memory_order_relaxed),
        .refused = atomic_load_explicit(&verifier->refused, memory_order_relaxed),
        .cache_entries = token_cache_count(verifier->cache, keys_generation(verifier->keys),
                                           (int64_t)time(NULL)),
    };
}
