/* Requests that two programs could read in two ways are refused before anything else looks at them.
 */
#include "service/http/exchange_parts.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MOST = 100, TARGET_MOST = 4096 };

/* Fields that may come once and whose value has no comma in it. */
static const char *const single_fields[] = {
    "Content-Length",  "Transfer-Encoding", "Host", "Authorization", "Content-Type",
    "Idempotency-Key", "Content-Encoding"};

static size_t count_field(const raw_request *request, const char *name, const char **value) {
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0) {
            *value = request->headers[i].value;
            count++;
        }
    }
    return count;
}

static bool is_token(const char *name) {
    for (; *name != '\0'; name++) {
        if (!isalnum((unsigned char)*name) && strchr("!#$%&'*+-.^_`|~", *name) == NULL) {
            return false;
        }
    }
    return true;
}

static const char *field_fault(const raw_request *request) {
    for (size_t i = 0; i < sizeof single_fields / sizeof single_fields[0]; i++) {
        const char *value = NULL;
        size_t count = count_field(request, single_fields[i], &value);
        /* The HTTP library joins repeated fields with a comma. */
        if (count > 1 || (count == 1 && value != NULL && strchr(value, ',') != NULL)) {
            return "A header that may come once came more often.";
        }
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (*request->headers[i].name == '\0' || !is_token(request->headers[i].name)) {
            return "A header's name is not a token.";
        }
    }
    return NULL;
}

const char *framing_fault(const raw_request *request) {
    if (request->header_count > HEADERS_MOST || strlen(request->target) > TARGET_MOST) {
        return "There are too many headers, or the address is too long.";
    }
    const char *fault = field_fault(request);
    if (fault != NULL) {
        return fault;
    }
    const char *coding = NULL;
    const char *length = NULL;
    bool chunked = count_field(request, "Transfer-Encoding", &coding) > 0;
    bool counted = count_field(request, "Content-Length", &length) > 0;
    if (chunked && (counted || strcasecmp(coding, "chunked") != 0 ||
                    strcmp(request->protocol, "HTTP/1.1") != 0)) {
        return "The length of the body is stated in two ways, or in one that is not supported.";
    }
    if (counted && (*length == '\0' || strspn(length, "0123456789") != strlen(length))) {
        return "Content-Length is not a number.";
    }
    return NULL;
}
