/* Refuses, before anything else reads them, requests that two programs could read in two ways. */
#include "service/http/request_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 100, TARGET_MAX = 4096, PORT_MAX = 5 };

/* Fields that may occur once and whose value has no comma. */
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

/* Field values have no control bytes but a tab (RFC 9110 section 5.5). */
static bool has_control_byte(const char *value) {
    for (; value != NULL && *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return true;
        }
    }
    return false;
}

static size_t span_of_name(const char *host) {
    size_t length = 0;
    for (; host[length] != '\0'; length++) {
        bool escaped = host[length] == '%' && isxdigit((unsigned char)host[length + 1]) &&
                       isxdigit((unsigned char)host[length + 2]);
        if (!escaped && !isalnum((unsigned char)host[length]) &&
            strchr("-._~!$&'()*+,;=", host[length]) == NULL) {
            break;
        }
    }
    return length;
}

/* `host`, `host:port` or `[v6]:port` (RFC 9110 section 7.2, RFC 3986 section 3.2.2). Empty is
 * allowed: a client that requests no particular host writes it so. */
static bool is_host(const char *value) {
    size_t length = span_of_name(value);
    if (*value == '[') {
        length = 1 + strspn(value + 1, "0123456789abcdefABCDEF:.");
        if (length < 3 || value[length] != ']') {
            return false;
        }
        length++;
    }
    const char *port = value + length;
    return *port == '\0' || (*port == ':' && length > 0 && strlen(port) <= PORT_MAX + 1 &&
                             strspn(port + 1, "0123456789") == strlen(port + 1));
}

static const char *value_fault(const raw_request *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (has_control_byte(request->headers[i].value)) {
            return "A header's value has a control byte in it.";
        }
    }
    const char *host = NULL;
    if (count_field(request, "Host", &host) > 0 && host != NULL && !is_host(host)) {
        return "Host is not a host, or a host and a port.";
    }
    return NULL;
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
    return value_fault(request);
}

const char *framing_fault(const raw_request *request) {
    if (request->header_count > HEADERS_MAX || request->header_lines > HEADERS_MAX ||
        strlen(request->target) > TARGET_MAX) {
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

void framing_measure(raw_request *request) {
    const char *text = NULL;
    request->chunked = count_field(request, "Transfer-Encoding", &text) > 0;
    bool counted = count_field(request, "Content-Length", &text) > 0;
    request->announced = counted ? strtoull(text, NULL, 10) : 0;
    request->has_body = request->chunked || request->announced > 0;
}
