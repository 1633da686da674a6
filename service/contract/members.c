/* Goes through a checked body: sets the contract's defaults, scans what people wrote. */
#include "service/contract/report.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum { KIND_SIZE = 64 };

/* Beyond this a double no longer tells all integers apart. */
static const double EXACT_MAX = 9007199254740992.0;

static json_t *make_default(const contract_schema *schema) {
    if (schema->default_type == JSON_NULL) {
        return json_null();
    }
    return json_loads(schema->default_json, JSON_DECODE_ANY, NULL);
}

/* Returns the integer that replaces a value like 1.0 where the schema asks an integer, or NULL. */
static json_t *make_integer(const contract_schema *schema, const json_t *value) {
    if (!json_is_real(value) || (schema->types & TYPE_INTEGER) == 0) {
        return NULL;
    }
    double real = json_real_value(value);
    if (trunc(real) != real || fabs(real) > EXACT_MAX) {
        return NULL;
    }
    return json_integer((json_int_t)real);
}

static void complete_object(const contract_schema *schema, json_t *object) {
    for (size_t i = 0; i < schema->property_count; i++) {
        const contract_property *property = &schema->properties[i];
        json_t *member = json_object_get(object, property->name);
        json_t *made = NULL;
        if (member != NULL) {
            contract_apply_defaults(property->schema, member);
            made = make_integer(property->schema, member);
        } else if (property->schema->default_json != NULL) {
            made = make_default(property->schema);
        }
        if (made != NULL) {
            json_object_set_new(object, property->name, made);
        }
    }
}

static void complete_array(const contract_schema *schema, json_t *array) {
    for (size_t i = 0; schema->items != NULL && i < json_array_size(array); i++) {
        json_t *item = json_array_get(array, i);
        contract_apply_defaults(schema->items, item);
        json_t *made = make_integer(schema->items, item);
        if (made != NULL) {
            json_array_set_new(array, i, made);
        }
    }
}

void contract_apply_defaults(const contract_schema *schema, json_t *value) {
    if (json_is_object(value)) {
        complete_object(schema, value);
    } else if (json_is_array(value)) {
        complete_array(schema, value);
    }
}

/* Which strings are scanned, with what, and where faults go. */
typedef struct scanning {
    contract_text_scanner scan;
    bool identifiers; /* those with x-identifier, not those with x-free-text */
    report to;
} scanning;

/* Writes the kind as words: a scanner may return a code. */
static void write_kind(char words[KIND_SIZE], const char *kind) {
    size_t length = strlen(kind) < KIND_SIZE ? strlen(kind) : KIND_SIZE - 1;
    for (size_t i = 0; i < length; i++) {
        words[i] = kind[i] == '_' ? ' ' : kind[i];
    }
    words[length] = '\0';
}

static void scan_text(const scanning *how, const char *text, const report_step *step) {
    const char *kind = how->scan(text);
    if (kind == NULL) {
        return;
    }
    char words[KIND_SIZE];
    write_kind(words, kind);
    report_add(&how->to, step, "personal_identifier",
               "must not identify a person, but seems to contain: %s", words);
}

static void scan_node(const contract_schema *schema, const json_t *value, const scanning *how,
                      const report_step *step) {
    bool wanted = how->identifiers ? schema->identifier : schema->free_text;
    if (json_is_string(value) && wanted) {
        scan_text(how, json_string_value(value), step);
    }
    for (size_t i = 0; json_is_object(value) && i < schema->property_count; i++) {
        const contract_property *property = &schema->properties[i];
        const json_t *member = json_object_get(value, property->name);
        if (member == NULL) {
            continue;
        }
        report_step inner = {
            .outer = step, .member = property->name, .length = strlen(property->name)};
        scan_node(property->schema, member, how, &inner);
    }
    size_t count = schema->items == NULL ? 0 : json_array_size(value);
    for (size_t i = 0; i < count; i++) {
        report_step inner = {.outer = step, .index = i};
        scan_node(schema->items, json_array_get(value, i), how, &inner);
    }
}

void contract_scan_free_text(const contract_schema *schema, const json_t *value,
                             const char *pointer, contract_text_scanner scan, violation_list *out) {
    scanning how = {.scan = scan, .to = {.out = out, .place = PLACE_BODY, .root = pointer}};
    scan_node(schema, value, &how, NULL);
}

void contract_scan_identifiers(const contract_schema *schema, const json_t *value,
                               const char *pointer, contract_text_scanner scan,
                               violation_list *out) {
    scanning how = {.scan = scan,
                    .identifiers = true,
                    .to = {.out = out, .place = PLACE_BODY, .root = pointer}};
    scan_node(schema, value, &how, NULL);
}

/* Scans every header of this name. */
static void scan_header(const char *name, const contract_pair *headers, size_t header_count,
                        contract_text_scanner scan, violation_list *out) {
    for (size_t i = 0; i < header_count; i++) {
        if (strcasecmp(headers[i].name, name) == 0) {
            scanning how = {.scan = scan, .to = {.out = out, .place = PLACE_HEADER, .root = name}};
            scan_text(&how, headers[i].value, NULL);
        }
    }
}

void contract_scan_headers(const contract_operation *operation, const contract_pair *headers,
                           size_t header_count, contract_text_scanner scan, violation_list *out) {
    for (size_t i = 0; i < operation->parameter_count; i++) {
        const contract_parameter *one = &operation->parameters[i];
        if (one->in == IN_HEADER && one->schema->identifier) {
            scan_header(one->name, headers, header_count, scan, out);
        }
    }
}
