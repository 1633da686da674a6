/* Verifies signatures of tokens: one key, one algorithm (RFC 7518 sections 3.2 to 3.4). */
#pragma once

#include "service/auth/keys.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns the name that the alg member must have for a key of this algorithm. */
const char *signature_algorithm_name(key_algorithm algorithm);

/* Returns whether `signature` is the signature by the key `with` of the first `signed_size` bytes
 * of `text`. `text` is a token that token_split and token_read_header have accepted and ends with a
 * NUL. The key decides the algorithm, never the token. HS256 uses libjwt and so accepts typ JWT
 * only. Safe from many threads; takes no lock of this service. */
bool signature_verify(const key *with, const char *text, size_t signed_size,
                      const unsigned char *signature, size_t signature_size);
