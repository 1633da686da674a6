/* How much one client may ask: a token bucket a client, in this instance. */
#include "service/http/rate.h"

#include <pthread.h>
#include <stdlib.h>

/* Two clients that fall into one slot share nothing: the later one takes it over with a full
 * bucket. */
enum { SLOT_COUNT = 8192, STRIPE_COUNT = 64 };

typedef struct slot {
    uint64_t client;
    int64_t filled_at_ms;
    double tokens;
} slot;

struct rate_limiter {
    int quota, window;
    pthread_mutex_t stripes[STRIPE_COUNT];
    slot slots[SLOT_COUNT];
};

rate_limiter *rate_limiter_new(int quota, int window) {
    rate_limiter *limiter = calloc(1, sizeof *limiter);
    if (limiter == NULL) {
        return NULL;
    }
    limiter->quota = quota;
    limiter->window = window;
    for (int i = 0; i < STRIPE_COUNT; i++) {
        pthread_mutex_init(&limiter->stripes[i], NULL);
    }
    return limiter;
}

void rate_limiter_free(rate_limiter *limiter) {
    if (limiter == NULL) {
        return;
    }
    for (int i = 0; i < STRIPE_COUNT; i++) {
        pthread_mutex_destroy(&limiter->stripes[i]);
    }
    free(limiter);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

rate_state rate_take(rate_limiter *limiter, const char *organisation, const char *client,
                     int64_t now_ms) {
    uint64_t hash = hash_text(hash_text(UINT64_C(0xcbf29ce484222325), organisation), client);
    size_t index = (size_t)(hash % SLOT_COUNT);
    slot *bucket = &limiter->slots[index];
    double quota = limiter->quota;
    double refill_a_ms = quota / (limiter->window * 1000.0);
    pthread_mutex_t *stripe = &limiter->stripes[index % STRIPE_COUNT];
    pthread_mutex_lock(stripe);
    if (bucket->client != hash) {
        *bucket = (slot){.client = hash, .filled_at_ms = now_ms, .tokens = quota};
    }
    bucket->tokens += (double)(now_ms - bucket->filled_at_ms) * refill_a_ms;
    bucket->filled_at_ms = now_ms;
    if (bucket->tokens > quota) {
        bucket->tokens = quota;
    }
    bool allowed = bucket->tokens >= 1;
    if (allowed) {
        bucket->tokens -= 1;
    }
    double tokens = bucket->tokens;
    pthread_mutex_unlock(stripe);
    double missing = allowed ? quota - tokens : 1 - tokens;
    return (rate_state){.allowed = allowed,
                        .quota = limiter->quota,
                        .window = limiter->window,
                        .remaining = (int)tokens,
                        .reset_seconds = (int)(missing / refill_a_ms / 1000) + 1};
}
