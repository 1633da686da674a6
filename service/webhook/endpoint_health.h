/* How the receivers of webhooks answered last, so that those who let one wait do not hold up the
 * events of the others. For one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum endpoint_state {
    ENDPOINT_UNKNOWN,
    ENDPOINT_RESPONSIVE,
    ENDPOINT_SILENT
} endpoint_state;

typedef struct endpoint_health endpoint_health;

endpoint_health *endpoint_health_new(void);
void endpoint_health_free(endpoint_health *health);

/* Remembers how the receiver of a webhook (its id, at most 36 bytes) answered. */
void endpoint_health_set(endpoint_health *health, const char *webhook, endpoint_state state);

/* How it did; unknown when there is no note. */
endpoint_state endpoint_health_get(const endpoint_health *health, const char *webhook);

/* How many there are notes of. */
size_t endpoint_health_count(const endpoint_health *health);

/* Forgets those that `is_there` does not say yes to; all when it is NULL. */
void endpoint_health_forget(endpoint_health *health,
                            bool (*is_there)(const void *context, const char *webhook),
                            const void *context);
