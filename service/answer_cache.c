/* Cached answers, valid until their data change. */
#include "service/answer_cache.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each answer has two possible slots; the least recently used one is replaced. */
enum { SET_COUNT = 128, WAYS = 2, BODY_MAX = 128 * 1024, VERSION_SIZE = 128 };

typedef struct kept {
    char *key, *body;
    char scope[ANSWER_SCOPE_SIZE], version[VERSION_SIZE], tag[ANSWER_TAG_SIZE];
    answer_lasts lasts;
} kept;

struct answer_cache {
    pthread_rwlock_t lock;
    kept places[SET_COUNT][WAYS];
    unsigned char last[SET_COUNT];
};

answer_cache *answer_cache_new(void) {
    answer_cache *cache = calloc(1, sizeof *cache);
    if (cache != NULL) {
        pthread_rwlock_init(&cache->lock, NULL);
    }
    return cache;
}

static void empty(kept *place) {
    free(place->key);
    free(place->body);
    *place = (kept){0};
}

void answer_cache_free(answer_cache *cache) {
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < SET_COUNT; i++) {
        for (size_t way = 0; way < WAYS; way++) {
            empty(&cache->places[i][way]);
        }
    }
    pthread_rwlock_destroy(&cache->lock);
    free(cache);
}

/* FNV-1a, 64 bits. */
static size_t set_of(const char *key) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *key != '\0'; key++) {
        hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
    }
    return (size_t)(hash >> 32) % SET_COUNT;
}

static const kept *find(const answer_cache *cache, const char *key) {
    const kept *set = cache->places[set_of(key)];
    for (size_t way = 0; way < WAYS; way++) {
        if (set[way].key != NULL && strcmp(set[way].key, key) == 0) {
            return &set[way];
        }
    }
    return NULL;
}

/* Returns the part of a version on which an answer depends. */
static const char *part_of(const char *version, answer_lasts lasts) {
    for (int skip = (int)lasts; skip > 0 && version != NULL; skip--) {
        version = strchr(version, '/');
        version = version == NULL ? NULL : version + 1;
    }
    return version;
}

static bool holds(const kept *place, const char *version) {
    const char *then = part_of(place->version, place->lasts);
    const char *now = part_of(version, place->lasts);
    return then != NULL && now != NULL && strcmp(then, now) == 0;
}

void answer_cache_put(answer_cache *cache, const char *key, const answer_terms *terms,
                      const char *tag, const char *body) {
    if (strlen(body) > BODY_MAX || strlen(terms->version) >= VERSION_SIZE ||
        strlen(terms->scope) >= ANSWER_SCOPE_SIZE || strlen(tag) >= ANSWER_TAG_SIZE) {
        return;
    }
    size_t set = set_of(key);
    kept fresh = {.key = strdup(key), .body = strdup(body), .lasts = terms->lasts};
    snprintf(fresh.scope, sizeof fresh.scope, "%s", terms->scope);
    snprintf(fresh.version, sizeof fresh.version, "%s", terms->version);
    snprintf(fresh.tag, sizeof fresh.tag, "%s", tag);
    if (fresh.key == NULL || fresh.body == NULL) {
        empty(&fresh);
        return;
    }
    pthread_rwlock_wrlock(&cache->lock);
    const kept *there = find(cache, key);
    size_t way = there != NULL ? (size_t)(there - cache->places[set]) : !cache->last[set];
    empty(&cache->places[set][way]);
    cache->places[set][way] = fresh;
    cache->last[set] = (unsigned char)way;
    pthread_rwlock_unlock(&cache->lock);
}

bool answer_cache_scope(answer_cache *cache, const char *key, char scope[ANSWER_SCOPE_SIZE]) {
    pthread_rwlock_rdlock(&cache->lock);
    const kept *place = find(cache, key);
    if (place != NULL) {
        memcpy(scope, place->scope, ANSWER_SCOPE_SIZE);
    }
    pthread_rwlock_unlock(&cache->lock);
    return place != NULL;
}

bool answer_cache_tag(answer_cache *cache, const char *key, const char *version,
                      char tag[ANSWER_TAG_SIZE]) {
    pthread_rwlock_rdlock(&cache->lock);
    const kept *place = find(cache, key);
    bool found = place != NULL && holds(place, version);
    if (found) {
        memcpy(tag, place->tag, ANSWER_TAG_SIZE);
    }
    pthread_rwlock_unlock(&cache->lock);
    return found;
}

const char *answer_cache_body(answer_cache *cache, const char *key, const char *version,
                              char tag[ANSWER_TAG_SIZE], arena *memory) {
    const char *body = NULL;
    pthread_rwlock_rdlock(&cache->lock);
    const kept *place = find(cache, key);
    if (place != NULL && holds(place, version)) {
        memcpy(tag, place->tag, ANSWER_TAG_SIZE);
        body = arena_strdup(memory, place->body);
    }
    pthread_rwlock_unlock(&cache->lock);
    return body;
}
