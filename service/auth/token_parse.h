/* The shape of a compact JWS (RFC 7515 section 7.1), checked to the bit before it is read. */
#pragma once

#include <stddef.h>

enum { TOKEN_PART_MAX = 4096, TOKEN_KID_MAX = 64 };

/* The three parts of a token, decoded. The header and the claims carry a NUL after their last
 * byte; `signed_size` is how much of the text the signature covers. */
typedef struct token_parts {
    char header[TOKEN_PART_MAX];
    char claims[TOKEN_PART_MAX];
    unsigned char signature[TOKEN_PART_MAX];
    size_t header_size, claims_size, signature_size, signed_size;
} token_parts;

/* What a header may say: nothing but alg, typ and kid. */
typedef struct token_header {
    char algorithm[8];
    char kid[TOKEN_KID_MAX + 1];
} token_header;

/* Splits `size` bytes of `text` at exactly two dots and decodes three non-empty parts of unpadded
 * base64url (RFC 4648 section 5) whose spare bits are zero, so that a token has one spelling only.
 * Returns NULL and fills `parts`, or a literal code that says what is wrong. */
const char *token_split(const char *text, size_t size, token_parts *parts);

/* Reads the header: a JSON object with alg and kid, perhaps typ (RFC 8725 section 3.11), and
 * nothing else, so crit, jku, x5c and their like never get a meaning. Returns NULL and fills
 * `header`, or a code. */
const char *token_read_header(const token_parts *parts, token_header *header);
