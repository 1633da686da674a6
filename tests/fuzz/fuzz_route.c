/* Methods and paths: one byte for the method, then the path as in a request line. */
#include "service/contract/formats.h"
#include "tests/fuzz/common.h"

#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW", ""};

/* A value of a path is UTF-8, not empty, not only dots, and has no slash. */
static void look_at(const contract_match *match, size_t i) {
    const char *value = match->values[i];
    HOLDS(*value != '\0' && strchr(value, '/') == NULL && strcmp(value, "..") != 0);
    HOLDS(utf8_is_valid(value, strlen(value)));
}

/* Another spelling of a known path is not found: a needless escape of its last letter. */
static void spell_otherwise(const char *method, const char *path, arena *memory) {
    size_t length = strlen(path);
    if (length < 2 || (path[length - 1] & 0x80) != 0 || path[length - 2] == '%' ||
        (length > 2 && path[length - 3] == '%')) {
        return;
    }
    char last = path[length - 1];
    bool letter = (last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z');
    const char *other = arena_printf(memory, "%.*s%%%02X", (int)length - 1, path, last);
    HOLDS(!letter || contract_route(method, other, memory).operation == NULL);
    const char *slashed = arena_printf(memory, "%s/", path);
    HOLDS(contract_route(method, slashed, memory).operation == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena *memory = arena_new();
    const char *method = methods[take_byte(&data, &size) % (sizeof methods / sizeof *methods)];
    const char *path = take_text(data, size, memory);
    contract_match match = contract_route(method, path, memory);
    HOLDS(match.operation == NULL || !match.path_known);
    HOLDS(!match.path_known || match.allow != NULL);
    for (size_t i = 0; i < match.value_count; i++) {
        look_at(&match, i);
    }
    if (match.operation != NULL) {
        spell_otherwise(method, path, memory);
        violation_list faults = violation_list_make(memory);
        contract_check_parameters(match.operation, &match, NULL, 0, NULL, 0, &faults);
    }
    arena_free(memory);
    return 0;
}
