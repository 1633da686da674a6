/* Which claims of a token carry the client, the scopes and the organisation: the settings, and
 * their defaults for known issuers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { TOKEN_NAMES_MAX = 8, TOKEN_NAME_MAX = 128 };

/* The defaults of an issuer for the settings LR_TOKEN_...; a profile has no other effect. */
typedef struct token_profile {
    const char *name;
    const char *client_claims, *scope_claims; /* names with one space between them */
    const char *organisation_claim;
    const char *subject; /* "required" or "optional" */
    int max_seconds;
} token_profile;

/* Returns the profile of this name, or NULL. Lives as long as the program. */
const token_profile *token_profile_find(const char *name);

/* The names of all profiles as the end of a sentence: "a, b or c". */
extern const char token_profile_names[];

/* Names of claims in order of preference. A name is any text without blanks and control bytes: a
 * word, or the URL of a namespace (RFC 7519 section 4.2). */
typedef struct token_names {
    char names[TOKEN_NAMES_MAX][TOKEN_NAME_MAX + 1];
    size_t count;
} token_names;

/* Reads names with one space or more between them. Returns false when there are none, more than
 * TOKEN_NAMES_MAX, one twice, one that is too long, or one with a control byte. */
bool token_names_read(const char *text, token_names *names);
