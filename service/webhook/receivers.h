/* How the receivers of webhooks answered last, so that those who let one wait do not hold up the
 * events of the others. For one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum receiver_manner {
    RECEIVER_UNKNOWN,
    RECEIVER_ANSWERS,
    RECEIVER_SILENT
} receiver_manner;

typedef struct receivers receivers;

receivers *receivers_new(void);
void receivers_free(receivers *all);

/* Remembers how the receiver of a webhook (its id, at most 36 bytes) answered. */
void receivers_note(receivers *all, const char *webhook, receiver_manner manner);

/* How it did; unknown when there is no note. */
receiver_manner receivers_manner(const receivers *all, const char *webhook);

/* How many there are notes of. */
size_t receivers_count(const receivers *all);

/* Forgets those that `is_there` does not say yes to; all when it is NULL. */
void receivers_forget(receivers *all, bool (*is_there)(const void *context, const char *webhook),
                      const void *context);
