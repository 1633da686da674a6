/* Checks the claims of a token (RFC 7519 section 4.1, RFC 9068 section 4). */
#pragma once

#include "service/auth/principal.h"
#include "service/auth/token.h"

#include <jansson.h>
#include <stddef.h>

/* Checks the claims of a token whose signature is verified against `rules` at the time `now`.
 * Returns NULL and fills `principal`, or returns a literal code for the fault. */
const char *token_read_claims(const char *bytes, size_t size, const token_rules *rules, int64_t now,
                              principal *principal);

/* Completes the organisation of verified claims by that which the register has for the client.
 * Returns NULL or "directory". */
const char *token_find_organisation(const token_rules *rules, principal *principal);

typedef enum token_topic {
    TOPIC_KIND,
    TOPIC_ISSUER,
    TOPIC_AUDIENCE,
    TOPIC_TIMES,
    TOPIC_CLIENT,
    TOPIC_ORGANISATION,
    TOPIC_SCOPES,
    TOPIC_TOKEN_ID,
    TOPIC_SUBJECT,
    TOKEN_TOPICS
} token_topic;

/* The same for all topics, also after one that is refused: fills `principal` as far as that is
 * possible, and `refusals` with NULL or a code for each topic. Borrows `claims`. */
void token_examine_claims(const json_t *claims, const token_rules *rules, int64_t now,
                          principal *principal, const char *refusals[TOKEN_TOPICS]);
