/* How much one client may ask: a token bucket a client, in this instance. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct rate_limiter rate_limiter;

/* Makes a limiter that lets each client send `quota` requests in `window` seconds. NULL when memory
 * is out. */
rate_limiter *rate_limiter_new(int quota, int window);
void rate_limiter_free(rate_limiter *limiter);

/* What is left to a client. */
typedef struct rate_state {
    bool allowed;
    int quota, window; /* window in seconds */
    int remaining;
    int reset_seconds; /* until the quota is whole again; when refused, until the next request may
                          pass */
} rate_state;

/* Takes one request from the client's bucket at the time `now_ms` (milliseconds of a steady clock).
 * A client is named by organisation and client id. */
rate_state rate_take(rate_limiter *limiter, const char *organisation, const char *client,
                     int64_t now_ms);
