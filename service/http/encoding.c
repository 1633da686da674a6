/* Encodings of HTTP: base64url and gzip. */
#include "service/http/request_private.h"

#include <openssl/evp.h>
#include <string.h>
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

const void *gzip_bytes(arena *memory, const void *bytes, size_t size, size_t *compressed) {
    enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, LEVEL = 5 };
    z_stream stream = {0};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return NULL;
    }
    unsigned char *out = arena_alloc(memory, size);
    stream.next_in = (z_const Bytef *)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)size; /* no room: the result would not be smaller */
    int result = deflate(&stream, Z_FINISH);
    *compressed = size - stream.avail_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? out : NULL;
}
