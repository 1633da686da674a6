/* Makes development tokens with libjwt; the service never calls this while it serves. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct mint_claims {
    const char *issuer, *audience, *subject, *client, *organisation, *scope;
    int64_t issued_at, expires_at; /* seconds since 1970 */
} mint_claims;

/* Returns an HS256 token (kid "dev") signed with the secret, allocated with malloc; the caller
 * frees it. NULL on failure. */
char *mint_token(const mint_claims *claims, const unsigned char *secret, size_t secret_size);
