/* Reading a request's body: media type, size, JSON, and everything the contract says about it. */
#include "service/http/exchange_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    DEPTH_MOST = 32,
    VALUES_MOST = 200000,
    REQUEST_MEMORY = 64 * 1024 /* what a request takes besides its body and document */
};

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

/* What a document costs in memory, before it is parsed: the sizes of jansson 2.14 with those of
 * malloc, rounded up (tests/unit/test_body.c compares). Small values cost many times their text. */
enum {
    COST_OBJECT = 256,
    COST_ARRAY = 160,
    COST_STRING = 96, /* and its bytes; also of a name, with its place in the object */
    COST_VALUE = 96   /* its place in what holds it, and a number */
};

typedef struct measure {
    size_t values, bytes;
} measure;

/* Returns where a string ends that begins before `at`, or `size`. */
static size_t skip_string(const char *text, size_t size, size_t at) {
    while (at < size && text[at] != '"') {
        at += text[at] == '\\' ? 2 : 1;
    }
    return at < size ? at : size;
}

/* Bounds what parsing may cost: nesting, and the number of values. `found` counts those of the
 * whole body, whatever lines it has. */
static bool is_bounded(const char *text, size_t size, measure *found) {
    int depth = 0;
    found->values++;
    found->bytes += COST_VALUE;
    for (size_t i = 0; i < size; i++) {
        char byte = text[i];
        if (byte == '"') {
            size_t end = skip_string(text, size, i + 1);
            found->bytes += COST_STRING + end - i;
            i = end;
            continue;
        }
        bool opens = byte == '{' || byte == '[';
        depth += opens - (byte == '}' || byte == ']');
        found->values += opens || byte == ',';
        found->bytes += byte == '{'   ? COST_OBJECT
                        : byte == '[' ? COST_ARRAY
                        : byte == ',' ? COST_VALUE
                                      : 0;
        if (depth > DEPTH_MOST || found->values > VALUES_MOST) {
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

static json_t *parse(exchange *x, const char *text, size_t size, const char *where) {
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

typedef struct line {
    const char *text;
    size_t size;
} line;

/* The next line of newline-delimited JSON that is not blank. Returns false at the end. */
static bool next_line(const char **rest, const char *end, line *found) {
    while (*rest < end) {
        const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));
        *found = (line){*rest, (size_t)((newline == NULL ? end : newline) - *rest)};
        *rest += found->size + (newline != NULL);
        if (found->size > 0 && strspn(found->text, " \t\r") < found->size) {
            return true;
        }
    }
    return false;
}

/* Newline-delimited JSON as an array of its lines. */
static json_t *parse_lines(exchange *x) {
    json_t *items = json_array();
    const char *rest = x->request.body;
    const char *end = rest + x->request.body_size;
    for (line each; next_line(&rest, end, &each);) {
        json_t *item =
            parse(x, each.text, each.size, arena_printf(x->memory, "/%zu", json_array_size(items)));
        if (item == NULL) {
            json_decref(items);
            return NULL;
        }
        json_array_append_new(items, item);
    }
    return items;
}

static bool measure_body(const exchange *x, measure *found) {
    const char *rest = x->request.body;
    const char *end = rest + x->request.body_size;
    if (!exchange_body_is_lines(x)) {
        return is_bounded(rest, x->request.body_size, found);
    }
    bool bounded = true;
    for (line each; bounded && next_line(&rest, end, &each);) {
        bounded = is_bounded(each.text, each.size, found);
    }
    return bounded;
}

/* Holds memory for the document and for what is made of it on the way to the database. */
static bool hold_document(exchange *x) {
    enum { TEXTS = 4 }; /* parameters, their copies in the message, the answer */
    measure found = {0};
    if (!measure_body(x, &found)) {
        return refuse(
            x, "malformed_json",
            "The document is nested more than 32 levels deep or holds more than 200,000 values.");
    }
    size_t bytes = found.bytes + TEXTS * x->request.body_size;
    if (x->loan != NULL && x->loan->bytes + bytes > budget_share(x->shared->memory)) {
        return refuse(x, "body_too_large",
                      arena_printf(x->memory,
                                   "The document takes about %zu MiB of memory; a client may have "
                                   "%zu MiB at a time.",
                                   bytes >> 20, budget_share(x->shared->memory) >> 20));
    }
    return exchange_hold(x, bytes) || refuse(x, "overloaded", NULL);
}

static bool check_size(exchange *x, size_t size) {
    if (size > x->operation->max_bytes) {
        return refuse(x, "body_too_large",
                      arena_printf(x->memory, "The body may have at most %zu bytes.",
                                   x->operation->max_bytes));
    }
    if (x->operation->body_count == 0 && size > 0) {
        return refuse(x, "bad_request", "This operation takes no body.");
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

bool exchange_expect_body(exchange *x) {
    if (is_encoded(x)) {
        return refuse(x, "media_type_unsupported", "The body may not be compressed or encoded.");
    }
    x->body_kind = x->operation->body_count > 0 ? find_body(x) : NULL;
    if (x->operation->body_count > 0 && x->body_kind == NULL &&
        (x->request.has_body || exchange_header(x, "Content-Type") != NULL)) {
        return refuse(
            x, "media_type_unsupported",
            arena_printf(x->memory, "The body must be %s%s%s.", x->operation->bodies[0].media_type,
                         x->operation->body_count > 1 ? " or " : "",
                         x->operation->body_count > 1 ? x->operation->bodies[1].media_type : ""));
    }
    if (!check_size(x, x->request.announced)) {
        return false;
    }
    return !x->request.has_body || exchange_hold(x, REQUEST_MEMORY + x->request.announced) ||
           refuse(x, "overloaded", NULL);
}

bool exchange_read_body(exchange *x) {
    if (!check_size(x, x->request.body_size)) {
        return false;
    }
    if (x->out_of_memory) {
        return refuse(x, "overloaded", NULL);
    }
    if (x->request.body_size == 0) {
        if (x->operation->body_required) {
            violation_list list = violation_list_make(x->memory);
            violation_add(&list, PLACE_BODY, "", "required", "is required");
            exchange_refuse_violations(x, "schema_violation", &list);
        }
        return !x->operation->body_required;
    }
    if (!hold_document(x)) {
        return false;
    }
    x->body = exchange_body_is_lines(x) ? parse_lines(x)
                                        : parse(x, x->request.body, x->request.body_size, "");
    return x->body != NULL;
}
