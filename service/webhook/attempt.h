/* One attempt to send one event: an HTTPS request that goes nowhere but where it may. */
#pragma once

#include "service/auth/principal.h"
#include "service/webhook/deliver.h"

#include <curl/curl.h>

typedef enum attempt_result {
    ATTEMPT_DELIVERED,   /* 2xx */
    ATTEMPT_REFUSED,     /* any other answer */
    ATTEMPT_GONE,        /* 410 */
    ATTEMPT_UNREACHABLE, /* no answer */
    ATTEMPT_FORBIDDEN,   /* the address is not one that may be sent to */
    ATTEMPT_INTERRUPTED, /* the instance ended meanwhile */
    ATTEMPT_RESULTS
} attempt_result;

/* What the database calls the result. */
extern const char *const attempt_names[ATTEMPT_RESULTS];

typedef struct attempt {
    struct attempt *next;
    arena *memory; /* of everything below */
    const targets *allowed;
    principal principal; /* as whom its end is recorded */
    const char *webhook, *delivery, *number;
    const char *url, *body;
    int generation;
    bool old_secret;
    bool trusted; /* its receiver has answered the last time */

    CURL *handle;
    struct curl_slist *headers;
    size_t answered; /* bytes of the answer's body */
    bool forbidden;
} attempt;

/* Makes the request. Returns false when it cannot be made: then `forbidden` tells why. */
bool attempt_prepare(attempt *one, const deliverer_settings *settings);

/* What came of it, with the answer's status (0: none) and how many seconds the receiver asks to
 * wait. */
attempt_result attempt_judge(const attempt *one, CURLcode code, long *status, long *retry_after);

/* Whether its receiver took so long that it may not hold many slots. */
bool attempt_was_slow(const attempt *one, attempt_result result);

/* Frees it with its memory. */
void attempt_free(attempt *one);
