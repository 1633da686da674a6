/* Long polls: requests that wait until something happens.
 *
 * A request with `wait` that finds nothing new must not occupy a worker for half a minute. ulfius
 * knows no way to leave a request open: its callback returns a complete response. Two features of
 * the libraries below it make one.
 *
 * 1. The handler sets the response that is right if nothing happens, and calls long_poll_wait. That
 *    registers the request with the change feed (feed_wait), which suspends the connection as soon
 *    as it is sure to wake it (MHD_suspend_connection): libmicrohttpd does not look at the
 *    connection any more, and its worker serves others.
 * 2. The callback of ulfius ends with a stream response. Its status and headers are settled now.
 *    Its body is read later, through long_poll_read.
 * 3. The feed wakes the request from its own thread when one of its topics has an event, when its
 *    time is over, when the client is gone, or when the service ends. Waking only resumes the
 *    connection (MHD_resume_connection).
 * 4. The worker then asks for the body. long_poll_read runs the handler again, which either sets a
 *    response, or waits again: then the connection is suspended again.
 *
 * Because status and headers are settled before the body is known, the second run can only change
 * the body. If it fails, or there is no memory for its response, the client gets the response that
 * was set first. The copy of the request in `long_poll` lives in the request's own memory, which
 * long_poll_free returns when libmicrohttpd is done with the response. Everything that touches the
 * connection, except resuming, runs on the worker of the connection. */
#pragma once

#include "service/http/request_private.h"

#include <sys/types.h>

typedef enum long_poll_result {
    LONG_POLL_WAITS,      /* the handler ends; it will run again */
    LONG_POLL_READ_AGAIN, /* there is something already: read again */
    LONG_POLL_OVER        /* it may not or need not wait: the answer already set is sent */
} long_poll_result;

/* Makes the request wait, for at most `seconds` after it arrived, until one of the topics (a JSON
 * array of strings) has something above `seen`. An answer must be set and must be valid at the end
 * of the wait: the client gets it when the handler fails later. */
long_poll_result long_poll_wait(request *r, int seconds, const char *topics, int64_t seen);

/* The body of a waiting request, for the library (MHD_ContentReaderCallback and its free function);
 * `self` is the request's `long_poll`. */
ssize_t long_poll_read(void *self, uint64_t position, char *out, size_t max);
void long_poll_free(void *self);
