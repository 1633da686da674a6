/* Hostile tokens, one row each: how it is made and why it is rejected. */
#pragma once

#include "tests/unit/auth_fixture.h"

typedef struct hostile {
    const char *name;
    const char *header;              /* NULL: RS256 of the key "rsa" */
    const char *drop, *add, *claims; /* fixture_claims, or all the claims */
    signer by;
    char *(*change)(char *token); /* takes and returns malloc'ed text; NULL: no change */
    bool dev;                     /* for the set of the development secret */
    const char *refusal;          /* the exact code; NULL: accepted */
    const char *scopes;           /* what is taken; NULL: not compared */
} hostile;

extern const hostile hostile_tokens[];
extern const size_t hostile_count;
extern const hostile hostile_claims[];
extern const size_t hostile_claims_count;
