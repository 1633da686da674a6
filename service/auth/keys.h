/* The keys that verify tokens: a JWKS from a file or an address, or one secret in dev. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct keys keys;

typedef enum key_algorithm { KEY_HS256, KEY_RS256, KEY_ES256 } key_algorithm;

typedef struct key {
    char kid[65];
    key_algorithm algorithm; /* the only algorithm of this key */
    EVP_PKEY *parsed;        /* RS256, ES256 */
    unsigned char *secret;   /* HS256 */
    size_t secret_size;
} key;

typedef struct keys_source {
    const char *jwks_file;    /* or NULL */
    const char *jwks_url;     /* or NULL; https, or http to a loopback address in dev */
    const char *jwks_ca_file; /* or NULL; authorities that verify the server of jwks_url */
    const char *secret_file;  /* or NULL; HS256, dev only, at least 32 bytes */
    bool dev;                 /* allows secret_file and http on loopback */
    int accept_seconds; /* of jwks_url: seconds for which keys are accepted after the last fetch; 0:
                           no limit */
} keys_source;

/* Loads the keys. Returns NULL when a source is unsafe or cannot be read, and writes one sentence
 * that names the setting and the repair to `reason`. Unsafe are weak keys (RSA under 2048 bits, a
 * curve other than P-256, a secret under 32 bytes), a duplicate kid, a secret next to public keys,
 * and plain http to an address that is not loopback. Keys that this service cannot use are skipped
 * with a log line. For an address, a thread fetches at the start and then by Cache-Control (RFC
 * 9111), at least every 15 minutes. For a file, the same thread checks each second whether it has
 * changed. When a fetch fails, the old set stays in use; keys_are_accepted limits its age. */
keys *keys_new(const keys_source *source, char *reason, size_t reason_size);
void keys_free(keys *set);

/* Returns a reference to the key with exactly this kid, or NULL; give it back with key_release. An
 * unknown kid requests a refresh from the fetching thread, at most every 30 s, and never waits for
 * it. */
const key *keys_find(keys *set, const char *kid);
void key_release(const key *found);

/* Returns whether the keys may verify tokens at `now` (seconds since 1970). Keys from an address
 * are accepted for a limited time after the last fetch, because the issuer may have withdrawn one
 * since; before the first fetch there are none. Otherwise requests a refresh, like keys_find. */
bool keys_are_accepted(keys *set, int64_t now);

/* Returns a number that grows by one each time the set changes; a cache of verified tokens is
 * cleared when it does. */
uint64_t keys_generation(const keys *set);

/* Reads the sources again now (SIGHUP). */
void keys_reload(keys *set);

typedef struct keys_stats {
    size_t count;
    bool accepted;               /* now, see keys_are_accepted */
    int accept_seconds;          /* 0: no limit */
    int64_t loaded_at;           /* seconds since 1970, of the set in use */
    unsigned long long failures; /* fetches or reads that failed */
    const char *source;          /* file, address or secret */
} keys_stats;
keys_stats keys_stats_read(keys *set);
