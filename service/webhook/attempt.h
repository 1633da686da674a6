/* One attempt to send one event: an HTTPS request that connects to allowed addresses only. */
#pragma once

#include "service/auth/principal.h"
#include "service/webhook/deliver.h"

#include <curl/curl.h>

typedef enum attempt_result {
    ATTEMPT_DELIVERED,   /* 2xx */
    ATTEMPT_REFUSED,     /* any other answer */
    ATTEMPT_GONE,        /* 410 */
    ATTEMPT_UNREACHABLE, /* no answer */
    ATTEMPT_FORBIDDEN,   /* the address is not an allowed one */
    ATTEMPT_INTERRUPTED, /* the instance ended before it was done */
    ATTEMPT_RESULTS
} attempt_result;

/* The names of the results in the database. */
extern const char *const attempt_names[ATTEMPT_RESULTS];

typedef struct attempt {
    struct attempt *next;
    arena *memory; /* owns everything below */
    const targets *allowed;
    principal principal; /* the principal that records the result */
    const char *webhook, *delivery, *number;
    const char *url, *body;
    int generation;
    bool old_secret;
    bool trusted; /* the receiver answered the previous attempt */

    CURL *handle;
    struct curl_slist *headers;
    size_t answered; /* bytes of the answer's body */
    bool forbidden;
} attempt;

/* Prepares the request. Returns false when that is not possible: then `forbidden` says why. */
bool attempt_prepare(attempt *one, const deliverer_settings *settings);

/* Returns the result, the answer's status (0: none) and the seconds that the receiver asks the
 * service to wait. */
attempt_result attempt_judge(const attempt *one, CURLcode code, long *status, long *retry_after);

/* Returns whether the receiver took so long that it may not use many slots. */
bool attempt_was_slow(const attempt *one, attempt_result result);

/* Frees the attempt with its memory. */
void attempt_free(attempt *one);
