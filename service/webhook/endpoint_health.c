/* How the receivers of webhooks answered last. */
#include "service/webhook/endpoint_health.h"

#include "service/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 36 };

typedef struct note {
    struct note *next;
    endpoint_state state;
    char webhook[ID_MAX + 1];
} note;

struct endpoint_health {
    note *first;
    size_t count;
};

endpoint_health *endpoint_health_new(void) {
    endpoint_health *health = memory_get(sizeof *health);
    *health = (endpoint_health){0};
    return health;
}

void endpoint_health_free(endpoint_health *health) {
    if (health == NULL) {
        return;
    }
    endpoint_health_forget(health, NULL, NULL);
    free(health);
}

static note *find_note(const endpoint_health *health, const char *webhook) {
    note *one = health->first;
    while (one != NULL && strcmp(one->webhook, webhook) != 0) {
        one = one->next;
    }
    return one;
}

void endpoint_health_set(endpoint_health *health, const char *webhook, endpoint_state state) {
    note *one = find_note(health, webhook);
    if (one == NULL) {
        one = memory_get(sizeof *one);
        snprintf(one->webhook, sizeof one->webhook, "%s", webhook);
        one->next = health->first;
        health->first = one;
        health->count++;
    }
    one->state = state;
}

endpoint_state endpoint_health_get(const endpoint_health *health, const char *webhook) {
    const note *one = find_note(health, webhook);
    return one == NULL ? ENDPOINT_UNKNOWN : one->state;
}

size_t endpoint_health_count(const endpoint_health *health) {
    return health->count;
}

void endpoint_health_forget(endpoint_health *health,
                            bool (*is_there)(const void *context, const char *webhook),
                            const void *context) {
    note **place = &health->first;
    while (*place != NULL) {
        note *one = *place;
        if (is_there != NULL && is_there(context, one->webhook)) {
            place = &one->next;
            continue;
        }
        *place = one->next;
        health->count--;
        free(one);
    }
}
