/* Checks the claims of a token (RFC 7519 section 4.1, RFC 9068 section 4). */
#include "service/auth/token_claims.h"

#include "service/auth/strict_json.h"
#include "service/hex.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SUBJECT_MAX = 255, SUBJECT_HASH_BYTES = SUBJECT_HASH_LENGTH / 2 };

static const int64_t year_ten_thousand = 253402300800;
static const char lower[] = "abcdefghijklmnopqrstuvwxyz._";
static const char client_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
static const char organisation_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

/* A date that is not an integer never means "no limit"; the range keeps the sums below from
 * overflowing. */
static bool read_time(const json_t *root, const char *member, int64_t *seconds) {
    const json_t *value = json_object_get(root, member);
    *seconds = (int64_t)json_integer_value(value);
    return json_is_integer(value) && *seconds >= 0 && *seconds < year_ten_thousand;
}

static const char *check_times(const json_t *root, const token_rules *rules, int64_t now,
                               principal *principal) {
    int64_t expires = 0, issued = 0, begins = 0;
    if (!read_time(root, "exp", &expires)) {
        return "exp";
    }
    if (!read_time(root, "iat", &issued)) {
        return "iat";
    }
    if (json_object_get(root, "nbf") != NULL && !read_time(root, "nbf", &begins)) {
        return "nbf";
    }
    if (now >= expires + rules->leeway_seconds) {
        return "expired";
    }
    if (issued > now + rules->leeway_seconds) {
        return "issued_later";
    }
    if (begins > now + rules->leeway_seconds) {
        return "not_yet_valid";
    }
    if (expires <= issued || expires - issued > rules->lifetime_max_seconds) {
        return "lifetime";
    }
    principal->issued_at = issued;
    principal->expires_at = expires;
    return NULL;
}

static bool audience_is_us(const json_t *audience, const char *us) {
    if (json_is_string(audience)) {
        return strcmp(json_string_value(audience), us) == 0;
    }
    bool found = false;
    for (size_t at = 0; at < json_array_size(audience); at++) {
        const char *each = json_string_value(json_array_get(audience, at));
        if (each == NULL) {
            return false;
        }
        found = found || strcmp(each, us) == 0;
    }
    return found;
}

static const char *check_parties(const json_t *root, const token_rules *rules) {
    size_t length = 0;
    const char *issuer = strict_json_text(root, "iss", &length);
    if (issuer == NULL || strcmp(issuer, rules->issuer) != 0) {
        return "issuer";
    }
    return audience_is_us(json_object_get(root, "aud"), rules->audience) ? NULL : "audience";
}

static bool made_of(const char *text, size_t length, const char *allowed) {
    return strspn(text, allowed) == length;
}

/* RFC 9068 uses client_id, OpenID Connect azp; a token with both must name one client. */
static const char *read_client(const json_t *root, principal *principal) {
    size_t length = 0;
    const json_t *identified = json_object_get(root, "client_id");
    const json_t *authorised = json_object_get(root, "azp");
    if (identified != NULL && authorised != NULL && !json_equal(identified, authorised)) {
        return "client";
    }
    const char *client = strict_json_text(root, identified != NULL ? "client_id" : "azp", &length);
    if (client == NULL || length == 0 || length > CLIENT_MAX ||
        !made_of(client, length, client_bytes)) {
        return "client";
    }
    memcpy(principal->client, client, length + 1);
    return NULL;
}

static const char *read_organisation(const json_t *root, principal *principal) {
    size_t length = 0;
    const char *code = strict_json_text(root, "organisation", &length);
    if (code == NULL || length < 2 || length > ORGANISATION_MAX || code[0] < 'A' || code[0] > 'Z' ||
        !made_of(code, length, organisation_bytes)) {
        return "organisation";
    }
    memcpy(principal->organisation, code, length + 1);
    return NULL;
}

/* Requires one space between two scopes and none around them, as in the grammar of RFC 6749. */
static bool scopes_are_clean(const char *scopes, size_t length) {
    if (length == 0) {
        return true;
    }
    for (size_t at = 0; at < length;) {
        size_t taken = strspn(scopes + at, lower);
        bool last = at + taken == length;
        if (taken == 0 || (!last && scopes[at + taken] != ' ')) {
            return false;
        }
        at += taken + 1;
    }
    return scopes[length - 1] != ' ';
}

static const char *read_scopes(const json_t *root, principal *principal) {
    size_t length = 0;
    const char *scopes = strict_json_text(root, "scope", &length);
    if (scopes == NULL || length > SCOPES_MAX || !scopes_are_clean(scopes, length)) {
        return "scope";
    }
    principal->scopes[0] = ' ';
    memcpy(principal->scopes + 1, scopes, length);
    memcpy(principal->scopes + 1 + length, length > 0 ? " " : "", length > 0 ? 2 : 1);
    return NULL;
}

static const char *read_subject(const json_t *root, const token_rules *rules,
                                principal *principal) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t length = 0;
    const char *subject = strict_json_text(root, "sub", &length);
    if (subject == NULL || length == 0 || length > SUBJECT_MAX) {
        return "subject";
    }
    if (rules->subject_key_size > INT_MAX ||
        HMAC(EVP_sha256(), rules->subject_key, (int)rules->subject_key_size,
             (const unsigned char *)subject, length, digest, NULL) == NULL) {
        return "internal";
    }
    hex_write(digest, SUBJECT_HASH_BYTES, principal->subject);
    return NULL;
}

/* The jti makes it possible to block one token (RFC 7519 section 4.1.7). */
static const char *read_token_id(const json_t *root, principal *principal) {
    size_t length = 0;
    principal->token_id[0] = '\0';
    if (json_object_get(root, "jti") == NULL) {
        return NULL;
    }
    const char *id = strict_json_text(root, "jti", &length);
    if (id == NULL || length == 0 || length > TOKEN_ID_MAX) {
        return "token_id";
    }
    memcpy(principal->token_id, id, length + 1);
    return NULL;
}

static const char *check_claims(const json_t *root, const token_rules *rules, int64_t now,
                                principal *principal) {
    const char *refusal = check_parties(root, rules);
    refusal = refusal != NULL ? refusal : check_times(root, rules, now, principal);
    refusal = refusal != NULL ? refusal : read_client(root, principal);
    refusal = refusal != NULL ? refusal : read_organisation(root, principal);
    refusal = refusal != NULL ? refusal : read_scopes(root, principal);
    refusal = refusal != NULL ? refusal : read_token_id(root, principal);
    return refusal != NULL ? refusal : read_subject(root, rules, principal);
}

const char *token_read_claims(const char *bytes, size_t size, const token_rules *rules, int64_t now,
                              principal *principal) {
    json_t *root = strict_json_object(bytes, size);
    if (root == NULL) {
        return "claims_json";
    }
    const char *refusal = check_claims(root, rules, now, principal);
    json_decref(root);
    return refusal;
}
