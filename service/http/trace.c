/* The trace that a request belongs to (W3C Trace Context, level 1). */
#include "service/http/request_private.h"

#include "service/hex.h"

#include <string.h>

enum { VERSION_AT = 0, TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53, HEADER_LENGTH = 55 };
enum { SAMPLED = 1 };

static bool is_hex(const char *text, size_t length) {
    return strspn(text, "0123456789abcdef") >= length;
}

static bool is_zero(const char *text, size_t length) {
    return strspn(text, "0") >= length;
}

/* Version 00 has four fields; a later version may have more, and begins with these. */
static bool is_traceparent(const char *text) {
    if (strnlen(text, HEADER_LENGTH) < HEADER_LENGTH || !is_hex(text + VERSION_AT, 2) ||
        !is_hex(text + TRACE_AT, TRACE_ID_LENGTH) || !is_hex(text + PARENT_AT, SPAN_ID_LENGTH) ||
        !is_hex(text + FLAGS_AT, 2) || text[TRACE_AT - 1] != '-' || text[PARENT_AT - 1] != '-' ||
        text[FLAGS_AT - 1] != '-') {
        return false;
    }
    bool first_version = strncmp(text, "00", 2) == 0;
    char after = text[HEADER_LENGTH];
    return strncmp(text, "ff", 2) != 0 && (after == '\0' || (after == '-' && !first_version)) &&
           !is_zero(text + TRACE_AT, TRACE_ID_LENGTH) && !is_zero(text + PARENT_AT, SPAN_ID_LENGTH);
}

/* Makes a random identifier that is not zero: zero means none. */
static void make_id(char *id, size_t length) {
    unsigned char bytes[TRACE_ID_LENGTH / 2] = {0};
    random_bytes(bytes, length / 2);
    bytes[0] |= 1;
    hex_write(bytes, length / 2, id);
}

void trace_begin(request *r) {
    const char *parent = request_header(r, "traceparent");
    if (parent == NULL) {
        return;
    }
    if (is_traceparent(parent)) {
        memcpy(r->trace_id, parent + TRACE_AT, TRACE_ID_LENGTH);
        r->sampled = hex_value(parent[FLAGS_AT + 1]) & SAMPLED;
    } else {
        make_id(r->trace_id, TRACE_ID_LENGTH);
    }
    make_id(r->span_id, SPAN_ID_LENGTH);
}

const char *trace_parent(request *r) {
    return arena_printf(r->memory, "00-%s-%s-%s", r->trace_id, r->span_id,
                        r->sampled ? "01" : "00");
}
