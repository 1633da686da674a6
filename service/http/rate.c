/* Limits the requests of each client, and of all clients of one organisation together: token
 * buckets, in this instance. */
#include "service/http/rate.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

/* Two names with the same slot do not share it: the later one takes it over with a full bucket. */
enum { SLOT_COUNT = 8192, STRIPE_COUNT = 64 };

typedef struct slot {
    uint64_t name;
    int64_t filled_at_ms;
    double tokens;
} slot;

/* The buckets of one kind. */
typedef struct bucket_set {
    int quota;
    double refill_a_ms;
    pthread_mutex_t stripes[STRIPE_COUNT];
    slot slots[SLOT_COUNT];
} bucket_set;

struct rate_limiter {
    int window;
    bucket_set clients, organisations;
};

static void init_buckets(bucket_set *set, int quota, int window) {
    set->quota = quota;
    set->refill_a_ms = quota / (window * 1000.0);
    for (int i = 0; i < STRIPE_COUNT; i++) {
        pthread_mutex_init(&set->stripes[i], NULL);
    }
}

static void clear_buckets(bucket_set *set) {
    for (int i = 0; i < STRIPE_COUNT; i++) {
        pthread_mutex_destroy(&set->stripes[i]);
    }
}

rate_limiter *rate_limiter_new(int client_quota, int organisation_quota, int window) {
    rate_limiter *limiter = calloc(1, sizeof *limiter);
    if (limiter != NULL) {
        limiter->window = window;
        init_buckets(&limiter->clients, client_quota, window);
        init_buckets(&limiter->organisations, organisation_quota, window);
    }
    return limiter;
}

void rate_limiter_free(rate_limiter *limiter) {
    if (limiter == NULL) {
        return;
    }
    clear_buckets(&limiter->clients);
    clear_buckets(&limiter->organisations);
    free(limiter);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Adds `tokens` (-1 takes one; 1 gives one back) to the tokens that the time has added. */
static rate_left change(bucket_set *set, uint64_t name, double tokens, int64_t now_ms) {
    size_t index = (size_t)(name % SLOT_COUNT);
    slot *bucket = &set->slots[index];
    pthread_mutex_t *stripe = &set->stripes[index % STRIPE_COUNT];
    pthread_mutex_lock(stripe);
    if (bucket->name != name) {
        *bucket = (slot){.name = name, .filled_at_ms = now_ms, .tokens = set->quota};
    }
    bucket->tokens += (double)(now_ms - bucket->filled_at_ms) * set->refill_a_ms;
    bucket->filled_at_ms = now_ms;
    if (bucket->tokens > set->quota) {
        bucket->tokens = set->quota;
    }
    bool allowed = bucket->tokens + tokens >= 0;
    if (allowed) {
        bucket->tokens += tokens;
    }
    double left = bucket->tokens;
    pthread_mutex_unlock(stripe);
    double missing = allowed ? set->quota - left : 1 - left;
    return (rate_left){.allowed = allowed,
                       .quota = set->quota,
                       .remaining = (int)left,
                       .reset_seconds = (int)(missing / set->refill_a_ms / 1000) + 1};
}

rate_state rate_take(rate_limiter *limiter, const char *organisation, const char *client,
                     int64_t now_ms) {
    uint64_t organisation_name = hash_text(UINT64_C(0xcbf29ce484222325), organisation);
    uint64_t client_name = hash_text(organisation_name, client);
    rate_state state = {.window = limiter->window,
                        .client = change(&limiter->clients, client_name, -1, now_ms)};
    /* A client beyond its own quota takes nothing from the other clients of its organisation. */
    state.organisation =
        change(&limiter->organisations, organisation_name, state.client.allowed ? -1 : 0, now_ms);
    if (!state.organisation.allowed) {
        state.client = change(&limiter->clients, client_name, 1, now_ms);
    }
    state.allowed = state.client.allowed && state.organisation.allowed;
    return state;
}
