/* An immutable set of keys: many threads read it while the next one is being loaded. */
#include "service/auth/key_set.h"

#include "service/auth/jwks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct member {
    key key; /* first: a pointer to it is also a pointer to its member */
    key_set *owner;
} member;

struct key_set {
    atomic_size_t references;
    unsigned char digest[32];
    size_t count;
    member members[];
};

key_set *key_set_new(key *taken, size_t count, const unsigned char digest[32]) {
    key_set *set = calloc(1, sizeof *set + count * sizeof set->members[0]);
    if (set == NULL) {
        for (size_t at = 0; at < count; at++) {
            jwks_wipe(&taken[at]);
        }
        return NULL;
    }
    atomic_init(&set->references, 1);
    memcpy(set->digest, digest, sizeof set->digest);
    set->count = count;
    for (size_t at = 0; at < count; at++) {
        set->members[at] = (member){.key = taken[at], .owner = set};
        taken[at] = (key){0};
    }
    return set;
}

void key_set_hold(key_set *set) {
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
}

void key_set_release(key_set *set) {
    if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t at = 0; at < set->count; at++) {
        jwks_wipe(&set->members[at].key);
    }
    free(set);
}

const key *key_set_find(const key_set *set, const char *kid) {
    for (size_t at = 0; set != NULL && at < set->count; at++) {
        if (strcmp(set->members[at].key.kid, kid) == 0) {
            return &set->members[at].key;
        }
    }
    return NULL;
}

key_set *key_set_of(const key *found) {
    return ((const member *)(const void *)found)->owner;
}

size_t key_set_count(const key_set *set) {
    return set == NULL ? 0 : set->count;
}

bool key_set_is_of(const key_set *set, const unsigned char digest[32]) {
    return set != NULL && memcmp(set->digest, digest, sizeof set->digest) == 0;
}
