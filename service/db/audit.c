/* Parameters of an audit entry, read from an answer. */
#include "service/db/audit.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { UUID_LENGTH = 36 };

/* Identifiers, as a PostgreSQL array. */
typedef struct id_list {
    char *text;
    size_t length;
} id_list;

typedef struct scan {
    const audit_note *note;
    id_list ids;
    long items; /* -1: not a list */
    int depth, item_depth;
    bool in_items;
    bool complete; /* nothing that is left can add an identifier */
} scan;

static bool is_uuid(const char *text) {
    for (int i = 0; i < UUID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) {
            return false;
        }
    }
    return text[UUID_LENGTH] == '"' || text[UUID_LENGTH] == '\0';
}

static id_list list_open(size_t max, arena *memory) {
    id_list list = {.text = arena_alloc(memory, max * (UUID_LENGTH + 1) + 3)};
    list.text[list.length++] = '{';
    return list;
}

static void list_add(id_list *list, const char *id) {
    if (list->length > 1) {
        list->text[list->length++] = ',';
    }
    memcpy(list->text + list->length, id, UUID_LENGTH);
    list->length += UUID_LENGTH;
}

static const char *list_close(id_list *list) {
    list->text[list->length++] = '}';
    list->text[list->length] = '\0';
    return list->text;
}

/* Returns whether the path names the identifier already. */
static bool is_named(const audit_note *note, const char *id) {
    return (note->id != NULL && strncasecmp(note->id, id, UUID_LENGTH) == 0) ||
           (note->part != NULL && strncasecmp(note->part, id, UUID_LENGTH) == 0);
}

/* Returns the position after the string that begins here. */
static const char *skip_string(const char *at) {
    for (at++; *at != '"'; at++) {
        at += *at == '\\';
    }
    return at + 1;
}

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \n\t\r");
}

static bool is_key(const char *string, const char *behind, const char *name) {
    size_t length = strlen(name);
    return (size_t)(behind - string) == length + 2 && memcmp(string + 1, name, length) == 0;
}

/* Reads a member: its name from `string` to `behind`, and the beginning of its value. */
static void take_member(scan *scan, const char *string, const char *behind, const char *value) {
    if (scan->depth == 1) {
        scan->in_items = is_key(string, behind, "items") && *value == '[';
        scan->items = scan->in_items ? 0 : scan->items;
    }
    bool own = scan->depth == 1 || (scan->in_items && scan->depth == scan->item_depth);
    if (!own || !is_key(string, behind, "id") || *value != '"' || !is_uuid(value + 1)) {
        return;
    }
    if (!is_named(scan->note, value + 1)) {
        list_add(&scan->ids, value + 1);
    }
    /* Most answers are one document that begins with its identifier. */
    scan->complete = scan->depth == 1 && scan->items < 0 && strstr(value, "\"items\"") == NULL;
}

static const char *take_string(scan *scan, const char *string) {
    const char *behind = skip_string(string);
    const char *next = skip_blanks(behind);
    if (*next == ':') {
        next = skip_blanks(next + 1);
        take_member(scan, string, behind, next);
    }
    return next;
}

static void open_level(scan *scan) {
    scan->depth++;
    if (scan->in_items && scan->depth == scan->item_depth) {
        scan->items++;
    }
}

static void scan_answer(scan *scan, const char *answer) {
    if (*answer == '[') {
        scan->in_items = true;
        scan->items = 0;
        scan->item_depth = 2;
    }
    for (const char *at = answer; *at != '\0' && !scan->complete;) {
        if (*at == '"') {
            at = take_string(scan, at);
            continue;
        }
        if (*at == '{' || *at == '[') {
            open_level(scan);
        } else if (*at == '}' || *at == ']') {
            scan->depth--;
        }
        at++;
    }
}

void audit_parameters(const audit_note *note, const char *answer, const char **parameters,
                      arena *memory) {
    answer = answer == NULL ? "" : answer + strspn(answer, " \n\t\r");
    /* Each identifier takes more space in the answer than in the list. */
    size_t max = strlen(answer) / UUID_LENGTH + 1;
    scan scan = {.note = note, .ids = list_open(max, memory), .items = -1, .item_depth = 3};
    /* A path may name a resource by its reference: then the answer has its identifier. */
    const char *id = note->id != NULL && is_uuid(note->id) ? note->id : NULL;
    if (note->part != NULL) {
        list_add(&scan.ids, note->part);
    }
    scan_answer(&scan, answer);
    const char *found = list_close(&scan.ids);
    const char *const made[AUDIT_PARAMETERS] = {
        [AUDIT_OPERATION] = note->operation,
        [AUDIT_KIND] = note->kind,
        [AUDIT_REQUEST] = note->request,
        [AUDIT_COLLECTION] = note->collection,
        [AUDIT_IDS] = id == NULL ? found : arena_printf(memory, "{%s}", id),
        [AUDIT_PARTS] = id == NULL ? "{}" : found,
        [AUDIT_ITEMS] = scan.items < 0 ? NULL : arena_printf(memory, "%ld", scan.items)};
    memcpy(parameters, made, sizeof made);
}
