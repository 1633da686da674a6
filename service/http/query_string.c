/* Parses the query string strictly: it repairs, drops and guesses nothing. */
#include "service/http/request_private.h"

#include "service/hex.h"

#include <string.h>

enum { QUERY_PAIRS_MAX = 50 };

/* Decodes one name or value. Returns NULL for a bad escape, a control byte or text that is not
 * UTF-8. */
static char *decode(const char *text, size_t length, arena *memory) {
    char *out = arena_alloc(memory, length + 1);
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            int high = i + 2 < length ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return NULL;
            }
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if ((unsigned char)byte < 0x20 || byte == 0x7f) {
            return NULL;
        }
        out[used++] = byte;
    }
    json_t *check = json_stringn(out, used); /* NULL when it is not UTF-8 */
    bool is_utf8 = check != NULL;
    json_decref(check);
    return is_utf8 ? out : NULL;
}

void query_hide(char *target) {
    char *question = target == NULL ? NULL : strchr(target, '?');
    if (question != NULL) {
        question[1] = '\0';
    }
}

bool query_parse(const char *text, contract_pair **pairs, size_t *count, violation_list *out,
                 arena *memory) {
    *pairs = arena_alloc(memory, QUERY_PAIRS_MAX * sizeof **pairs);
    *count = 0;
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, "&");
        size_t name_length = strcspn(text, "=&");
        char *name = decode(text, name_length, memory);
        char *value = name_length < length
                          ? decode(text + name_length + 1, length - name_length - 1, memory)
                          : arena_strdup(memory, "");
        if (name == NULL || *name == '\0' || value == NULL || *count == QUERY_PAIRS_MAX) {
            violation_add(out, PLACE_QUERY,
                          name == NULL ? "" : contract_repeatable_name(name, memory), "malformed",
                          "is not a well-formed query of at most 50 parameters");
            return false;
        }
        (*pairs)[(*count)++] = (contract_pair){name, value};
        text += length;
        text += *text == '&';
    }
    return true;
}
