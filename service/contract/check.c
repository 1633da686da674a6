/* Checks JSON values against the contract's schemas; allocates nothing for a valid value.
 *
 * Recursion follows the schema, not the value: the build refuses schemas that are nested deeply. */
#include "service/contract/check.h"
#include "service/contract/formats.h"
#include "service/contract/patterns.h"
#include "service/contract/suggest.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Names that were sent are repeated in pointers only up to this length. */
enum { NAME_LENGTH_MAX = 64 };

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static bool is_choice(const contract_schema *schema, const char *text, size_t length) {
    for (const char *const *each = schema->enumeration; *each != NULL; each++) {
        // Not strcmp: the text could go on behind a NUL.
        if (strlen(*each) == length && memcmp(*each, text, length) == 0) {
            return true;
        }
    }
    return false;
}

static void check_length(const contract_schema *schema, const char *text, size_t length,
                         const report *to, const report_step *step) {
    // A code point has one to four bytes, so that counting is rarely needed.
    bool surely_long_enough =
        length / 4 >= schema->min_length || (length > 0 && schema->min_length <= 1);
    if (length <= schema->max_length && surely_long_enough) {
        return;
    }
    size_t count = utf8_count(text, length);
    if (count < schema->min_length) {
        report_add(to, step, "min_length", "must have at least %zu character%s", schema->min_length,
                   plural(schema->min_length));
    }
    if (count > schema->max_length) {
        report_add(to, step, "max_length", "must have at most %zu character%s", schema->max_length,
                   plural(schema->max_length));
    }
}

void check_text(const contract_schema *schema, const char *text, size_t length, const report *to,
                const report_step *step) {
    if (schema->enumeration != NULL && !is_choice(schema, text, length)) {
        report_choice(to, step, schema, text, length);
    }
    check_length(schema, text, length, to, step);
    if (schema->pattern != NULL && !pattern_matches(schema->pattern_index, text, length)) {
        report_pattern(to, step, schema);
    }
    if (schema->format != FORMAT_NONE && !format_matches(schema->format, text, length)) {
        report_format(to, step, schema);
    }
}

static void report_minimum(const contract_schema *schema, const report *to,
                           const report_step *step) {
    report_add(to, step, "minimum", "must be at least %" PRId64, schema->minimum);
}

static void report_maximum(const contract_schema *schema, const report *to,
                           const report_step *step) {
    report_add(to, step, "maximum", "must be at most %" PRId64, schema->maximum);
}

void check_integer(const contract_schema *schema, int64_t value, const report *to,
                   const report_step *step) {
    if (schema->has_minimum && value < schema->minimum) {
        report_minimum(schema, to, step);
    }
    if (schema->has_maximum && value > schema->maximum) {
        report_maximum(schema, to, step);
    }
}

static void check_real(const contract_schema *schema, double value, const report *to,
                       const report_step *step) {
    if (schema->has_minimum && value < (double)schema->minimum) {
        report_minimum(schema, to, step);
    }
    if (schema->has_maximum && value > (double)schema->maximum) {
        report_maximum(schema, to, step);
    }
}

bool check_item_count(const contract_schema *schema, size_t count, const report *to,
                      const report_step *step) {
    if (count < schema->min_items) {
        report_add(to, step, "min_items", "must have at least %zu item%s", schema->min_items,
                   plural(schema->min_items));
    }
    if (count > schema->max_items) {
        report_add(to, step, "max_items", "must have at most %zu item%s", schema->max_items,
                   plural(schema->max_items));
        return false;
    }
    return true;
}

static unsigned type_bits(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return TYPE_OBJECT;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_INTEGER:
        return TYPE_INTEGER | TYPE_NUMBER;
    case JSON_REAL: {
        // JSON Schema's core, 6.3: a number without a fraction is an integer, however written.
        double real = json_real_value(value);
        return trunc(real) == real ? TYPE_INTEGER | TYPE_NUMBER : TYPE_NUMBER;
    }
    case JSON_TRUE:
    case JSON_FALSE:
        return TYPE_BOOLEAN;
    case JSON_NULL:
        return TYPE_NULL;
    }
    return 0;
}

static void check_node(const contract_schema *schema, const json_t *value, const report *to,
                       const report_step *step);

/* The JSON equality of JSON Schema, for which 1 equals 1.0. */
static bool is_equal(const json_t *left, const json_t *right) {
    if (json_is_number(left) && json_is_number(right) && json_typeof(left) != json_typeof(right)) {
        return json_number_value(left) == json_number_value(right);
    }
    return json_equal(left, right) == 1;
}

static void check_unique(const json_t *array, const report *to, const report_step *step) {
    // The build makes sure that uniqueItems comes with a small maxItems.
    size_t count = json_array_size(array);
    for (size_t i = 1; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (is_equal(json_array_get(array, i), json_array_get(array, j))) {
                report_step inner = {.outer = step, .index = i};
                report_add(to, &inner, "unique_items", "must not occur twice");
                break;
            }
        }
    }
}

static void check_array(const contract_schema *schema, const json_t *array, const report *to,
                        const report_step *step) {
    size_t count = json_array_size(array);
    bool count_allowed = check_item_count(schema, count, to, step);
    if (schema->unique_items && count_allowed) {
        check_unique(array, to, step);
    }
    if (schema->items == NULL) {
        return;
    }
    report_step inner = {.outer = step};
    for (size_t i = 0; i < count && !report_is_full(to); i++) {
        inner.index = i;
        check_node(schema->items, json_array_get(array, i), to, &inner);
    }
}

static bool is_property(const contract_schema *schema, const char *name) {
    for (size_t i = 0; i < schema->property_count; i++) {
        if (strcmp(schema->properties[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *nearest_property(const report *to, const contract_schema *schema,
                                    const char *name) {
    suggestion search = suggestion_begin(name, strlen(name));
    for (size_t i = 0; report_may_suggest(to) && i < schema->property_count; i++) {
        suggestion_consider(&search, schema->properties[i].name);
    }
    return search.best;
}

static void check_unknown(const contract_schema *schema, const json_t *object, const report *to,
                          const report_step *step) {
    // Iterating does not change the object; jansson only lacks const here.
    json_t *members = (json_t *)(uintptr_t)object;
    for (void *at = json_object_iter(members); at != NULL && !report_is_full(to);
         at = json_object_iter_next(members, at)) {
        const char *name = json_object_iter_key(at);
        if (is_property(schema, name)) {
            continue;
        }
        report_step inner = {.outer = step, .member = name, .length = strlen(name)};
        if (inner.length > NAME_LENGTH_MAX) {
            report_add(to, step, "unknown_member",
                       "has a member that the contract does not define");
        } else {
            report_unknown(to, &inner, "unknown_member", "is not a member of the contract",
                           nearest_property(to, schema, name));
        }
    }
}

static void check_object(const contract_schema *schema, const json_t *object, const report *to,
                         const report_step *step) {
    size_t size = json_object_size(object);
    if (size < schema->min_properties) {
        report_add(to, step, "min_properties", "must have at least %zu member%s",
                   schema->min_properties, plural(schema->min_properties));
    }
    size_t known = 0;
    for (size_t i = 0; i < schema->property_count; i++) {
        const contract_property *property = &schema->properties[i];
        const json_t *member = json_object_get(object, property->name);
        if (member == NULL && !property->required) {
            continue;
        }
        report_step inner = {
            .outer = step, .member = property->name, .length = strlen(property->name)};
        if (member == NULL) {
            report_add(to, &inner, "required", "is required");
            continue;
        }
        known++;
        check_node(property->schema, member, to, &inner);
    }
    if (!schema->additional_properties && known < size) {
        check_unknown(schema, object, to, step);
    }
}

static void check_node(const contract_schema *schema, const json_t *value, const report *to,
                       const report_step *step) {
    if (schema->types != 0 && (type_bits(value) & schema->types) == 0) {
        report_type(to, step, schema);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_STRING:
        check_text(schema, json_string_value(value), json_string_length(value), to, step);
        return;
    case JSON_INTEGER:
        check_integer(schema, json_integer_value(value), to, step);
        return;
    case JSON_REAL:
        check_real(schema, json_real_value(value), to, step);
        return;
    case JSON_ARRAY:
        check_array(schema, value, to, step);
        return;
    case JSON_OBJECT:
        check_object(schema, value, to, step);
        return;
    default:
        return;
    }
}

void contract_check_value(const contract_schema *schema, const json_t *value, const char *pointer,
                          violation_list *out) {
    report to = {.out = out, .place = PLACE_BODY, .root = pointer};
    check_node(schema, value, &to, NULL);
}
