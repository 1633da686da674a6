/* The scanner of free text: it ends, reads nothing beyond the text, and returns only its known
 * kinds. */
#include "api/free_text.h"
#include "service/contract/formats.h"
#include "tests/fuzz/common.h"

#include <string.h>

static bool is_known(const char *kind) {
    static const char *const kinds[] = {"a CHI number", "an e-mail address", "a telephone number",
                                        "a postcode", "a date of birth"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena *memory = arena_new();
    const char *text = take_text(data, size, memory);
    if (!utf8_is_valid(text, strlen(text))) {
        arena_free(memory);
        return -1;
    }
    const char *kind = free_text_scan(text);
    HOLDS(kind == NULL || is_known(kind));
    /* A text that identifies a person still does so within a longer text. */
    const char *longer = arena_printf(memory, "It was said: %s\nNothing else.", text);
    HOLDS(kind == NULL || free_text_scan(longer) != NULL);
    arena_free(memory);
    return 0;
}
