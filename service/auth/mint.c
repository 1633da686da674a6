/* Makes development tokens with libjwt; the service never calls this while it serves. */
#include "service/auth/mint.h"

#include <jwt.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

static bool add_claims(jwt_t *token, const mint_claims *claims) {
    return jwt_add_grant(token, "iss", claims->issuer) == 0 &&
           jwt_add_grant(token, "aud", claims->audience) == 0 &&
           jwt_add_grant(token, "sub", claims->subject) == 0 &&
           jwt_add_grant(token, "client_id", claims->client) == 0 &&
           jwt_add_grant(token, "organisation", claims->organisation) == 0 &&
           jwt_add_grant(token, "scope", claims->scope) == 0 &&
           jwt_add_grant_int(token, "iat", (long)claims->issued_at) == 0 &&
           jwt_add_grant_int(token, "exp", (long)claims->expires_at) == 0;
}

char *mint_token(const mint_claims *claims, const unsigned char *secret, size_t secret_size) {
    jwt_t *token = NULL;
    char *text = NULL;
    if (secret == NULL || secret_size == 0 || secret_size > INT_MAX || jwt_new(&token) != 0) {
        return NULL;
    }
    if (add_claims(token, claims) && jwt_add_header(token, "kid", "dev") == 0 &&
        jwt_set_alg(token, JWT_ALG_HS256, secret, (int)secret_size) == 0) {
        text = jwt_encode_str(token);
    }
    jwt_free(token);
    return text;
}
