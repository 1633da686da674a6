/* Describes, for the log, a request that belongs to no operation; the rules are in unmatched.c. */
#pragma once

#include "service/http/connection_limit.h"
#include "service/http/request_private.h"
#include "service/log.h"

/* Fills method, path and client address. */
void unmatched_describe(request *r, log_request *into);

/* Returns the target's path in the form that the log may show. `scan` returns the kind of personal
 * identifier in a text, or NULL; `scan` itself may be NULL. */
const char *unmatched_path(const char *target, const char *(*scan)(const char *text),
                           arena *memory);

/* Returns the client's address: the peer's, or, when `trusting` trusts the peer, the last one of
 * `forwarded` (X-Forwarded-For, or NULL) that it does not trust. */
const char *unmatched_address(const struct sockaddr *peer, const char *forwarded,
                              const connection_limit *trusting, arena *memory);
