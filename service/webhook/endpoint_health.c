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
    endpoint_health *all = memory_get(sizeof *all);
    *all = (endpoint_health){0};
    return all;
}

void endpoint_health_free(endpoint_health *all) {
    if (all == NULL) {
        return;
    }
    endpoint_health_forget(all, NULL, NULL);
    free(all);
}

static note *find(const endpoint_health *all, const char *webhook) {
    note *one = all->first;
    while (one != NULL && strcmp(one->webhook, webhook) != 0) {
        one = one->next;
    }
    return one;
}

void endpoint_health_set(endpoint_health *all, const char *webhook, endpoint_state state) {
    note *one = find(all, webhook);
    if (one == NULL) {
        one = memory_get(sizeof *one);
        snprintf(one->webhook, sizeof one->webhook, "%s", webhook);
        one->next = all->first;
        all->first = one;
        all->count++;
    }
    one->state = state;
}

endpoint_state endpoint_health_get(const endpoint_health *all, const char *webhook) {
    const note *one = find(all, webhook);
    return one == NULL ? ENDPOINT_UNKNOWN : one->state;
}

size_t endpoint_health_count(const endpoint_health *all) {
    return all->count;
}

void endpoint_health_forget(endpoint_health *all,
                            bool (*is_there)(const void *context, const char *webhook),
                            const void *context) {
    note **place = &all->first;
    while (*place != NULL) {
        note *one = *place;
        if (is_there != NULL && is_there(context, one->webhook)) {
            place = &one->next;
            continue;
        }
        *place = one->next;
        all->count--;
        free(one);
    }
}
