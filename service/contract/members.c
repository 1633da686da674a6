/* Goes through a checked body: sets the contract's defaults, scans what people wrote. */
#include "service/contract/report.h"

#include <math.h>
#include <string.h>

enum { KIND_SIZE = 64 };

/* Beyond this a double no longer tells all integers apart. */
static const double EXACT_MOST = 9007199254740992.0;

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
    if (trunc(real) != real || fabs(real) > EXACT_MOST) {
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

static void scan_text(const char *text, contract_text_scanner scan, const report *to,
                      const report_step *step) {
    const char *kind = scan(text);
    if (kind == NULL) {
        return;
    }
    char words[KIND_SIZE];
    size_t length = strlen(kind) < sizeof words ? strlen(kind) : sizeof words - 1;
    for (size_t i = 0; i < length; i++) {
        words[i] = kind[i];
        if (kind[i] == '_') {
            words[i] = ' ';
        }
    }
    words[length] = '\0';
    report_add(to, step, "personal_identifier",
               "must not identify a person, but seems to contain: %s", words);
}

static void scan_node(const contract_schema *schema, const json_t *value,
                      contract_text_scanner scan, const report *to, const report_step *step) {
    if (json_is_string(value) && schema->free_text) {
        scan_text(json_string_value(value), scan, to, step);
    }
    for (size_t i = 0; json_is_object(value) && i < schema->property_count; i++) {
        const contract_property *property = &schema->properties[i];
        const json_t *member = json_object_get(value, property->name);
        if (member == NULL) {
            continue;
        }
        report_step inner = {
            .outer = step, .member = property->name, .length = strlen(property->name)};
        scan_node(property->schema, member, scan, to, &inner);
    }
    size_t count = schema->items == NULL ? 0 : json_array_size(value);
    for (size_t i = 0; i < count; i++) {
        report_step inner = {.outer = step, .index = i};
        scan_node(schema->items, json_array_get(value, i), scan, to, &inner);
    }
}

void contract_scan_free_text(const contract_schema *schema, const json_t *value,
                             const char *pointer, contract_text_scanner scan, violation_list *out) {
    report to = {.out = out, .place = PLACE_BODY, .root = pointer};
    scan_node(schema, value, scan, &to, NULL);
}
