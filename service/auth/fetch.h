/* Fetches one small document with GET from a configured address, never from a request. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { FETCH_BYTES_MAX = 262144 };

typedef struct fetched {
    char *bytes; /* malloc'ed; the caller frees it */
    size_t size;
    long fresh_seconds; /* how long it is fresh by Cache-Control and Age; -1: unknown */
} fetched;

/* Returns whether `url` may be fetched: https without user and password, or in dev also http to a
 * loopback address. Otherwise writes one sentence that begins with `setting` to `reason`. */
bool fetch_url_allowed(const char *setting, const char *url, bool dev, char *reason,
                       size_t reason_size);

/* Fetches an allowed address. No redirects, at most FETCH_BYTES_MAX bytes, 3 s to connect and
 * 10 s in all, certificates checked against the authorities of `ca_file` only, or the system's if
 * it is NULL. Stops when `*stop` becomes true. Returns true and fills `into`, or false with a
 * sentence in `reason`; only a 200 counts. */
bool fetch_get(const char *url, const char *ca_file, const atomic_bool *stop, fetched *into,
               char *reason, size_t reason_size);
