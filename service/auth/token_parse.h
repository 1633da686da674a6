/* Splits a compact JWS (RFC 7515 section 7.1) and checks its form to the bit before it is read. */
#pragma once

#include <stddef.h>

enum { TOKEN_PART_MAX = 4096, TOKEN_KID_MAX = 64 };

/* The three parts of a token, decoded. The header and the claims have a NUL after their last byte;
 * `signed_size` is the length of the signed text. */
typedef struct token_parts {
    char header[TOKEN_PART_MAX];
    char claims[TOKEN_PART_MAX];
    unsigned char signature[TOKEN_PART_MAX];
    size_t header_size, claims_size, signature_size, signed_size;
} token_parts;

/* The members of a header that the register reads: alg and kid. */
typedef struct token_header {
    char algorithm[8];
    char kid[TOKEN_KID_MAX + 1];
} token_header;

/* Splits `size` bytes of `text` at exactly two dots and decodes three non-empty parts of unpadded
 * base64url (RFC 4648 section 5). The spare bits must be zero, so that a token has one spelling
 * only. Returns NULL and fills `parts`, or returns a literal code for the fault. */
const char *token_split(const char *text, size_t size, token_parts *parts);

/* Reads the header: a JSON object with alg and kid, optionally typ (RFC 8725 section 3.11). Other
 * members (x5t, jku, x5c, jwk and the like) are ignored: they never get a meaning. A header with
 * crit is refused, because it names extensions that must be understood (RFC 7515 section 4.1.11)
 * and none is. Returns NULL and fills `header`, or returns a code. */
const char *token_read_header(const token_parts *parts, token_header *header);
