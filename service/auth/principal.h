/* The caller, as a verified token describes it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    ORGANISATION_MAX = 32,
    CLIENT_MAX = 64,
    SCOPES_MAX = 512,
    SUBJECT_HASH_LENGTH = 32,
    TOKEN_ID_MAX = 128
};

typedef struct principal {
    char organisation[ORGANISATION_MAX + 1]; /* "": the token has none, and nor has the register */
    char client[CLIENT_MAX + 1];             /* client_id, or azp */
    char subject[SUBJECT_HASH_LENGTH + 1];   /* keyed hash of sub, hexadecimal; never sub itself */
    char scopes[SCOPES_MAX + 3];             /* " a b c ": a space on either side of each scope */
    char token_id[TOKEN_ID_MAX + 1];         /* jti; empty when the token has none */
    int64_t issued_at, expires_at;           /* seconds since 1970-01-01T00:00:00Z */
    bool organisation_differs; /* the register maps the client to another one: see token_verify */
    bool first_seen;           /* the token is not in the cache of recently verified ones */
} principal;

/* Returns whether the principal holds the scope (exact, RFC 6749 section 3.3). */
bool principal_has_scope(const principal *principal, const char *scope);
