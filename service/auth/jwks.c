/* Reads JSON Web Key Sets (RFC 7517): RSA of 2048 bits or more for RS256, P-256 for ES256. */
#include "service/auth/jwks.h"

#include "service/auth/strict_json.h"
#include "service/auth/token_parse.h"
#include "service/log.h"

#include <jose/openssl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS_LEAST = 2048, RSA_BITS_MAX = 8192, P256_BITS = 256 };

typedef enum finding { USABLE, USELESS, UNSAFE } finding;

static const char kid_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:=+-";

void jwks_wipe(key *owned) {
    EVP_PKEY_free(owned->parsed);
    if (owned->secret != NULL) {
        OPENSSL_cleanse(owned->secret, owned->secret_size);
    }
    free(owned->secret);
    *owned = (key){0};
}

static bool member_is(const json_t *jwk, const char *member, const char *wanted) {
    const char *text = json_string_value(json_object_get(jwk, member));
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool member_is_other(const json_t *jwk, const char *member, const char *wanted) {
    return json_object_get(jwk, member) != NULL && !member_is(jwk, member, wanted);
}

static bool operations_forbid(const json_t *jwk) {
    const json_t *operations = json_object_get(jwk, "key_ops");
    bool verifies = operations == NULL;
    for (size_t at = 0; at < json_array_size(operations); at++) {
        const char *each = json_string_value(json_array_get(operations, at));
        verifies = verifies || (each != NULL && strcmp(each, "verify") == 0);
    }
    return !verifies;
}

/* Only the public members are used, so a private key in the set is never loaded. The conversion
 * through SubjectPublicKeyInfo gives a key of OpenSSL's own providers: verifying with it does not
 * convert the legacy structure that libjose makes. */
static EVP_PKEY *parse_public(const json_t *jwk, bool rsa) {
    json_t *bare = rsa ? json_pack("{s:s, s:O, s:O}", "kty", "RSA", "n", json_object_get(jwk, "n"),
                                   "e", json_object_get(jwk, "e"))
                       : json_pack("{s:s, s:s, s:O, s:O}", "kty", "EC", "crv", "P-256", "x",
                                   json_object_get(jwk, "x"), "y", json_object_get(jwk, "y"));
    EVP_PKEY *legacy = bare == NULL ? NULL : jose_openssl_jwk_to_EVP_PKEY(NULL, bare);
    unsigned char *encoded = NULL;
    int size = legacy == NULL ? 0 : i2d_PUBKEY(legacy, &encoded);
    const unsigned char *at = encoded;
    EVP_PKEY *parsed = size > 0 ? d2i_PUBKEY(NULL, &at, size) : NULL;
    OPENSSL_free(encoded);
    EVP_PKEY_free(legacy);
    json_decref(bare);
    return parsed;
}

static bool public_key_is_sound(EVP_PKEY *parsed) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, parsed, NULL);
    bool sound = context != NULL && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return sound;
}

static finding read_rsa(const json_t *jwk, key *into, const char **what) {
    if (member_is_other(jwk, "alg", "RS256")) {
        *what = "has an algorithm other than RS256";
        return USELESS;
    }
    into->algorithm = KEY_RS256;
    into->parsed = parse_public(jwk, true);
    if (into->parsed == NULL || EVP_PKEY_get_bits(into->parsed) > RSA_BITS_MAX) {
        *what = "cannot be read as an RSA key of at most 8192 bits";
        return USELESS;
    }
    if (EVP_PKEY_get_bits(into->parsed) < RSA_BITS_LEAST) {
        *what = "is an RSA key of less than 2048 bits";
        return UNSAFE;
    }
    *what = "is no sound RSA key";
    return public_key_is_sound(into->parsed) ? USABLE : UNSAFE;
}

static finding read_ec(const json_t *jwk, key *into, const char **what) {
    if (member_is_other(jwk, "alg", "ES256")) {
        *what = "has an algorithm other than ES256";
        return USELESS;
    }
    if (!member_is(jwk, "crv", "P-256")) {
        *what = "lies on a curve other than P-256";
        return UNSAFE;
    }
    into->algorithm = KEY_ES256;
    into->parsed = parse_public(jwk, false);
    if (into->parsed == NULL) {
        *what = "cannot be read as a P-256 key";
        return USELESS;
    }
    *what = "is no sound P-256 key";
    return public_key_is_sound(into->parsed) ? USABLE : UNSAFE;
}

/* `what` completes the sentence "the key ...". */
static finding read_key(const json_t *jwk, key *into, const char **what) {
    size_t length = 0;
    const char *kid = strict_json_text(jwk, "kid", &length);
    if (kid == NULL || length == 0 || length > TOKEN_KID_MAX || strspn(kid, kid_bytes) != length) {
        *what = "has no kid of 1 to 64 plain characters";
        return member_is(jwk, "kty", "oct") ? UNSAFE : USELESS;
    }
    memcpy(into->kid, kid, length + 1);
    if (member_is(jwk, "kty", "oct")) {
        *what = "is a secret, which has no place beside public keys";
        return UNSAFE;
    }
    if (json_object_get(jwk, "d") != NULL) {
        *what = "holds its private part, which belongs to the issuer alone";
        return UNSAFE;
    }
    if (member_is_other(jwk, "use", "sig") || operations_forbid(jwk)) {
        *what = "is not for signatures";
        return USELESS;
    }
    if (member_is(jwk, "kty", "RSA")) {
        return read_rsa(jwk, into, what);
    }
    if (member_is(jwk, "kty", "EC")) {
        return read_ec(jwk, into, what);
    }
    *what = "is of an unknown type";
    return USELESS;
}

static finding read_another(const json_t *jwk, const key *found, size_t count, key *into,
                            const char **what) {
    finding result = read_key(jwk, into, what);
    for (size_t at = 0; result == USABLE && at < count; at++) {
        if (strcmp(found[at].kid, into->kid) == 0) {
            *what = "has the kid of another key";
            result = UNSAFE;
        }
    }
    if (result == USABLE && count == JWKS_KEYS_MAX) {
        *what = "is one more than the 32 that are kept";
        result = USELESS;
    }
    return result;
}

static size_t read_keys(const char *setting, const json_t *list, bool strict, key *found,
                        char *reason, size_t reason_size) {
    size_t count = 0;
    for (size_t at = 0; at < json_array_size(list); at++) {
        const char *what = "";
        key next = {0};
        finding result = read_another(json_array_get(list, at), found, count, &next, &what);
        if (result == USABLE) {
            found[count++] = next;
            continue;
        }
        jwks_wipe(&next);
        if (result == UNSAFE && strict) {
            snprintf(reason, reason_size, "%s: key %zu of the set %s; take it out.", setting,
                     at + 1, what);
            while (count > 0) {
                jwks_wipe(&found[--count]);
            }
            return 0;
        }
        log_write(LOG_WARNING, "%s: key %zu of the set is skipped: it %s", setting, at + 1, what);
    }
    if (count == 0) {
        snprintf(reason, reason_size,
                 "%s: the set holds no key for RS256 or ES256 with a kid; add the issuer's keys.",
                 setting);
    }
    return count;
}

size_t jwks_read(const char *setting, const char *bytes, size_t size, bool strict, key *found,
                 char *reason, size_t reason_size) {
    json_t *root = size > JWKS_BYTES_MAX ? NULL : strict_json_object(bytes, size);
    const json_t *list = json_object_get(root, "keys");
    size_t count = 0;
    if (json_is_array(list)) {
        count = read_keys(setting, list, strict, found, reason, reason_size);
    } else {
        snprintf(reason, reason_size,
                 "%s: this is no JSON Web Key Set: an object of at most 256 KiB with the array "
                 "keys is wanted.",
                 setting);
    }
    json_decref(root);
    ERR_clear_error();
    return count;
}
