/* The keys that tokens are verified with: JWKS from a file or an address, or one secret in dev. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct keys keys;

typedef enum key_algorithm { KEY_HS256, KEY_RS256, KEY_ES256 } key_algorithm;

typedef struct key {
    char kid[65];
    key_algorithm algorithm; /* the one algorithm this key serves */
    EVP_PKEY *parsed;        /* RS256, ES256 */
    unsigned char *secret;   /* HS256 */
    size_t secret_size;
} key;

typedef struct keys_source {
    const char *jwks_file;   /* or NULL */
    const char *jwks_url;    /* or NULL; https, or http to a loopback address in dev */
    const char *secret_file; /* or NULL; HS256, dev only, at least 32 bytes */
    bool dev;                /* allows secret_file and http on loopback */
    int accept_seconds; /* of jwks_url: how long after the last fetch its keys count; 0: ever */
} keys_source;

/* Loads the keys. Returns NULL and writes one sentence that names the setting and the repair to
 * `reason` when a source is unsafe or cannot be read: weak keys (RSA under 2048 bits, a curve other
 * than P-256, a secret under 32 bytes), duplicate kid, a secret beside public keys, plain http off
 * loopback. Keys of a set that this service cannot use are skipped with a log line. With an address
 * a thread fetches at the start and then by Cache-Control (RFC 9111), at least every 15 minutes;
 * with a file the same thread looks whether it changed each second. A failing fetch keeps the old
 * set, which keys_are_accepted bounds. */
keys *keys_new(const keys_source *source, char *reason, size_t reason_size);
void keys_free(keys *set);

/* Returns a reference to the key with exactly this kid, or NULL; give it back with key_release.
 * An unknown kid asks the fetching thread for a refresh, at most every 30 s (never waits for it).
 */
const key *keys_find(keys *set, const char *kid);
void key_release(const key *found);

/* Whether tokens may be verified with the keys at `now` (seconds since 1970). Those of an address
 * are accepted for so long after the issuer gave them last, because it may have withdrawn one
 * meanwhile; before the first fetch there are none. Otherwise asks for a refresh, like keys_find.
 */
bool keys_are_accepted(keys *set, int64_t now);

/* Grows by one each time the set changes; a cache of verified tokens is cleared when it does. */
uint64_t keys_generation(const keys *set);

/* Reads the sources again now (SIGHUP). */
void keys_reload(keys *set);

typedef struct keys_stats {
    size_t count;
    bool accepted;               /* see keys_are_accepted; now */
    int accept_seconds;          /* 0: no limit */
    int64_t loaded_at;           /* seconds since 1970, of the set in use */
    unsigned long long failures; /* fetches or reads that failed */
    const char *source;          /* file, address or secret */
} keys_stats;
keys_stats keys_stats_read(keys *set);
