/* JSON text of the database, in the one style of all answers. */
#include "service/db/json_text.h"

#include <string.h>

/* Returns the length of the string that begins at `text`, with both quotes. */
static size_t span_string(const char *text) {
    size_t length = 1;
    for (;;) {
        length += strcspn(text + length, "\"\\");
        if (text[length] != '\\' || text[length + 1] == '\0') {
            return text[length] == '\0' ? length : length + 1;
        }
        length += 2;
    }
}

char *json_text_compact(const char *text, arena *memory) {
    static const char space[] = " \t\r\n";
    char *copy = arena_alloc(memory, strlen(text) + 1);
    for (char *end = copy; *text != '\0';) {
        text += strspn(text, space);
        size_t length = *text == '"' ? span_string(text) : strcspn(text, "\" \t\r\n");
        end = mempcpy(end, text, length);
        text += length;
    }
    return copy;
}
