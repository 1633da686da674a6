/* Cursors and base64url: forged ones never come back, our own always do. */
#include "tests/fuzz/common.h"

#include <string.h>

static void round_trip(exchange *x, const char *text, size_t length) {
    size_t size = 0;
    const char *encoded = base64url_encode(text, length, x->memory);
    const unsigned char *decoded = base64url_decode(encoded, &size, x->memory);
    HOLDS(length == 0 || (decoded != NULL && size == length && memcmp(decoded, text, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    exchange x = exchange_begin(contract_find("listCases"));
    const char *text = take_text(data, size, x.memory);
    HOLDS(cursor_read(&x, text, "{}") == NULL);
    round_trip(&x, text, strlen(text));
    if (*text != '\0' && size < 4096) {
        const char *made = cursor_make(&x, text, "{}");
        const char *key = cursor_read(&x, made, "{}");
        HOLDS(key != NULL && strcmp(key, text) == 0);
        HOLDS(cursor_read(&x, made, "{\"stage\":\"x\"}") == NULL);
    }
    exchange_end(&x);
    return 0;
}
