/* Bearer tokens: the one function that decides whether a JWT is believed (RFC 7519, 8725, 9068). */
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
    char *issuer, *audience;
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
    /* One byte more, because a size of zero may come back as NULL. */
    verifier->rules.subject_key = verifier->subject_key = malloc(rules->subject_key_size + 1);
    verifier->sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    verifier->cache = token_cache_new();
    if (verifier->issuer == NULL || verifier->audience == NULL || verifier->subject_key == NULL ||
        verifier->sha256 == NULL || verifier->cache == NULL) {
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
    free(verifier->audience);
    free(verifier->issuer);
    free(verifier);
}

static const char *check_signature(keys *keys, const char *text, const token_parts *parts,
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
                                int64_t now, principal *who) {
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
    refusal = check_signature(verifier->keys, text, &parts, &header);
    if (refusal != NULL) {
        return refusal;
    }
    return token_read_claims(parts.claims, parts.claims_size, &verifier->rules, now, who);
}

static const char *verify_cached(token_verifier *verifier, const char *text, int64_t now,
                                 principal *who) {
    unsigned char digest[TOKEN_DIGEST_SIZE];
    size_t size = strnlen(text, TOKEN_BYTES_MOST + 1);
    if (size == 0 || size > TOKEN_BYTES_MOST) {
        return "size";
    }
    if (EVP_Digest(text, size, digest, NULL, verifier->sha256, NULL) != 1) {
        return "internal";
    }
    /* Read before the key is: a set that changes meanwhile makes the new entry stale, never the
     * other way round. */
    uint64_t generation = keys_generation(verifier->keys);
    if (token_cache_find(verifier->cache, digest, generation, now, who)) {
        atomic_fetch_add_explicit(&verifier->hits, 1, memory_order_relaxed);
        return NULL;
    }
    atomic_fetch_add_explicit(&verifier->misses, 1, memory_order_relaxed);
    const char *refusal = verify_fully(verifier, text, size, now, who);
    if (refusal == NULL) {
        token_cache_put(verifier->cache, digest, generation, now, who);
    }
    return refusal;
}

const char *token_verify(token_verifier *verifier, const char *text, int64_t now, principal *who) {
    *who = (principal){0};
    const char *refusal = verify_cached(verifier, text, now, who);
    if (refusal != NULL) {
        /* Half a principal must not outlive a refusal. */
        *who = (principal){0};
        atomic_fetch_add_explicit(&verifier->refused, 1, memory_order_relaxed);
    }
    return refusal;
}

token_figures token_figures_read(token_verifier *verifier) {
    return (token_figures){
        .cache_hits = atomic_load_explicit(&verifier->hits, memory_order_relaxed),
        .cache_misses = atomic_load_explicit(&verifier->misses, memory_order_relaxed),
        .refused = atomic_load_explicit(&verifier->refused, memory_order_relaxed),
        .cache_entries = token_cache_count(verifier->cache, keys_generation(verifier->keys),
                                           (int64_t)time(NULL)),
    };
}
