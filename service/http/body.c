/* Reading a request's body: media type, size, JSON, and everything the contract says about it. */
#include "service/http/exchange_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DEPTH_MOST = 32, VALUES_MOST = 200000 };

static bool refuse(exchange *x, const char *code, const char *detail) {
    exchange_refuse(x, code, detail);
    return false;
}

/* The media type without parameters; only charset=utf-8 is allowed as one. */
static const char *media_type(exchange *x, const char *value) {
    size_t length = strcspn(value, "; \t");
    const char *rest = value + length + strspn(value + length, "; \t");
    if (*rest != '\0' && strcasecmp(rest, "charset=utf-8") != 0 &&
        strcasecmp(rest, "charset=\"utf-8\"") != 0) {
        return NULL;
    }
    return arena_strndup(x->memory, value, length);
}

static const contract_body *find_body(exchange *x) {
    const char *value = exchange_header(x, "Content-Type");
    const char *type = value == NULL ? NULL : media_type(x, value);
    for (size_t i = 0; type != NULL && i < x->operation->body_count; i++) {
        if (strcasecmp(type, x->operation->bodies[i].media_type) == 0) {
            return &x->operation->bodies[i];
        }
    }
    return NULL;
}

/* Bounds what parsing may cost: nesting, and the number of values (each takes far more memory than
 * its text). `values` counts those of the whole body, whatever lines it has. */
static bool is_bounded(const char *text, size_t size, size_t *values) {
    int depth = 0;
    bool in_string = false;
    ++*values;
    for (size_t i = 0; i < size; i++) {
        char byte = text[i];
        if (in_string) {
            i += byte == '\\';
            in_string = byte != '"';
            continue;
        }
        in_string = byte == '"';
        depth += byte == '{' || byte == '[';
        depth -= byte == '}' || byte == ']';
        *values += byte == ',' || byte == '{' || byte == '[';
        if (depth > DEPTH_MOST || *values > VALUES_MOST) {
            return false;
        }
    }
    return true;
}

/* Integers may have any size in JSON (RFC 8259, section 6): what 64 bits do not hold is read as a
 * double, and left to the schema. */
static json_t *load(const char *text, size_t size, json_error_t *error) {
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *value = json_loadb(text, size, flags, error);
    if (value == NULL && json_error_code(error) == json_error_numeric_overflow) {
        value = json_loadb(text, size, flags | JSON_DECODE_INT_AS_REAL, error);
    }
    return value;
}

static json_t *parse(exchange *x, const char *text, size_t size, const char *where,
                     size_t *values) {
    if (!is_bounded(text, size, values)) {
        refuse(
            x, "malformed_json",
            "The document is nested more than 32 levels deep or holds more than 200,000 values.");
        return NULL;
    }
    json_error_t error;
    json_t *value = load(text, size, &error);
    if (value != NULL) {
        return value;
    }
    bool duplicate = json_error_code(&error) == json_error_duplicate_key;
    bool overflow = json_error_code(&error) == json_error_numeric_overflow;
    violation_list list = violation_list_make(x->memory);
    violation_add(&list, PLACE_BODY, where, duplicate ? "duplicate_member" : "json",
                  arena_printf(x->memory, "%s at line %d, column %d",
                               duplicate  ? "has a member twice"
                               : overflow ? "has a number that no double holds"
                                          : "is not well-formed JSON in UTF-8",
                               error.line, error.column));
    exchange_refuse_violations(x, duplicate ? "duplicate_member" : "malformed_json", &list);
    return NULL;
}

/* Newline-delimited JSON as an array of its lines. */
static json_t *parse_lines(exchange *x) {
    json_t *items = json_array();
    size_t values = 0;
    const char *text = x->request.body;
    const char *end = text + x->request.body_size;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline == NULL ? end : newline) - text);
        if (length > 0 && strspn(text, " \t\r") < length) {
            json_t *item = parse(x, text, length,
                                 arena_printf(x->memory, "/%zu", json_array_size(items)), &values);
            if (item == NULL) {
                json_decref(items);
                return NULL;
            }
            json_array_append_new(items, item);
        }
        text += length + (newline != NULL);
    }
    return items;
}

static bool check_sizes(exchange *x) {
    if (x->request.body_size > x->operation->max_bytes) {
        return refuse(x, "body_too_large",
                      arena_printf(x->memory, "The body may have at most %zu bytes.",
                                   x->operation->max_bytes));
    }
    if (x->operation->body_count == 0 && x->request.body_size > 0) {
        return refuse(x, "bad_request", "This operation takes no body.");
    }
    if (x->operation->body_required && x->request.body_size == 0) {
        violation_list list = violation_list_make(x->memory);
        violation_add(&list, PLACE_BODY, "", "required", "is required");
        exchange_refuse_violations(x, "schema_violation", &list);
        return false;
    }
    return true;
}

const contract_schema *exchange_body_schema(const exchange *x) {
    return x->body_kind->schema;
}

bool exchange_body_is_lines(const exchange *x) {
    return x->body_kind != NULL && strcmp(x->body_kind->media_type, "application/x-ndjson") == 0;
}

static bool is_encoded(exchange *x) {
    const char *coding = exchange_header(x, "Content-Encoding");
    return coding != NULL && strcasecmp(coding, "identity") != 0;
}

bool exchange_read_body(exchange *x) {
    bool sent = x->request.body_size > 0;
    if (is_encoded(x)) {
        return refuse(x, "media_type_unsupported", "The body may not be compressed or encoded.");
    }
    const contract_body *body = x->operation->body_count > 0 ? find_body(x) : NULL;
    if (x->operation->body_count > 0 && body == NULL &&
        (sent || exchange_header(x, "Content-Type") != NULL)) {
        return refuse(
            x, "media_type_unsupported",
            arena_printf(x->memory, "The body has to be %s%s%s.",
                         x->operation->bodies[0].media_type,
                         x->operation->body_count > 1 ? " or " : "",
                         x->operation->body_count > 1 ? x->operation->bodies[1].media_type : ""));
    }
    if (!check_sizes(x)) {
        return false;
    }
    if (!sent) {
        return true;
    }
    x->body_kind = body;
    size_t values = 0;
    x->body = exchange_body_is_lines(x)
                  ? parse_lines(x)
                  : parse(x, x->request.body, x->request.body_size, "", &values);
    return x->body != NULL;
}
