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
/* Enough for GUIDs, name@clients and addresses; not for blanks, quotes and control bytes, because
 * log, audit trail and rows hold it. */
static const char client_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:/@-";
static const char organisation_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

/* A date that is not an integer never means "no limit"; the range keeps the sums below from
 * overflowing. */
static bool read_time(const json_t *root, const char *member, int64_t *seconds) {
    const json_t *value = json_object_get(root, member);
    *seconds = (int64_t)json_integer_value(value);
    return json_is_integer(value) && *seconds >= 0 && *seconds < year_ten_thousand;
}

/* One check. `root` is the object of all claims. */
typedef struct reading {
    const json_t *root;
    const token_rules *rules;
    int64_t now;
    principal *principal;
} reading;

static const char *check_times(const reading *r) {
    int64_t leeway = r->rules->leeway_seconds;
    int64_t expires = 0, issued = 0, begins = 0;
    if (!read_time(r->root, "exp", &expires)) {
        return "exp";
    }
    if (!read_time(r->root, "iat", &issued)) {
        return "iat";
    }
    if (json_object_get(r->root, "nbf") != NULL && !read_time(r->root, "nbf", &begins)) {
        return "nbf";
    }
    if (r->now >= expires + leeway) {
        return "expired";
    }
    if (issued > r->now + leeway) {
        return "issued_later";
    }
    if (begins > r->now + leeway) {
        return "not_yet_valid";
    }
    if (expires <= issued || expires - issued > r->rules->lifetime_max_seconds) {
        return "lifetime";
    }
    r->principal->issued_at = issued;
    r->principal->expires_at = expires;
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

static const char *check_issuer(const reading *r) {
    size_t length = 0;
    const char *issuer = strict_json_text(r->root, "iss", &length);
    return issuer != NULL && strcmp(issuer, r->rules->issuer) == 0 ? NULL : "issuer";
}

static const char *check_audience(const reading *r) {
    return audience_is_us(json_object_get(r->root, "aud"), r->rules->audience) ? NULL : "audience";
}

/* Keycloak signs identity and refresh tokens with the same keys and writes what they are into a
 * claim of this name. Elsewhere the claim is unknown, or says that it is an access token. */
static const char *check_kind(const reading *r) {
    static const char *const others[] = {"ID", "Refresh", "Offline", "Logout"};
    size_t length = 0;
    const char *kind = strict_json_text(r->root, "typ", &length);
    for (size_t at = 0; kind != NULL && at < sizeof others / sizeof *others; at++) {
        if (strcmp(kind, others[at]) == 0) {
            return "type";
        }
    }
    return NULL;
}

static bool made_of(const char *text, size_t length, const char *allowed) {
    return strspn(text, allowed) == length;
}

/* The value of the first claim that the token has; NULL when it has none of them. */
static const json_t *first_of(const json_t *root, const token_names *names) {
    for (size_t at = 0; at < names->count; at++) {
        const json_t *value = json_object_get(root, names->names[at]);
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

/* A token with two claims for the client must mean one client. */
static bool all_equal(const json_t *root, const token_names *names, const json_t *first) {
    for (size_t at = 0; at < names->count; at++) {
        const json_t *value = json_object_get(root, names->names[at]);
        if (value != NULL && !json_equal(value, first)) {
            return false;
        }
    }
    return true;
}

static const char *read_client(const reading *r) {
    const json_t *value = first_of(r->root, &r->rules->client_claims);
    const char *client = json_string_value(value);
    size_t length = json_string_length(value);
    if (client == NULL || length == 0 || length > CLIENT_MAX ||
        !made_of(client, length, client_bytes) ||
        !all_equal(r->root, &r->rules->client_claims, value) ||
        (r->rules->scan_identifier != NULL && r->rules->scan_identifier(client) != NULL)) {
        return "client";
    }
    memcpy(r->principal->client, client, length + 1);
    return NULL;
}

static const char *read_organisation(const reading *r) {
    const json_t *value = first_of(r->root, &r->rules->organisation_claim);
    if (value == NULL && r->rules->find_organisation != NULL) {
        return NULL; /* the register may have one */
    }
    const char *code = json_string_value(value);
    size_t length = json_string_length(value);
    if (code == NULL || length < 2 || length > ORGANISATION_MAX || code[0] < 'A' || code[0] > 'Z' ||
        !made_of(code, length, organisation_bytes)) {
        return "organisation";
    }
    memcpy(r->principal->organisation, code, length + 1);
    return NULL;
}

/* ---- scopes ---- */

/* scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) (RFC 6749 section 3.3); "" is none. */
static bool is_scope_token(const char *text, size_t length) {
    for (size_t at = 0; at < length; at++) {
        if (text[at] < 0x21 || text[at] > 0x7e || text[at] == '"' || text[at] == '\\') {
            return false;
        }
    }
    return length > 0;
}

static const char *find_ours(const token_rules *rules, const char *scope, size_t length) {
    const char *const *each = rules->scopes;
    while (each != NULL && *each != NULL) {
        if (strlen(*each) == length && memcmp(*each, scope, length) == 0) {
            return *each;
        }
        each++;
    }
    return NULL;
}

/* Adds a scope of ours; a scope of others is ignored. Returns false when it is none at all, or when
 * there is no room. */
static bool add_scope(const reading *r, const char *scope, size_t length) {
    const char *prefix = r->rules->scope_prefix == NULL ? "" : r->rules->scope_prefix;
    size_t skipped = strlen(prefix);
    if (!is_scope_token(scope, length)) {
        return false;
    }
    if (length <= skipped || memcmp(scope, prefix, skipped) != 0) {
        return true;
    }
    const char *ours = find_ours(r->rules, scope + skipped, length - skipped);
    if (ours == NULL || principal_has_scope(r->principal, ours)) {
        return true;
    }
    char *scopes = r->principal->scopes;
    size_t used = strlen(scopes);
    if (used + strlen(ours) + 2 > sizeof r->principal->scopes) {
        return false;
    }
    snprintf(scopes + used, sizeof r->principal->scopes - used, "%s ", ours);
    return true;
}

/* scope = scope-token *( SP scope-token ): one space between two and none around them. */
static bool add_scopes_of_text(const reading *r, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t taken = strcspn(text + at, " ");
        bool last = at + taken == length;
        if (!add_scope(r, text + at, taken) || (!last && at + taken + 1 == length)) {
            return false;
        }
        at += taken + 1;
    }
    return true;
}

static bool add_scopes_of_array(const reading *r, const json_t *array) {
    for (size_t at = 0; at < json_array_size(array); at++) {
        const json_t *each = json_array_get(array, at);
        if (!json_is_string(each) ||
            !add_scope(r, json_string_value(each), json_string_length(each))) {
            return false;
        }
    }
    return true;
}

static const char *read_scopes(const reading *r) {
    const json_t *value = first_of(r->root, &r->rules->scope_claims);
    memcpy(r->principal->scopes, " ", 2);
    bool good = json_is_array(value)
                    ? add_scopes_of_array(r, value)
                    : json_is_string(value) && add_scopes_of_text(r, json_string_value(value),
                                                                  json_string_length(value));
    return good ? NULL : "scope";
}

/* ---- the others ---- */

/* The user that the client works for, or the client itself where the issuer leaves out sub. */
static const char *subject_of(const reading *r, size_t *length) {
    if (r->rules->subject_optional && json_object_get(r->root, "sub") == NULL) {
        *length = strlen(r->principal->client);
        return r->principal->client;
    }
    return strict_json_text(r->root, "sub", length);
}

static const char *read_subject(const reading *r) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t length = 0;
    const char *subject = subject_of(r, &length);
    if (subject == NULL || length == 0 || length > SUBJECT_MAX) {
        return "subject";
    }
    if (r->rules->subject_key_size > INT_MAX ||
        HMAC(EVP_sha256(), r->rules->subject_key, (int)r->rules->subject_key_size,
             (const unsigned char *)subject, length, digest, NULL) == NULL) {
        return "internal";
    }
    hex_write(digest, SUBJECT_HASH_BYTES, r->principal->subject);
    return NULL;
}

/* The jti makes it possible to block one token (RFC 7519 section 4.1.7). */
static const char *read_token_id(const reading *r) {
    size_t length = 0;
    r->principal->token_id[0] = '\0';
    if (json_object_get(r->root, "jti") == NULL) {
        return NULL;
    }
    const char *id = strict_json_text(r->root, "jti", &length);
    if (id == NULL || length == 0 || length > TOKEN_ID_MAX) {
        return "token_id";
    }
    memcpy(r->principal->token_id, id, length + 1);
    return NULL;
}

static const char *(*const checks[TOKEN_TOPICS])(const reading *r) = {
    [TOPIC_KIND] = check_kind,         [TOPIC_ISSUER] = check_issuer,
    [TOPIC_AUDIENCE] = check_audience, [TOPIC_TIMES] = check_times,
    [TOPIC_CLIENT] = read_client,      [TOPIC_ORGANISATION] = read_organisation,
    [TOPIC_SCOPES] = read_scopes,      [TOPIC_TOKEN_ID] = read_token_id,
    [TOPIC_SUBJECT] = read_subject, /* after the client, which may be the subject */
};

const char *token_read_claims(const char *bytes, size_t size, const token_rules *rules, int64_t now,
                              principal *principal) {
    json_t *root = strict_json_object(bytes, size);
    if (root == NULL) {
        return "claims_json";
    }
    reading r = {.root = root, .rules = rules, .now = now, .principal = principal};
    const char *refusal = NULL;
    for (int topic = 0; topic < TOKEN_TOPICS && refusal == NULL; topic++) {
        refusal = checks[topic](&r);
    }
    json_decref(root);
    return refusal;
}

void token_examine_claims(const json_t *claims, const token_rules *rules, int64_t now,
                          principal *principal, const char *refusals[TOKEN_TOPICS]) {
    reading r = {.root = claims, .rules = rules, .now = now, .principal = principal};
    *principal = (struct principal){0};
    for (int topic = 0; topic < TOKEN_TOPICS; topic++) {
        refusals[topic] = checks[topic](&r);
    }
}
