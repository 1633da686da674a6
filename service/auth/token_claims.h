/* Checks the claims of a token (RFC 7519 section 4.1, RFC 9068 section 4). */
#pragma once

#include "service/auth/principal.h"
#include "service/auth/token.h"

#include <stddef.h>

/* Checks the claims of a token whose signature is verified against `rules` at the time `now`.
 * Returns NULL and fills `principal`, or returns a literal code for the fault. */
const char *token_read_claims(const char *bytes, size_t size, const token_rules *rules, int64_t now,
                              principal *principal);
