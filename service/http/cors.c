/* Cross-origin requests of browsers. */
#include "service/http/cors.h"

#include "service/http/request_private.h"

#include <string.h>

/* Headers that a page may send without a token, and those of a client with one. Accept needs no
 * permission. */
static const char *const public_headers = "If-None-Match, X-Request-Id, X-Correlation-Id";
static const char *const client_headers = "Authorization, Content-Digest, Content-Type, "
                                          "Idempotency-Key, If-Match, If-None-Match, If-Range, "
                                          "Range, X-Request-Id, X-Correlation-Id, traceparent";
static const char *const readable_headers =
    "Accept-Ranges, Content-Disposition, Content-Range, Deprecation, ETag, Idempotency-Replayed, "
    "Link, Location, RateLimit, RateLimit-Policy, Repr-Digest, Retry-After, Sunset, "
    "WWW-Authenticate, X-Correlation-Id, X-Request-Id, traceparent";

/* In seconds; browsers keep the answer to a preflight no longer than two hours. */
static const char *const preflight_age = "7200";

const char *cors_origins_fault(const char *origins) {
    for (const char *at = origins; *at != '\0';) {
        size_t length = strcspn(at, " ");
        const char *host = strstr(at, "://");
        if (length == 0) {
            return "has a space too many";
        }
        if (strncmp(at, "https://", 8) != 0 && strncmp(at, "http://", 7) != 0) {
            return "has an entry that does not begin with https:// or http://";
        }
        host += 3;
        size_t host_length = length - (size_t)(host - at);
        if (host_length == 0 ||
            strspn(host, "-.:[]0123456789abcdefghijklmnopqrstuvwxyz") < host_length) {
            return "has an entry that is more than scheme, host in lower case, and port";
        }
        at += length + (at[length] == ' ' && at[length + 1] != '\0');
    }
    return NULL;
}

/* Returns whether the list names the origin. Origins are compared byte by byte. */
static bool is_listed(const char *origins, const char *origin) {
    size_t length = strlen(origin);
    for (const char *at = origins; at != NULL && *at != '\0';) {
        size_t entry = strcspn(at, " ");
        if (entry == length && strncmp(at, origin, length) == 0) {
            return true;
        }
        at += entry + (at[entry] == ' ');
    }
    return false;
}

static const char *listed_origin(request *r) {
    const char *origin = request_header(r, "Origin");
    return origin != NULL && is_listed(r->context->settings->cors_origins, origin) ? origin : NULL;
}

void cors_allow_reading(request *r) {
    if (request_header(r, "Origin") == NULL || strcmp(r->raw.method, "OPTIONS") == 0) {
        return;
    }
    bool everyone = r->operation != NULL && r->operation->public;
    const char *allowed = everyone ? "*" : listed_origin(r);
    if (allowed != NULL) {
        response_set_header(r, "Access-Control-Allow-Origin", allowed);
        response_set_header(r, "Access-Control-Expose-Headers", readable_headers);
    }
}

void cors_allow_request(request *r) {
    const char *method = request_header(r, "Access-Control-Request-Method");
    if (method == NULL || request_header(r, "Origin") == NULL) {
        return;
    }
    const contract_operation *wanted = contract_route(method, r->path, r->memory).operation;
    const char *listed = listed_origin(r);
    bool everyone = wanted != NULL && wanted->public;
    if (wanted == NULL || (listed == NULL && !everyone)) {
        return;
    }
    response_set_header(r, "Access-Control-Allow-Origin", listed != NULL ? listed : "*");
    response_set_header(r, "Access-Control-Allow-Methods", r->match.allow);
    response_set_header(r, "Access-Control-Allow-Headers",
                        listed != NULL ? client_headers : public_headers);
    response_set_header(r, "Access-Control-Max-Age", preflight_age);
}
