/* Reads a request's body: media type, size, JSON, and all rules of the contract. */
#include "service/http/request_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    DEPTH_MAX = 32,
    VALUES_MAX = 200000,
    REQUEST_MEMORY = 64 * 1024 /* of a request without its body and document */
};

static bool refuse(request *r, const char *code, const char *detail) {
    respond_problem(r, code, detail);
    return false;
}

/* Returns the media type without parameters; the only parameter allowed is charset=utf-8. */
static const char *media_type(request *r, const char *value) {
    size_t length = strcspn(value, "; \t");
    const char *rest = value + length + strspn(value + length, "; \t");
    if (*rest != '\0' && strcasecmp(rest, "charset=utf-8") != 0 &&
        strcasecmp(rest, "charset=\"utf-8\"") != 0) {
        return NULL;
    }
    return arena_strndup(r->memory, value, length);
}

static const contract_body *find_body(request *r) {
    const char *value = request_header(r, "Content-Type");
    const char *type = value == NULL ? NULL : media_type(r, value);
    for (size_t i = 0; type != NULL && i < r->operation->body_count; i++) {
        if (strcasecmp(type, r->operation->bodies[i].media_type) == 0) {
            return &r->operation->bodies[i];
        }
    }
    return NULL;
}

/* The memory that a document takes, calculated before it is parsed: the sizes of jansson 2.14 with
 * those of malloc, rounded up (tests/unit/test_body.c compares). Small values take many times the
 * size of their text. */
enum {
    COST_OBJECT = 256,
    COST_ARRAY = 160,
    COST_STRING = 96, /* plus its bytes; also for a name, with its slot in the object */
    COST_VALUE = 96   /* its slot in the container, and a number */
};

typedef struct measure {
    size_t values, bytes;
} measure;

/* Returns the end of a string that begins before `at`, or `size`. */
static size_t skip_string(const char *text, size_t size, size_t at) {
    while (at < size && text[at] != '"') {
        at += text[at] == '\\' ? 2 : 1;
    }
    return at < size ? at : size;
}

/* Limits the cost of parsing: the nesting, and the number of values. `found` counts the values of
 * the whole body, however many lines it has. */
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
        if (depth > DEPTH_MAX || found->values > VALUES_MAX) {
            return false;
        }
    }
    return true;
}

/* Integers may have any size in JSON (RFC 8259, section 6). One that does not fit in 64 bits is
 * read as a double, and the schema decides. */
static json_t *load(const char *text, size_t size, json_error_t *error) {
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *value = json_loadb(text, size, flags, error);
    if (value == NULL && json_error_code(error) == json_error_numeric_overflow) {
        value = json_loadb(text, size, flags | JSON_DECODE_INT_AS_REAL, error);
    }
    return value;
}

static json_t *parse(request *r, const char *text, size_t size, const char *where) {
    json_error_t error;
    json_t *value = load(text, size, &error);
    if (value != NULL) {
        return value;
    }
    bool duplicate = json_error_code(&error) == json_error_duplicate_key;
    bool overflow = json_error_code(&error) == json_error_numeric_overflow;
    violation_list list = violation_list_make(r->memory);
    violation_add(&list, PLACE_BODY, where, duplicate ? "duplicate_member" : "json",
                  arena_printf(r->memory, "%s at line %d, column %d",
                               duplicate  ? "has a member twice"
                               : overflow ? "has a number that no double holds"
                                          : "is not well-formed JSON in UTF-8",
                               error.line, error.column));
    respond_violations(r, duplicate ? "duplicate_member" : "malformed_json", &list);
    return NULL;
}

typedef struct line {
    const char *text;
    size_t size;
} line;

/* Finds the next line of newline-delimited JSON that is not blank. Returns false at the end. */
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

/* Parses newline-delimited JSON into an array of its lines. */
static json_t *parse_lines(request *r) {
    json_t *items = json_array();
    const char *rest = r->raw.body;
    const char *end = rest + r->raw.body_size;
    for (line each; next_line(&rest, end, &each);) {
        json_t *item =
            parse(r, each.text, each.size, arena_printf(r->memory, "/%zu", json_array_size(items)));
        if (item == NULL) {
            json_decref(items);
            return NULL;
        }
        json_array_append_new(items, item);
    }
    return items;
}

static bool measure_body(const request *r, measure *found) {
    const char *rest = r->raw.body;
    const char *end = rest + r->raw.body_size;
    if (!request_body_is_lines(r)) {
        return is_bounded(rest, r->raw.body_size, found);
    }
    bool bounded = true;
    for (line each; bounded && next_line(&rest, end, &each);) {
        bounded = is_bounded(each.text, each.size, found);
    }
    return bounded;
}

/* Reserves memory for the document and for its copies on the way to the database. */
static bool hold_document(request *r) {
    enum { TEXTS = 4 }; /* for parameters, their copies in the message, and the answer */
    measure found = {0};
    if (!measure_body(r, &found)) {
        return refuse(
            r, "malformed_json",
            "The document is nested more than 32 levels deep or holds more than 200,000 values.");
    }
    size_t bytes = found.bytes + TEXTS * r->raw.body_size;
    if (r->loan != NULL && r->loan->bytes + bytes > budget_share(r->context->memory)) {
        return refuse(r, "body_too_large",
                      arena_printf(r->memory,
                                   "The document takes about %zu MiB of memory; a client may have "
                                   "%zu MiB at a time.",
                                   bytes >> 20, budget_share(r->context->memory) >> 20));
    }
    return request_hold_memory(r, bytes) || refuse(r, "overloaded", NULL);
}

static bool check_size(request *r, size_t size) {
    if (size > r->operation->max_bytes) {
        return refuse(r, "body_too_large",
                      arena_printf(r->memory, "The body may have at most %zu bytes.",
                                   r->operation->max_bytes));
    }
    if (r->operation->body_count == 0 && size > 0) {
        return refuse(r, "bad_request", "This operation takes no body.");
    }
    return true;
}

const contract_schema *request_body_schema(const request *r) {
    return r->body_kind->schema;
}

bool request_body_is_lines(const request *r) {
    return r->body_kind != NULL && strcmp(r->body_kind->media_type, "application/x-ndjson") == 0;
}

bool request_body_is_json(const request *r) {
    return request_body_is_lines(r) || strstr(r->body_kind->media_type, "json") != NULL;
}

static bool is_encoded(request *r) {
    const char *coding = request_header(r, "Content-Encoding");
    return coding != NULL && strcasecmp(coding, "identity") != 0;
}

/* Returns the media types that the operation takes. */
static const char *list_bodies(request *r) {
    const char *text = r->operation->bodies[0].media_type;
    for (size_t i = 1; i < r->operation->body_count; i++) {
        text = arena_printf(r->memory, "%s or %s", text, r->operation->bodies[i].media_type);
    }
    return text;
}

bool request_expect_body(request *r) {
    if (is_encoded(r)) {
        return refuse(r, "media_type_unsupported", "The body may not be compressed or encoded.");
    }
    r->body_kind = r->operation->body_count > 0 ? find_body(r) : NULL;
    if (r->operation->body_count > 0 && r->body_kind == NULL &&
        (r->raw.has_body || request_header(r, "Content-Type") != NULL)) {
        return refuse(r, "media_type_unsupported",
                      arena_printf(r->memory, "The body must be %s.", list_bodies(r)));
    }
    if (!check_size(r, r->raw.announced)) {
        return false;
    }
    return !r->raw.has_body || request_hold_memory(r, REQUEST_MEMORY + r->raw.announced) ||
           refuse(r, "overloaded", NULL);
}

bool request_read_body(request *r) {
    if (!check_size(r, r->raw.body_size)) {
        return false;
    }
    if (r->out_of_memory) {
        return refuse(r, "overloaded", NULL);
    }
    if (r->raw.body_size == 0) {
        if (r->operation->body_required) {
            violation_list list = violation_list_make(r->memory);
            violation_add(&list, PLACE_BODY, "", "required", "is required");
            respond_violations(r, "schema_violation", &list);
        }
        return !r->operation->body_required;
    }
    if (!request_body_is_json(r)) {
        return true; /* the handler reads the bytes */
    }
    if (!hold_document(r)) {
        return false;
    }
    r->body =
        request_body_is_lines(r) ? parse_lines(r) : parse(r, r->raw.body, r->raw.body_size, "");
    return r->body != NULL;
}
