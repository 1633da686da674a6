/* An immutable set of keys: many threads read it while the next one is being loaded. */
#pragma once

#include "service/auth/keys.h"

#include <stddef.h>
#include <stdint.h>

typedef struct key_set key_set;

/* Makes a set of `count` keys with one reference. Takes over what the keys own (also on failure).
 * `digest` is the digest of the bytes from which the keys were read. Returns NULL when memory is
 * out. */
key_set *key_set_new(key *taken, size_t count, const unsigned char digest[32]);

/* Each hold needs one release; the last one wipes the keys. Only release takes NULL. */
void key_set_hold(key_set *set);
void key_set_release(key_set *set);

/* Returns the key with exactly this kid, or NULL. The key lives as long as a reference to its set:
 * release that reference through key_set_of. */
const key *key_set_find(const key_set *set, const char *kid);
key_set *key_set_of(const key *found);

size_t key_set_count(const key_set *set);

/* Returns whether the set was read from bytes with this digest. */
bool key_set_is_of(const key_set *set, const unsigned char digest[32]);
