/* Secrets of webhooks, and signatures as Standard Webhooks has them
 * (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md). */
#pragma once

#include "service/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEBHOOK_KEY_SIZE = 32 };

/* The secret of a generation of a webhook as its receiver is given it: `whsec_` and base64. It
 * follows from the key, the identifier and the generation, and is stored nowhere. Lives in
 * `memory`. */
const char *webhook_secret(const unsigned char *key, const char *webhook, int generation,
                           arena *memory);

/* One message to be signed. */
typedef struct webhook_message {
    const char *webhook, *id;
    int64_t timestamp; /* seconds since 1970 */
    const char *body;
    int generation;
    bool old_secret; /* the generation before this one signs too */
} webhook_message;

/* The value of the header webhook-signature: `v1,` and the base64 of the HMAC-SHA256 of
 * `id.timestamp.body`, for two generations with a blank between. Lives in `memory`. */
const char *webhook_signature(const unsigned char *key, const webhook_message *message,
                              arena *memory);
