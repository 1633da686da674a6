/* Keys, key sets and tokens, good and bad, made while a test runs. */
#pragma once

#include "service/auth/keys.h"
#include "service/auth/token.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The clock of the tests; tokens made here were issued 100 s ago and live for 600 s more. */
enum { FIXTURE_NOW = 1800000000 };

#define FIXTURE_ISSUER "https://issuer.example"
#define FIXTURE_AUDIENCE "learning-reviews"
#define FIXTURE_SECRET "a development secret of over 32 bytes"

typedef enum signer {
    BY_RSA,
    BY_OTHER_RSA,
    BY_RSA_SHA512,
    BY_PSS,
    BY_EC,
    BY_P384,
    BY_ED25519,
    BY_SECRET,
    BY_SECRET_SHA384,
    BY_SECRET_SHA512,
    BY_RSA_PEM,
    BY_RSA_PEM_BARE, /* without the last line's end */
    BY_RSA_DER,
    BY_EC_PEM,
    BY_EC_PEM_BARE,
    BY_EC_DER,
    BY_EMPTY_SECRET,
    BY_NOBODY
} signer;

typedef struct fixture {
    EVP_PKEY *rsa, *other_rsa, *ec, *p384, *ed25519;
    char *rsa_pem, *ec_pem;
    char folder[64];
} fixture;

/* Makes all keys and an empty folder; fixture_end removes both. */
fixture *fixture_begin(void);
void fixture_end(fixture *made);

/* All of these return malloc'ed texts. A jwk has the public members, the kid unless NULL, and
 * `extra`, text such as ",\"alg\":\"RS256\"". */
char *fixture_base64url(const unsigned char *bytes, size_t size);
char *fixture_jwk(const EVP_PKEY *from, const char *kid, const char *extra);
char *fixture_set(size_t count, char *const *jwks);
char *fixture_path(const fixture *made, const char *name);

/* The claims as JSON: all of a good token, without the one called `drop` (or NULL), and with the
 * text `add` (or NULL) as additional members at the end. */
char *fixture_claims(const char *drop, const char *add);

/* A token with that header and those claims; a byte 1 in either is written as NUL. */
char *fixture_token(const fixture *made, const char *header, const char *claims, signer by);

/* Writes the file in the folder under another name first, so that a reader sees all or nothing. */
void fixture_write(const fixture *made, const char *name, const char *text);

/* The rules with which these tokens are valid. */
token_rules fixture_rules(void);
token_rules fixture_rules_of(const char *profile);

/* Returns whether the set has the kid. An unknown kid requests a refresh. */
bool fixture_holds(keys *set, const char *kid);

/* Each function waits, with one watchdog, and returns whether its condition became true: the set
 * has the kid; it was replaced `generation` times or more; reading it failed more than `before`
 * times; the number grew beyond `least`. */
bool fixture_wait_kid(keys *set, const char *kid);
bool fixture_wait_generation(keys *set, uint64_t generation);
bool fixture_wait_failure(keys *set, unsigned long long before);
bool fixture_wait_number(atomic_ullong *number, unsigned long long least);
