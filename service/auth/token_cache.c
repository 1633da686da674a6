/* A cache of recently verified tokens: bounded, short-lived, cleared when the keys change. */
#include "service/auth/token_cache.h"

#include "service/auth/token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 12, BUCKETS = TOKEN_CACHE_ENTRIES / WAYS };

typedef struct entry {
    unsigned char digest[TOKEN_DIGEST_SIZE];
    uint64_t generation;
    int64_t verified_at;
    bool used;
    principal principal;
} entry;

typedef struct bucket {
    pthread_mutex_t lock;
    entry entries[WAYS];
} bucket;

struct token_cache {
    bucket buckets[BUCKETS];
};

token_cache *token_cache_new(void) {
    token_cache *cache = calloc(1, sizeof *cache);
    for (size_t at = 0; cache != NULL && at < BUCKETS; at++) {
        pthread_mutex_init(&cache->buckets[at].lock, NULL);
    }
    return cache;
}

void token_cache_free(token_cache *cache) {
    for (size_t at = 0; cache != NULL && at < BUCKETS; at++) {
        pthread_mutex_destroy(&cache->buckets[at].lock);
    }
    free(cache);
}

static bucket *bucket_of(token_cache *cache, const unsigned char *digest) {
    uint64_t number = 0;
    memcpy(&number, digest, sizeof number);
    return &cache->buckets[number % BUCKETS];
}

/* An entry is also useless after the clock was set back. */
static bool is_fresh(const entry *each, uint64_t generation, int64_t now) {
    return each->used && each->generation == generation && now >= each->verified_at &&
           now - each->verified_at < TOKEN_CACHE_SECONDS && now < each->principal.expires_at;
}

bool token_cache_find(token_cache *cache, const unsigned char digest[TOKEN_DIGEST_SIZE],
                      uint64_t generation, int64_t now, principal *principal) {
    bucket *in = bucket_of(cache, digest);
    bool found = false;
    pthread_mutex_lock(&in->lock);
    for (size_t at = 0; at < WAYS && !found; at++) {
        const entry *each = &in->entries[at];
        found =
            memcmp(each->digest, digest, TOKEN_DIGEST_SIZE) == 0 && is_fresh(each, generation, now);
        if (found) {
            *principal = each->principal;
        }
    }
    pthread_mutex_unlock(&in->lock);
    return found;
}

/* Chooses the entry to replace: the same token's, else a useless one, else the oldest. */
static entry *place_for(bucket *in, const unsigned char *digest, uint64_t generation, int64_t now) {
    entry *place = &in->entries[0];
    bool useless = false;
    for (size_t at = 0; at < WAYS; at++) {
        entry *each = &in->entries[at];
        if (memcmp(each->digest, digest, TOKEN_DIGEST_SIZE) == 0) {
            return each;
        }
        if (useless) {
            continue;
        }
        useless = !is_fresh(each, generation, now);
        if (useless || each->verified_at < place->verified_at) {
            place = each;
        }
    }
    return place;
}

void token_cache_put(token_cache *cache, const unsigned char digest[TOKEN_DIGEST_SIZE],
                     uint64_t generation, int64_t now, const principal *principal) {
    if (now >= principal->expires_at) {
        return;
    }
    bucket *in = bucket_of(cache, digest);
    pthread_mutex_lock(&in->lock);
    entry *place = place_for(in, digest, generation, now);
    memcpy(place->digest, digest, TOKEN_DIGEST_SIZE);
    place->generation = generation;
    place->verified_at = now;
    place->used = true;
    place->principal = *principal;
    pthread_mutex_unlock(&in->lock);
}

size_t token_cache_count(token_cache *cache, uint64_t generation, int64_t now) {
    size_t count = 0;
    for (size_t at = 0; at < BUCKETS; at++) {
        bucket *in = &cache->buckets[at];
        pthread_mutex_lock(&in->lock);
        for (size_t way = 0; way < WAYS; way++) {
            count += is_fresh(&in->entries[way], generation, now);
        }
        pthread_mutex_unlock(&in->lock);
    }
    return count;
}
