/* Builds pointers (RFC 6901) and messages of violations. */
#include "service/contract/report.h"
#include "service/contract/suggest.h"

#include <stdio.h>
#include <string.h>

enum {
    MESSAGE_SIZE = 512,
    CHOICES_SHOWN = 320,
    CHOICES_SIZE = 384,
    INDEX_SIZE = 24,
    SUGGESTIONS_MAX = 8
};

bool report_is_full(const report *to) {
    return to->out->count >= VIOLATIONS_MAX;
}

static size_t step_length(const report_step *step) {
    if (step->member == NULL) {
        return (size_t)snprintf(NULL, 0, "/%zu", step->index);
    }
    size_t length = 1 + step->length;
    for (size_t i = 0; i < step->length; i++) {
        length += step->member[i] == '~' || step->member[i] == '/' ? 1 : 0;
    }
    return length;
}

/* Writes the step so that it ends right before `end`; returns where it starts. */
static char *write_step(const report_step *step, char *end) {
    if (step->member == NULL) {
        char digits[INDEX_SIZE];
        int length = snprintf(digits, sizeof digits, "/%zu", step->index);
        return memcpy(end - length, digits, (size_t)length);
    }
    for (size_t i = step->length; i > 0; i--) {
        char c = step->member[i - 1];
        bool escaped = c == '~' || c == '/';
        *--end = c == '~' ? '0' : c == '/' ? '1' : c;
        if (escaped) {
            *--end = '~';
        }
    }
    *--end = '/';
    return end;
}

static const char *make_pointer(const report *to, const report_step *step) {
    if (to->place != PLACE_BODY || step == NULL) {
        return to->root;
    }
    size_t root = strlen(to->root);
    size_t length = root;
    for (const report_step *each = step; each != NULL; each = each->outer) {
        length += step_length(each);
    }
    char *pointer = arena_alloc(to->out->memory, length + 1);
    memcpy(pointer, to->root, root);
    char *end = pointer + length;
    for (const report_step *each = step; each != NULL; each = each->outer) {
        end = write_step(each, end);
    }
    return pointer;
}

void report_add(const report *to, const report_step *step, const char *rule, const char *format,
                ...) {
    if (report_is_full(to)) {
        return;
    }
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    violation_add(to->out, to->place, make_pointer(to, step), rule, message);
}

bool report_may_suggest(const report *to) {
    return to->out->count < SUGGESTIONS_MAX;
}

void report_unknown(const report *to, const report_step *step, const char *rule,
                    const char *message, const char *suggested) {
    if (suggested == NULL) {
        report_add(to, step, rule, "%s", message);
    } else {
        report_add(to, step, rule, "%s; did you mean %s?", message, suggested);
    }
}

void report_type(const report *to, const report_step *step, const contract_schema *schema) {
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{TYPE_STRING, "a string"},  {TYPE_INTEGER, "an integer"},
                 {TYPE_NUMBER, "a number"},  {TYPE_BOOLEAN, "true or false"},
                 {TYPE_OBJECT, "an object"}, {TYPE_ARRAY, "an array"},
                 {TYPE_NULL, "null"}};
    char text[MESSAGE_SIZE / 2] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((schema->types & names[i].bit) == 0) {
            continue;
        }
        int wrote = snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? " or " : "",
                             names[i].name);
        used += (size_t)wrote;
    }
    report_add(to, step, "type", "must be %s", text);
}

static const char *nearest_choice(const report *to, const contract_schema *schema, const char *text,
                                  size_t length) {
    suggestion search = suggestion_begin(text, length);
    for (const char *const *each = schema->enumeration; report_may_suggest(to) && *each != NULL;
         each++) {
        suggestion_consider(&search, *each);
    }
    return search.best;
}

/* Writes the choices, or the first ones and their number. */
static void write_choices(const contract_schema *schema, char text[CHOICES_SIZE]) {
    size_t used = 0, count = 0, shown = 0;
    for (const char *const *each = schema->enumeration; *each != NULL; each++, count++) {
        if (shown != count || used + strlen(*each) + 3 > CHOICES_SHOWN) {
            continue;
        }
        int wrote =
            snprintf(text + used, CHOICES_SIZE - used, "%s%s", count > 0 ? ", " : "", *each);
        used += (size_t)wrote;
        shown++;
    }
    if (shown < count) {
        snprintf(text + used, CHOICES_SIZE - used, ", ... (%zu values in all%s%s)", count,
                 schema->reference == NULL ? "" : ": GET ",
                 schema->reference == NULL ? "" : schema->reference);
    }
}

void report_choice(const report *to, const report_step *step, const contract_schema *schema,
                   const char *sent, size_t length) {
    char choices[CHOICES_SIZE] = "", message[MESSAGE_SIZE];
    write_choices(schema, choices);
    snprintf(message, sizeof message, "must be one of: %s", choices);
    report_unknown(to, step, "enum", message, nearest_choice(to, schema, sent, length));
}

void report_pattern(const report *to, const report_step *step, const contract_schema *schema) {
    bool listed = schema->reference != NULL;
    report_add(to, step, "pattern", "must match the pattern %s%s%s", schema->pattern,
               listed ? ", as the codes of GET " : "", listed ? schema->reference : "");
}

void report_format(const report *to, const report_step *step, const contract_schema *schema) {
    static const char *const forms[] = {
        [FORMAT_NONE] = "text",
        [FORMAT_DATE] = "a date that exists, as YYYY-MM-DD",
        [FORMAT_DATE_TIME] = "a date and time as in RFC 3339, with its offset",
        [FORMAT_UUID] = "a UUID",
        [FORMAT_URI] = "a URI",
        [FORMAT_URI_REFERENCE] = "a URI reference",
    };
    report_add(to, step, "format", "must be %s", forms[schema->format]);
}
