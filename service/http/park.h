/* Requests that wait for something to happen. A parked request costs no worker: the library does
 * not look at its connection until it is resumed. Its headers are settled when it is parked; the
 * body is made by the handler, run again, when it is woken. */
#pragma once

#include "service/http/request_private.h"

#include <sys/types.h>

typedef enum park_verdict {
    PARK_WAITS, /* the handler ends; it will run again */
    PARK_AGAIN, /* there is something already: read again */
    PARK_OVER   /* it may not or need not wait: the answer that was set is the one */
} park_verdict;

/* Parks the request, at most until `seconds` after it came, until there is something above `seen`
 * in one of the topics (a JSON array of strings). An answer has to be set: it is given when the
 * handler fails later, so it has to hold then too. */
park_verdict park_request(request *r, int seconds, const char *topics, int64_t seen);

/* The body of a parked request, for the library (MHD_ContentReaderCallback and its free function);
 * `self` is the request's `parked`. */
ssize_t park_read(void *self, uint64_t position, char *out, size_t most);
void park_free(void *self);
