/* Encodings of HTTP: base64url, gzip, and what an Accept header allows. */
#include "service/http/exchange_parts.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

char *base64url_encode(const void *bytes, size_t size, arena *memory) {
    unsigned char *text = arena_alloc(memory, size / 3 * 4 + 8);
    int length = EVP_EncodeBlock(text, bytes, (int)size);
    while (length > 0 && text[length - 1] == '=') {
        length--;
    }
    text[length] = '\0';
    for (unsigned char *each = text; *each != '\0'; each++) {
        *each = *each == '+' ? '-' : *each == '/' ? '_' : *each;
    }
    return (char *)text;
}

unsigned char *base64url_decode(const char *text, size_t *size, arena *memory) {
    size_t length = strlen(text);
    if (length == 0 || length % 4 == 1 || length > 100000) {
        return NULL;
    }
    size_t padded = (length + 3) / 4 * 4;
    unsigned char *standard = arena_alloc(memory, padded + 1);
    for (size_t i = 0; i < padded; i++) {
        char byte = i < length ? text[i] : '=';
        if (byte == '+' || byte == '/') {
            return NULL;
        }
        standard[i] = (unsigned char)(byte == '-' ? '+' : byte == '_' ? '/' : byte);
    }
    unsigned char *bytes = arena_alloc(memory, padded / 4 * 3 + 1);
    int decoded = EVP_DecodeBlock(bytes, standard, (int)padded);
    if (decoded < 0) {
        return NULL;
    }
    *size = (size_t)decoded - (padded - length);
    return strcmp(base64url_encode(bytes, *size, memory), text) == 0 ? bytes : NULL;
}

const void *gzip_bytes(exchange *x, const void *bytes, size_t size, size_t *compressed) {
    enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, LEVEL = 5 };
    z_stream stream = {0};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return NULL;
    }
    unsigned char *out = arena_alloc(x->memory, size);
    stream.next_in = (z_const Bytef *)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)size; /* no room: it does not get smaller */
    int result = deflate(&stream, Z_FINISH);
    *compressed = size - stream.avail_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? out : NULL;
}

/* How closely one range of an Accept header fits: 3 exactly, 2 `type/...`, 1 anything, 0 not. */
static int range_closeness(const char *range, size_t length, const char *media_type) {
    size_t name = strcspn(range, "; \t,");
    name = name > length ? length : name;
    size_t slash = strcspn(media_type, "/");
    if (name == 3 && strncmp(range, "*/*", 3) == 0) {
        return 1;
    }
    if (name == slash + 2 && range[name - 1] == '*') {
        return strncasecmp(range, media_type, slash + 1) == 0 ? 2 : 0;
    }
    return name == strlen(media_type) && strncasecmp(range, media_type, name) == 0 ? 3 : 0;
}

/* Whether the range's weight is more than nothing; without one it is whole. */
static bool range_wanted(const char *range, size_t length) {
    for (size_t i = 1; i + 1 < length; i++) {
        bool begins = range[i - 1] == ';' || range[i - 1] == ' ' || range[i - 1] == '\t';
        if (begins && (range[i] == 'q' || range[i] == 'Q') && range[i + 1] == '=') {
            return strtod(range + i + 2, NULL) > 0;
        }
    }
    return true;
}

/* The closest range decides, wherever it stands: a refused type stays refused beside a wider range.
 */
bool accept_allows(const char *accept, const char *media_type) {
    bool allowed = false;
    int closest = 0;
    while (accept != NULL && *accept != '\0') {
        accept += strspn(accept, " \t,");
        size_t length = strcspn(accept, ",");
        int closeness = range_closeness(accept, length, media_type);
        if (closeness > 0 && closeness >= closest) {
            bool wanted = range_wanted(accept, length);
            allowed = wanted || (allowed && closeness == closest);
            closest = closeness;
        }
        accept += length;
    }
    return allowed;
}

bool accept_gzip(const char *accept) {
    static const char name[] = "gzip";
    while (accept != NULL && *accept != '\0') {
        accept += strspn(accept, " \t,");
        size_t length = strcspn(accept, ",");
        size_t own = strcspn(accept, "; \t,");
        if (own == strlen(name) && strncasecmp(accept, name, own) == 0) {
            return range_wanted(accept, length);
        }
        accept += length;
    }
    return false;
}
