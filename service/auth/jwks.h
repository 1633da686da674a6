/* Reads JSON Web Key Sets (RFC 7517): RSA of 2048 bits or more for RS256, P-256 for ES256. */
#pragma once

#include "service/auth/keys.h"

#include <stdbool.h>
#include <stddef.h>

enum { JWKS_BYTES_MAX = 262144, JWKS_KEYS_MAX = 32 };

/* Reads a key set of `size` bytes into `found` (room for JWKS_KEYS_MAX). `setting` names the source
 * in messages. Keys that this service cannot use (another use, another algorithm, no kid) are
 * skipped with a log line. When `strict`, an unsafe key (weak RSA, another curve for ES256, a
 * secret or private key, a duplicate kid) makes the function reject the set; otherwise the key is
 * skipped. Returns the number of keys, each to be wiped with jwks_wipe. Returns 0 with one sentence
 * in `reason` when the set is rejected or has no usable key. */
size_t jwks_read(const char *setting, const char *bytes, size_t size, bool strict, key *found,
                 char *reason, size_t reason_size);

/* Frees what a key owns and clears its secret. */
void jwks_wipe(key *owned);
