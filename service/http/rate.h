/* Limits the requests of each client, and of all clients of one organisation together: token
 * buckets, in this instance. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct rate_limiter rate_limiter;

/* Makes a limiter that allows each client `client_quota` requests in `window` seconds, and the
 * clients of one organisation together `organisation_quota`. Returns NULL when memory is out. */
rate_limiter *rate_limiter_new(int client_quota, int organisation_quota, int window);
void rate_limiter_free(rate_limiter *limiter);

/* The rest of one quota. */
typedef struct rate_left {
    bool allowed;
    int quota;
    int remaining;
    int reset_seconds; /* until the quota is full again; for a refused request, until the next one
                          may pass */
} rate_left;

typedef struct rate_state {
    bool allowed; /* by both buckets */
    int window;   /* in seconds */
    rate_left client, organisation;
} rate_state;

/* Takes one request from both buckets at the time `now_ms` (milliseconds of a steady clock), or
 * from neither. Organisation and client id together name a client. */
rate_state rate_take(rate_limiter *limiter, const char *organisation, const char *client,
                     int64_t now_ms);
