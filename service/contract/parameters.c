/* Checks what stands in the path, the query and the headers against the contract. */
#include "service/contract/check.h"
#include "service/contract/formats.h"
#include "service/contract/suggest.h"

#include <string.h>
#include <strings.h>

/* Names that were sent are repeated only up to this length. */
enum { NAME_LENGTH_MAX = 64, INTEGER_DIGITS_MAX = 18 };

/* Reads -?(0|[1-9][0-9]*) of a length that cannot overflow. */
static bool read_integer(const char *text, size_t length, int64_t *value) {
    bool negative = length > 0 && text[0] == '-';
    size_t at = negative ? 1 : 0;
    size_t digits = length - at;
    if (digits == 0 || digits > INTEGER_DIGITS_MAX || (digits > 1 && text[at] == '0')) {
        return false;
    }
    int64_t read = 0;
    for (; at < length; at++) {
        if (text[at] < '0' || text[at] > '9') {
            return false;
        }
        read = read * 10 + (text[at] - '0');
    }
    *value = negative ? -read : read;
    return true;
}

static bool is_boolean(const char *text, size_t length) {
    return (length == 4 && memcmp(text, "true", 4) == 0) ||
           (length == 5 && memcmp(text, "false", 5) == 0);
}

static void check_scalar(const contract_schema *schema, const char *text, size_t length,
                         const report *to) {
    if ((schema->types & TYPE_INTEGER) != 0) {
        int64_t value = 0;
        if (read_integer(text, length, &value)) {
            check_integer(schema, value, to, NULL);
        } else {
            report_type(to, NULL, schema);
        }
        return;
    }
    if ((schema->types & TYPE_BOOLEAN) != 0) {
        if (!is_boolean(text, length)) {
            report_type(to, NULL, schema);
        }
        return;
    }
    check_text(schema, text, length, to, NULL);
}

/* Whether the item stands among those from `start` up to itself. */
static bool is_repeated(const char *start, const char *item, size_t length) {
    while (start < item) {
        size_t other = strcspn(start, ",");
        if (other == length && memcmp(start, item, length) == 0) {
            return true;
        }
        start += other + 1;
    }
    return false;
}

static void check_list(const contract_schema *schema, const char *text, const report *to) {
    size_t count = 1;
    for (const char *comma = strchr(text, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
        count++;
    }
    if (!check_item_count(schema, count, to, NULL)) {
        return;
    }
    const char *item = text;
    for (size_t i = 0; i < count && !report_is_full(to); i++) {
        size_t length = strcspn(item, ",");
        check_scalar(schema->items, item, length, to);
        if (schema->unique_items && is_repeated(text, item, length)) {
            report_add(to, NULL, "unique_items", "must not contain an item twice");
            return;
        }
        item += length + 1;
    }
}

static void check_parameter(const contract_parameter *parameter, const char *value,
                            const report *to) {
    size_t length = strlen(value);
    if (!utf8_is_valid(value, length)) {
        report_add(to, NULL, "format", "must be UTF-8");
    } else if (parameter->list) {
        check_list(parameter->schema, value, to);
    } else {
        check_scalar(parameter->schema, value, length, to);
    }
}

static violation_place place_of(contract_in in) {
    switch (in) {
    case IN_PATH:
        return PLACE_PATH;
    case IN_QUERY:
        return PLACE_QUERY;
    case IN_HEADER:
        break;
    }
    return PLACE_HEADER;
}

/* Checks the parameter's values among the pairs; header names do not tell case apart. */
static void check_pairs(const contract_parameter *parameter, const contract_pair *pairs,
                        size_t count, violation_list *out) {
    report to = {.out = out, .place = place_of(parameter->in), .root = parameter->name};
    const char *value = NULL;
    for (size_t i = 0; i < count; i++) {
        int order = parameter->in == IN_HEADER ? strcasecmp(pairs[i].name, parameter->name)
                                               : strcmp(pairs[i].name, parameter->name);
        if (order != 0) {
            continue;
        }
        if (value != NULL) {
            report_add(&to, NULL, "repeated_parameter", "must not occur more than once");
            return;
        }
        value = pairs[i].value;
    }
    if (value != NULL) {
        check_parameter(parameter, value, &to);
        return;
    }
    // A missing If-Match is no breach of the contract's syntax but 428 (RFC 6585 3), in its turn.
    bool precondition = parameter->in == IN_HEADER && strcasecmp(parameter->name, "If-Match") == 0;
    if (parameter->required && !precondition) {
        report_add(&to, NULL, "required", "is required");
    }
}

static void check_path_value(const contract_parameter *parameter, const contract_match *match,
                             violation_list *out) {
    report to = {.out = out, .place = PLACE_PATH, .root = parameter->name};
    for (size_t i = 0; i < match->value_count; i++) {
        if (strcmp(match->names[i], parameter->name) == 0) {
            check_parameter(parameter, match->values[i], &to);
        }
    }
}

static bool is_query_parameter(const contract_operation *operation, const char *name) {
    for (size_t i = 0; i < operation->parameter_count; i++) {
        const contract_parameter *parameter = &operation->parameters[i];
        if (parameter->in == IN_QUERY && strcmp(parameter->name, name) == 0) {
            return true;
        }
    }
    return false;
}

const char *contract_repeatable_name(const char *name, arena *memory) {
    size_t length = strlen(name);
    if (!utf8_is_valid(name, length)) {
        return "(not UTF-8)";
    }
    return arena_strndup(memory, name, utf8_cut(name, length, NAME_LENGTH_MAX));
}

static bool is_reported(const violation_list *out, const char *name) {
    for (const violation *each = out->first; each != NULL; each = each->next) {
        if (each->place == PLACE_QUERY && strcmp(each->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *nearest_parameter(const report *to, const contract_operation *operation,
                                     const char *name) {
    suggestion search = suggestion_begin(name, strlen(name));
    for (size_t i = 0; report_may_suggest(to) && i < operation->parameter_count; i++) {
        if (operation->parameters[i].in == IN_QUERY) {
            suggestion_consider(&search, operation->parameters[i].name);
        }
    }
    return search.best;
}

static void check_unknown(const contract_operation *operation, const contract_pair *query,
                          size_t count, violation_list *out) {
    report to = {.out = out, .place = PLACE_QUERY};
    for (size_t i = 0; i < count && !report_is_full(&to); i++) {
        if (is_query_parameter(operation, query[i].name)) {
            continue;
        }
        to.root = contract_repeatable_name(query[i].name, out->memory);
        if (!is_reported(out, to.root)) {
            report_unknown(&to, NULL, "unknown_parameter", "is not a parameter of this operation",
                           nearest_parameter(&to, operation, query[i].name));
        }
    }
}

void contract_check_parameters(const contract_operation *operation, const contract_match *match,
                               const contract_pair *query, size_t query_count,
                               const contract_pair *headers, size_t header_count,
                               violation_list *out) {
    for (size_t i = 0; i < operation->parameter_count; i++) {
        const contract_parameter *parameter = &operation->parameters[i];
        switch (parameter->in) {
        case IN_PATH:
            check_path_value(parameter, match, out);
            break;
        case IN_QUERY:
            check_pairs(parameter, query, query_count, out);
            break;
        case IN_HEADER:
            check_pairs(parameter, headers, header_count, out);
            break;
        }
    }
    check_unknown(operation, query, query_count, out);
}
