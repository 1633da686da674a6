/* The items of a list as CSV (RFC 4180): a line with the names of the columns, a line for each
 * item.
 *
 * A spreadsheet runs a cell that begins with =, +, -, @, a tab or a carriage return as a formula. A
 * text of that kind gets an apostrophe in front, which spreadsheets do not show (OWASP, CSV
 * Injection). Numbers and booleans come from the register and stay as they are. */
#include "service/clock.h"
#include "service/http/request_private.h"

#include <string.h>
#include <time.h>

typedef struct csv {
    arena *memory;
    char *text;
    size_t length, size;
} csv;

static void add(csv *out, const char *text, size_t length) {
    if (out->length + length + 1 > out->size) {
        size_t size = 2 * (out->length + length + 1);
        char *more = arena_alloc(out->memory, size);
        memcpy(more, out->text, out->length);
        out->text = more;
        out->size = size;
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
}

static void add_text(csv *out, const char *text) {
    bool is_formula = *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
    if (!is_formula && strpbrk(text, "\",;\r\n") == NULL) {
        add(out, text, strlen(text));
        return;
    }
    add(out, "\"", 1);
    add(out, "'", is_formula ? 1 : 0);
    while (*text != '\0') {
        size_t plain = strcspn(text, "\"");
        add(out, text, plain);
        text += plain;
        if (*text == '"') {
            add(out, "\"\"", 2);
            text++;
        }
    }
    add(out, "\"", 1);
}

/* Returns the values of a list with a space between them. */
static const char *join(const json_t *values, arena *memory) {
    csv joined = {.memory = memory, .text = arena_alloc(memory, 1), .size = 1};
    size_t index;
    const json_t *value;
    json_array_foreach (values, index, value) {
        add(&joined, " ", index == 0 ? 0 : 1);
        add(&joined, json_string_value(value), json_string_length(value));
    }
    return arena_strndup(memory, joined.text, joined.length);
}

static void add_cell(csv *out, const json_t *value) {
    if (json_is_string(value)) {
        add_text(out, json_string_value(value));
    } else if (json_is_array(value)) {
        add_text(out, join(value, out->memory));
    } else if (json_is_integer(value)) {
        const char *digits =
            arena_printf(out->memory, "%lld", (long long)json_integer_value(value));
        add(out, digits, strlen(digits));
    } else if (json_is_boolean(value)) {
        const char *word = json_is_true(value) ? "true" : "false";
        add(out, word, strlen(word));
    }
}

/* Returns the member that a column names: `counts.actions` is a member of a member. */
static const json_t *member_of(const json_t *item, const char *column, arena *memory) {
    for (;;) {
        size_t length = strcspn(column, ".");
        item = json_object_get(item, arena_strndup(memory, column, length));
        if (column[length] == '\0') {
            return item;
        }
        column += length + 1;
    }
}

static void add_lines(csv *out, const char *const *columns, const json_t *items) {
    for (const char *const *column = columns; *column != NULL; column++) {
        add(out, ",", column == columns ? 0 : 1);
        add(out, *column, strlen(*column));
    }
    add(out, "\r\n", 2);
    size_t index;
    const json_t *item;
    json_array_foreach (items, index, item) {
        for (const char *const *column = columns; *column != NULL; column++) {
            add(out, ",", column == columns ? 0 : 1);
            add_cell(out, member_of(item, *column, out->memory));
        }
        add(out, "\r\n", 2);
    }
}

bool request_wants_csv(const request *r) {
    return r->media_type != NULL && strcmp(r->media_type, "text/csv") == 0;
}

void respond_csv(request *r, const char *name, const char *text, size_t length) {
    time_t now = (time_t)(clock_us(CLOCK_REALTIME) / 1000000);
    struct tm day;
    char date[sizeof "2026-12-01"] = "";
    gmtime_r(&now, &day);
    (void)strftime(date, sizeof date, "%Y-%m-%d", &day);
    response_set_header(r, "Content-Disposition",
                        arena_printf(r->memory, "attachment; filename=\"%s-%s.csv\"", name, date));
    respond_bytes(r, "text/csv; charset=utf-8", text, length);
}

void respond_items_csv(request *r, const char *items) {
    json_t *read = json_loads(items, 0, NULL);
    csv out = {.memory = r->memory, .text = arena_alloc(r->memory, 1), .size = 1};
    add_lines(&out, r->operation->columns, read);
    json_decref(read);
    respond_csv(r, r->operation->collection, out.text, out.length);
}
