/* Finds the operation for a method and a path. Only the canonical spelling of a path is found, so
 * that two spellings of one address cannot be treated differently by a proxy and by the service. */
#include "service/contract/contract.h"
#include "service/contract/formats.h"

#include "service/hex.h"

#include <string.h>

enum { SEGMENTS_MAX = 16 };

typedef struct segments {
    const char *values[SEGMENTS_MAX]; /* decoded */
    size_t count;
} segments;

static bool is_unreserved(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

/* Whether the character may stand in a path segment as it is (RFC 3986 3.3, pchar). */
static bool is_segment_character(unsigned char c) {
    return is_unreserved(c) || (c != '\0' && strchr("!$&'()*+,;=:@", c) != NULL);
}

/* Returns the byte of an escape that is needed and harmless, -1 for any other. */
static int escaped_byte(const char *at) {
    int high = at[0] == '\0' ? -1 : hex_value(at[0]);
    int low = high < 0 ? -1 : hex_value(at[1]);
    if (low < 0) {
        return -1;
    }
    int byte = high * 16 + low;
    bool control = byte < 0x20 || byte == 0x7F;
    return control || byte == '/' || is_unreserved((unsigned char)byte) ? -1 : byte;
}

/* Decodes the segment at *path into *out and moves both behind it. */
static bool decode_segment(const char **path, char **out) {
    const char *at = *path;
    char *start = *out;
    char *to = start;
    while (*at != '\0' && *at != '/') {
        int byte = (unsigned char)*at;
        if (*at == '%') {
            byte = escaped_byte(at + 1);
            at += byte < 0 ? 0 : 2;
        } else if (!is_segment_character((unsigned char)byte)) {
            byte = -1;
        }
        if (byte < 0) {
            return false;
        }
        *to++ = (char)byte;
        at++;
    }
    *to = '\0';
    size_t length = (size_t)(to - start);
    *path = at;
    *out = to + 1;
    bool dots = strcmp(start, ".") == 0 || strcmp(start, "..") == 0;
    return length > 0 && !dots && utf8_is_valid(start, length);
}

/* Splits and decodes the path; false when it is not in canonical form. */
static bool split_path(const char *path, arena *memory, segments *found) {
    found->count = 0;
    if (path[0] != '/') {
        return false;
    }
    if (path[1] == '\0') {
        return true;
    }
    char *out = arena_alloc(memory, strlen(path) + 1);
    while (*path == '/') {
        if (found->count == SEGMENTS_MAX) {
            return false;
        }
        found->values[found->count++] = out;
        path++;
        if (!decode_segment(&path, &out)) {
            return false;
        }
    }
    return true;
}

/* Moves *at behind the template's segment; false when the value is not what it asks for. */
static bool matches_segment(const char **at, const char *value) {
    const char *c = *at;
    if (*c == '{') {
        c = strchr(c, '}') + 1;
    } else {
        while (*c == *value && *c != '\0') {
            c++;
            value++;
        }
        if (*value != '\0') {
            return false;
        }
    }
    *at = c;
    return *c == '/' || *c == '\0';
}

static bool matches_template(const char *template, const segments *path) {
    for (size_t i = 0; i < path->count; i++) {
        if (*template != '/') {
            return false;
        }
        template ++;
        if (!matches_segment(&template, path->values[i])) {
            return false;
        }
    }
    return *template == '\0' || (path->count == 0 && strcmp(template, "/") == 0);
}

/* Returns the index of the first operation with a matching path. The build sorts the operations so
 * that literal segments come before parameters. */
static size_t find_template(const segments *path) {
    size_t i = 0;
    while (i < contract_operation_count && !matches_template(contract_operations[i].path, path)) {
        i++;
    }
    return i;
}

static void take_values(contract_match *match, const segments *path, arena *memory) {
    const char *at = match->operation->path + 1;
    for (size_t i = 0; i < path->count; i++) {
        size_t length = strcspn(at, "/");
        if (at[0] == '{' && match->value_count < PATH_VALUES_MAX) {
            match->names[match->value_count] = arena_strndup(memory, at + 1, length - 2);
            match->values[match->value_count++] = path->values[i];
        }
        at += length + (at[length] == '/' ? 1 : 0);
    }
}

static const char *list_methods(size_t first, arena *memory) {
    const char *text = NULL;
    for (size_t i = first;
         i < contract_operation_count &&
         strcmp(contract_operations[i].path, contract_operations[first].path) == 0;
         i++) {
        const char *method = contract_operations[i].method;
        const char *with_head = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
        text = text == NULL ? with_head : arena_printf(memory, "%s, %s", text, with_head);
    }
    return arena_printf(memory, "%s, OPTIONS", text);
}

static contract_match route_exact(const char *method, const char *path, arena *memory) {
    contract_match match = {0};
    segments found;
    if (!split_path(path, memory, &found)) {
        return match;
    }
    size_t first = find_template(&found);
    if (first == contract_operation_count) {
        return match;
    }
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = first;
         i < contract_operation_count &&
         strcmp(contract_operations[i].path, contract_operations[first].path) == 0;
         i++) {
        if (strcmp(contract_operations[i].method, wanted) == 0) {
            match.operation = &contract_operations[i];
            take_values(&match, &found, memory);
            return match;
        }
    }
    match.path_known = true;
    match.allow = list_methods(first, memory);
    return match;
}

static bool has_csv(const contract_operation *operation) {
    const char *const *type = operation->produces;
    while (*type != NULL && strcmp(*type, "text/csv") != 0) {
        type++;
    }
    return *type != NULL;
}

contract_match contract_route(const char *method, const char *path, arena *memory) {
    static const char suffix[] = ".csv";
    size_t length = strlen(path);
    size_t rest = length < sizeof suffix ? 0 : length - (sizeof suffix - 1);
    if (rest > 0 && strcmp(path + rest, suffix) == 0) {
        contract_match match = route_exact("GET", arena_strndup(memory, path, rest), memory);
        if (match.operation != NULL && has_csv(match.operation)) {
            match.format = suffix + 1;
            bool is_read = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
            return is_read ? match
                           : (contract_match){.path_known = true, .allow = "GET, HEAD, OPTIONS"};
        }
    }
    return route_exact(method, path, memory);
}

const contract_operation *contract_find(const char *id) {
    for (size_t i = 0; i < contract_operation_count; i++) {
        if (strcmp(contract_operations[i].id, id) == 0) {
            return &contract_operations[i];
        }
    }
    return NULL;
}
