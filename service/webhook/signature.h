/* Secrets of webhooks, and signatures by Standard Webhooks
 * (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md). */
#pragma once

#include "service/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEBHOOK_KEY_SIZE = 32 };

/* Returns the secret of one generation of a webhook in the form in which its receiver gets it:
 * `whsec_` and base64. It is derived from the key, the identifier and the generation, and is not
 * stored. Lives in `memory`. */
const char *webhook_secret(const unsigned char *key, const char *webhook, int generation,
                           arena *memory);

/* One message to sign. */
typedef struct webhook_message {
    const char *webhook, *id;
    int64_t timestamp; /* seconds since 1970 */
    const char *body;
    int generation;
    bool old_secret; /* the previous generation signs too */
} webhook_message;

/* Returns the value of the header webhook-signature: `v1,` and the base64 of the HMAC-SHA256 of
 * `id.timestamp.body`; for two generations, separated by a space. Lives in `memory`. */
const char *webhook_signature(const unsigned char *key, const webhook_message *message,
                              arena *memory);
