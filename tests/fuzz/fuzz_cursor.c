/* Cursors and base64url: forged ones are never accepted, our own always are. */
#include "tests/fuzz/common.h"

#include <string.h>

static void round_trip(request *r, const char *text, size_t length) {
    size_t size = 0;
    const char *encoded = base64url_encode(text, length, r->memory);
    const unsigned char *decoded = base64url_decode(encoded, &size, r->memory);
    HOLDS(length == 0 || (decoded != NULL && size == length && memcmp(decoded, text, size) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    request r = request_begin(contract_find("listCases"));
    const char *text = take_text(data, size, r.memory);
    HOLDS(cursor_read(&r, text, "{}") == NULL);
    round_trip(&r, text, strlen(text));
    if (*text != '\0' && size < 4096) {
        const char *made = cursor_make(&r, text, "{}");
        const char *key = cursor_read(&r, made, "{}");
        HOLDS(key != NULL && strcmp(key, text) == 0);
        HOLDS(cursor_read(&r, made, "{\"stage\":\"x\"}") == NULL);
    }
    request_end(&r);
    return 0;
}
