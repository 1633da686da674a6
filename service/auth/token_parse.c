/* Splits a compact JWS (RFC 7515 section 7.1) and checks its form to the bit before it is read. */
#include "service/auth/token_parse.h"

#include "service/auth/strict_json.h"
#include "service/auth/token.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

_Static_assert((int)TOKEN_PART_MAX >= (int)TOKEN_BYTES_MAX, "a part fits in its buffer");

/* isalnum would depend on the locale. */
static int sextet_of(char byte) {
    if (byte >= 'A' && byte <= 'Z') {
        return byte - 'A';
    }
    if (byte >= 'a' && byte <= 'z') {
        return byte - 'a' + 26;
    }
    if (byte >= '0' && byte <= '9') {
        return byte - '0' + 52;
    }
    if (byte == '-') {
        return 62;
    }
    return byte == '_' ? 63 : -1;
}

static bool decode_part(const char *text, size_t size, unsigned char *out, size_t *out_size) {
    uint32_t pending = 0;
    unsigned bits = 0;
    size_t used = 0;
    if (size == 0 || size % 4 == 1) {
        return false;
    }
    for (size_t at = 0; at < size; at++) {
        int sextet = sextet_of(text[at]);
        if (sextet < 0) {
            return false;
        }
        pending = (pending << 6 | (uint32_t)sextet) & 0xfff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[used++] = (unsigned char)(pending >> bits & 0xff);
        }
    }
    *out_size = used;
    return (pending & ((1U << bits) - 1U)) == 0;
}

const char *token_split(const char *text, size_t size, token_parts *parts) {
    const char *first = memchr(text, '.', size);
    const char *second =
        first == NULL ? NULL : memchr(first + 1, '.', size - (size_t)(first + 1 - text));
    if (second == NULL) {
        return "shape";
    }
    size_t header_size = (size_t)(first - text);
    size_t claims_size = (size_t)(second - first - 1);
    size_t signature_size = size - (size_t)(second - text) - 1;
    /* A third dot is not base64url, so decoding the last part rejects it. */
    if (size > TOKEN_BYTES_MAX ||
        !decode_part(text, header_size, (unsigned char *)parts->header, &parts->header_size) ||
        !decode_part(first + 1, claims_size, (unsigned char *)parts->claims, &parts->claims_size) ||
        !decode_part(second + 1, signature_size, parts->signature, &parts->signature_size)) {
        return "encoding";
    }
    parts->header[parts->header_size] = '\0';
    parts->claims[parts->claims_size] = '\0';
    parts->signed_size = (size_t)(second - text);
    return NULL;
}

static bool type_is_known(const json_t *root) {
    if (json_object_get(root, "typ") == NULL) {
        return true;
    }
    size_t length = 0;
    const char *type = strict_json_text(root, "typ", &length);
    return type != NULL && (strcmp(type, "JWT") == 0 || strcmp(type, "at+jwt") == 0 ||
                            strcmp(type, "application/at+jwt") == 0);
}

static const char *read_members(json_t *root, token_header *header) {
    size_t length = 0;
    if (json_object_get(root, "crit") != NULL) {
        return "critical";
    }
    if (!type_is_known(root)) {
        return "type";
    }
    const char *algorithm = strict_json_text(root, "alg", &length);
    if (algorithm == NULL || length == 0 || length >= sizeof header->algorithm) {
        return "algorithm";
    }
    memcpy(header->algorithm, algorithm, length + 1);
    const char *kid = strict_json_text(root, "kid", &length);
    if (kid == NULL || length == 0 || length > TOKEN_KID_MAX) {
        return "kid";
    }
    memcpy(header->kid, kid, length + 1);
    return NULL;
}

const char *token_read_header(const token_parts *parts, token_header *header) {
    json_t *root = strict_json_object(parts->header, parts->header_size);
    if (root == NULL) {
        return "header_json";
    }
    const char *refusal = read_members(root, header);
    json_decref(root);
    return refusal;
}
