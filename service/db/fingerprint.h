/* Fingerprints of the keys that a register has used, stored in its database: another key is noticed
 * before it does harm. A fingerprint is PBKDF2 of the key with its own salt, so that the database
 * does not reveal the key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A key by its name in the database ("pseudonym" or "webhook"). */
typedef struct fingerprint_key {
    const char *name;
    const unsigned char *secret;
    size_t size;
} fingerprint_key;

enum { FINGERPRINT_DAY_SIZE = 16 };

typedef enum fingerprint_result {
    FINGERPRINT_SAME,
    FINGERPRINT_OTHER,  /* the register has used another key */
    FINGERPRINT_NONE,   /* no key of this name is recorded yet */
    FINGERPRINT_IN_USE, /* not replaced: the service is connected to the database */
    FINGERPRINT_UNKNOWN /* the database could not be asked */
} fingerprint_result;

/* Compares the key with the recorded one, as the serving role. With `record`, it becomes the
 * recorded one if there is none. Writes the day of that record to `since` ("" without one), and for
 * FINGERPRINT_UNKNOWN one sentence to `reason`. */
fingerprint_result fingerprint_check(const char *conninfo, const fingerprint_key *key, bool record,
                                     char since[FINGERPRINT_DAY_SIZE], char *reason,
                                     size_t reason_size);

/* Counts the references of children and the webhooks that depend on the keys, as the migrating
 * role. Returns false with one sentence in `reason`. */
bool fingerprint_uses(const char *conninfo, long *children, long *webhooks, char *reason,
                      size_t reason_size);

/* Makes the key the recorded one, as the migrating role, and adds an entry to the audit trail.
 * Returns FINGERPRINT_SAME, FINGERPRINT_IN_USE, or FINGERPRINT_UNKNOWN with one sentence in
 * `reason`. */
fingerprint_result fingerprint_replace(const char *conninfo, const fingerprint_key *key,
                                       char *reason, size_t reason_size);
