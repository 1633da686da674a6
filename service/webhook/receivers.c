/* How the receivers of webhooks answered last. */
#include "service/webhook/receivers.h"

#include "service/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_MOST = 36 };

typedef struct note {
    struct note *next;
    receiver_manner manner;
    char webhook[ID_MOST + 1];
} note;

struct receivers {
    note *first;
    size_t count;
};

receivers *receivers_new(void) {
    receivers *all = memory_get(sizeof *all);
    *all = (receivers){0};
    return all;
}

void receivers_free(receivers *all) {
    if (all == NULL) {
        return;
    }
    receivers_forget(all, NULL, NULL);
    free(all);
}

static note *find(const receivers *all, const char *webhook) {
    note *one = all->first;
    while (one != NULL && strcmp(one->webhook, webhook) != 0) {
        one = one->next;
    }
    return one;
}

void receivers_note(receivers *all, const char *webhook, receiver_manner manner) {
    note *one = find(all, webhook);
    if (one == NULL) {
        one = memory_get(sizeof *one);
        snprintf(one->webhook, sizeof one->webhook, "%s", webhook);
        one->next = all->first;
        all->first = one;
        all->count++;
    }
    one->manner = manner;
}

receiver_manner receivers_manner(const receivers *all, const char *webhook) {
    const note *one = find(all, webhook);
    return one == NULL ? RECEIVER_UNKNOWN : one->manner;
}

size_t receivers_count(const receivers *all) {
    return all->count;
}

void receivers_forget(receivers *all, bool (*is_there)(const void *context, const char *webhook),
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
