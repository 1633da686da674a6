/* How the receivers of webhooks answered last, so that slow receivers do not delay the events of
 * others. For one thread. */
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

/* Records how the receiver of a webhook (its id, at most 36 bytes) answered. */
void endpoint_health_set(endpoint_health *health, const char *webhook, endpoint_state state);

/* Returns the recorded state; unknown when there is none. */
endpoint_state endpoint_health_get(const endpoint_health *health, const char *webhook);

/* Returns the number of recorded states. */
size_t endpoint_health_count(const endpoint_health *health);

/* Forgets the webhooks for which `is_there` returns false; all when it is NULL. */
void endpoint_health_forget(endpoint_health *health,
                            bool (*is_there)(const void *context, const char *webhook),
                            const void *context);
