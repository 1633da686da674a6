/* Parses the JSON of tokens and key sets: one object, no duplicate member, little nesting. */
#include "service/auth/strict_json.h"

#include <stdbool.h>

/* Only brackets outside strings count; the parser checks whether they match. */
static bool nests_little(const char *bytes, size_t size) {
    int depth = 0;
    bool in_string = false;
    for (size_t at = 0; at < size; at++) {
        char byte = bytes[at];
        if (in_string && byte == '\\') {
            at++;
        } else if (byte == '"') {
            in_string = !in_string;
        } else if (!in_string && (byte == '{' || byte == '[')) {
            depth++;
        } else if (!in_string && (byte == '}' || byte == ']')) {
            depth--;
        }
        if (depth > STRICT_JSON_DEPTH) {
            return false;
        }
    }
    return true;
}

json_t *strict_json_object(const char *bytes, size_t size) {
    if (!nests_little(bytes, size)) {
        return NULL;
    }
    json_t *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

const char *strict_json_text(const json_t *object, const char *member, size_t *length) {
    const json_t *value = json_object_get(object, member);
    const char *text = json_string_value(value);
    *length = text == NULL ? 0 : json_string_length(value);
    return text;
}
