/* Keys, key sets and tokens, good and bad, made while a test runs. */
#include "tests/unit/auth_fixture.h"

#include "api/free_text.h"
#include "service/contract/contract.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SIGNATURE_MAX = 1024 };

static char *pem_of(EVP_PKEY *from) {
    char *bytes = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(memory, from);
    long size = BIO_get_mem_data(memory, &bytes);
    char *text = strndup(bytes, (size_t)size);
    BIO_free(memory);
    return text;
}

fixture *fixture_begin(void) {
    fixture *made = calloc(1, sizeof *made);
    cr_assert_not_null(made);
    made->rsa = EVP_RSA_gen(2048);
    made->other_rsa = EVP_RSA_gen(2048);
    made->ec = EVP_EC_gen("P-256");
    made->p384 = EVP_EC_gen("P-384");
    made->ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    made->rsa_pem = pem_of(made->rsa);
    made->ec_pem = pem_of(made->ec);
    snprintf(made->folder, sizeof made->folder, "/tmp/auth-test-XXXXXX");
    cr_assert_not_null(mkdtemp(made->folder));
    return made;
}

void fixture_end(fixture *made) {
    DIR *folder = opendir(made->folder);
    for (struct dirent *each = readdir(folder); each != NULL; each = readdir(folder)) {
        char *path = fixture_path(made, each->d_name);
        unlink(path);
        free(path);
    }
    closedir(folder);
    rmdir(made->folder);
    EVP_PKEY_free(made->rsa);
    EVP_PKEY_free(made->other_rsa);
    EVP_PKEY_free(made->ec);
    EVP_PKEY_free(made->p384);
    EVP_PKEY_free(made->ed25519);
    free(made->rsa_pem);
    free(made->ec_pem);
    free(made);
}

char *fixture_base64url(const unsigned char *bytes, size_t size) {
    char *text = malloc(size / 3 * 4 + 8);
    cr_assert_not_null(text);
    int length = EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
    while (length > 0 && text[length - 1] == '=') {
        length--;
    }
    text[length] = '\0';
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    }
    return text;
}

static char *number_of(const EVP_PKEY *from, const char *name, int width) {
    BIGNUM *number = NULL;
    unsigned char bytes[1024];
    cr_assert(EVP_PKEY_get_bn_param(from, name, &number));
    int size = width > 0 ? width : BN_num_bytes(number);
    BN_bn2binpad(number, bytes, size);
    BN_free(number);
    return fixture_base64url(bytes, (size_t)size);
}

static char *format_jwk(const char *kty, const char *first, const char *a, const char *second,
                        const char *b, const char *kid, const char *extra) {
    char *text = NULL;
    const char *before = kid == NULL ? "" : ",\"kid\":\"";
    cr_assert(asprintf(&text, "{\"kty\":\"%s\",\"%s\":\"%s\",\"%s\":\"%s\"%s%s%s%s}", kty, first, a,
                       second, b, before, kid == NULL ? "" : kid, kid == NULL ? "" : "\"",
                       extra) > 0);
    return text;
}

char *fixture_jwk(const EVP_PKEY *from, const char *kid, const char *extra) {
    bool rsa = EVP_PKEY_is_a(from, "RSA");
    char curve[96];
    int width = (EVP_PKEY_get_bits(from) + 7) / 8;
    char *a = rsa ? number_of(from, OSSL_PKEY_PARAM_RSA_N, 0)
                  : number_of(from, OSSL_PKEY_PARAM_EC_PUB_X, width);
    char *b = rsa ? number_of(from, OSSL_PKEY_PARAM_RSA_E, 0)
                  : number_of(from, OSSL_PKEY_PARAM_EC_PUB_Y, width);
    snprintf(curve, sizeof curve, ",\"crv\":\"P-%d\"%s", EVP_PKEY_get_bits(from), extra);
    char *text = rsa ? format_jwk("RSA", "n", a, "e", b, kid, extra)
                     : format_jwk("EC", "x", a, "y", b, kid, curve);
    free(a);
    free(b);
    return text;
}

char *fixture_set(size_t count, char *const *jwks) {
    char *text = calloc(1, 65536);
    cr_assert_not_null(text);
    int used = snprintf(text, 65536, "{\"keys\":[");
    for (size_t at = 0; at < count; at++) {
        used += snprintf(text + used, 65536 - (size_t)used, "%s%s", at > 0 ? "," : "", jwks[at]);
    }
    snprintf(text + used, 65536 - (size_t)used, "]}");
    return text;
}

char *fixture_path(const fixture *made, const char *name) {
    char *path = NULL;
    cr_assert(asprintf(&path, "%s/%s", made->folder, name) > 0);
    return path;
}

void fixture_write(const fixture *made, const char *name, const char *text) {
    char *path = fixture_path(made, name);
    char *draft = fixture_path(made, "draft");
    FILE *out = fopen(draft, "we");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
    chmod(draft, 0600);
    cr_assert_eq(rename(draft, path), 0);
    free(draft);
    free(path);
}

char *fixture_claims(const char *drop, const char *add) {
    static const char *const pieces[][2] = {
        {"iss", "\"iss\":\"" FIXTURE_ISSUER "\""},
        {"aud", "\"aud\":\"" FIXTURE_AUDIENCE "\""},
        {"sub", "\"sub\":\"user-1\""},
        {"client_id", "\"client_id\":\"client.one\""},
        {"organisation", "\"organisation\":\"CPC-GLA\""},
        {"scope", "\"scope\":\"cases.read cases.write\""},
        {"iat", "\"iat\":1799999900"},
        {"exp", "\"exp\":1800000600"},
    };
    size_t room = 1024 + (add == NULL ? 0 : strlen(add));
    char *text = calloc(1, room);
    cr_assert_not_null(text);
    size_t used = 0;
    for (size_t at = 0; at < sizeof pieces / sizeof *pieces; at++) {
        if (drop == NULL || strcmp(pieces[at][0], drop) != 0) {
            used += (size_t)snprintf(text + used, room - used, "%s%s", used > 0 ? "," : "{",
                                     pieces[at][1]);
        }
    }
    snprintf(text + used, room - used, "%s%s}", add == NULL ? "" : ",", add == NULL ? "" : add);
    return text;
}

static size_t sign_hmac(const EVP_MD *digest, const char *secret, size_t secret_size,
                        const char *text, unsigned char *out) {
    unsigned size = 0;
    HMAC(digest, secret, (int)secret_size, (const unsigned char *)text, strlen(text), out, &size);
    return size;
}

static size_t sign_der(EVP_PKEY *with, const char *text, unsigned char *out) {
    unsigned char *encoded = NULL;
    int size = i2d_PUBKEY(with, &encoded);
    size_t signed_size = sign_hmac(EVP_sha256(), (char *)encoded, (size_t)size, text, out);
    OPENSSL_free(encoded);
    return signed_size;
}

static size_t pair_of_der(const unsigned char *der, size_t size, int width, unsigned char *out) {
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, width);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + width, width);
    ECDSA_SIG_free(signature);
    return 2 * (size_t)width;
}

static size_t sign_key(EVP_PKEY *with, const EVP_MD *digest, bool pss, const char *text,
                       unsigned char *out) {
    unsigned char plain[SIGNATURE_MAX];
    size_t size = sizeof plain;
    EVP_PKEY_CTX *inner = NULL;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    cr_assert(EVP_DigestSignInit(context, &inner, digest, NULL, with) == 1);
    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING);
    }
    cr_assert(EVP_DigestSign(context, plain, &size, (const unsigned char *)text, strlen(text)));
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_is_a(with, "EC")) {
        return pair_of_der(plain, size, (EVP_PKEY_get_bits(with) + 7) / 8, out);
    }
    memcpy(out, plain, size);
    return size;
}

static size_t sign_text(const fixture *made, signer by, const char *text, unsigned char *out) {
    size_t rsa_pem = strlen(made->rsa_pem), ec_pem = strlen(made->ec_pem);
    switch (by) {
    case BY_RSA:
        return sign_key(made->rsa, EVP_sha256(), false, text, out);
    case BY_OTHER_RSA:
        return sign_key(made->other_rsa, EVP_sha256(), false, text, out);
    case BY_RSA_SHA512:
        return sign_key(made->rsa, EVP_sha512(), false, text, out);
    case BY_PSS:
        return sign_key(made->rsa, EVP_sha256(), true, text, out);
    case BY_EC:
        return sign_key(made->ec, EVP_sha256(), false, text, out);
    case BY_P384:
        return sign_key(made->p384, EVP_sha256(), false, text, out);
    case BY_ED25519:
        return sign_key(made->ed25519, NULL, false, text, out);
    case BY_SECRET:
        return sign_hmac(EVP_sha256(), FIXTURE_SECRET, strlen(FIXTURE_SECRET), text, out);
    case BY_SECRET_SHA384:
        return sign_hmac(EVP_sha384(), FIXTURE_SECRET, strlen(FIXTURE_SECRET), text, out);
    case BY_SECRET_SHA512:
        return sign_hmac(EVP_sha512(), FIXTURE_SECRET, strlen(FIXTURE_SECRET), text, out);
    case BY_RSA_PEM:
        return sign_hmac(EVP_sha256(), made->rsa_pem, rsa_pem, text, out);
    case BY_RSA_PEM_BARE:
        return sign_hmac(EVP_sha256(), made->rsa_pem, rsa_pem - 1, text, out);
    case BY_EC_PEM:
        return sign_hmac(EVP_sha256(), made->ec_pem, ec_pem, text, out);
    case BY_EC_PEM_BARE:
        return sign_hmac(EVP_sha256(), made->ec_pem, ec_pem - 1, text, out);
    case BY_RSA_DER:
        return sign_der(made->rsa, text, out);
    case BY_EC_DER:
        return sign_der(made->ec, text, out);
    case BY_EMPTY_SECRET:
        return sign_hmac(EVP_sha256(), "", 0, text, out);
    case BY_NOBODY:
        return 0;
    }
    return 0;
}

static char *encode_json(const char *json) {
    size_t size = strlen(json);
    unsigned char *bytes = malloc(size + 1);
    cr_assert_not_null(bytes);
    for (size_t at = 0; at <= size; at++) {
        bytes[at] = json[at] == 1 ? 0 : (unsigned char)json[at];
    }
    char *text = fixture_base64url(bytes, size);
    free(bytes);
    return text;
}

char *fixture_token(const fixture *made, const char *header, const char *claims, signer by) {
    unsigned char signature[SIGNATURE_MAX];
    char *first = encode_json(header), *second = encode_json(claims);
    char *text = NULL, *token = NULL;
    cr_assert(asprintf(&text, "%s.%s", first, second) > 0);
    size_t size = sign_text(made, by, text, signature);
    char *third = fixture_base64url(signature, size);
    cr_assert(asprintf(&token, "%s.%s", text, third) > 0);
    free(first);
    free(second);
    free(third);
    free(text);
    return token;
}

token_rules fixture_rules(void) {
    return fixture_rules_of("rfc9068");
}

token_rules fixture_rules_of(const char *profile) {
    token_rules rules = {.issuer = FIXTURE_ISSUER,
                         .audience = FIXTURE_AUDIENCE,
                         .leeway_seconds = 30,
                         .subject_key = (const unsigned char *)"subject key",
                         .subject_key_size = 11,
                         .scopes = contract_scopes,
                         .scan_identifier = free_text_scan_identifier};
    cr_assert(token_rules_map(&rules, token_profile_find(profile)));
    return rules;
}

bool fixture_holds(keys *set, const char *kid) {
    const key *found = keys_find(set, kid);
    key_release(found);
    return found != NULL;
}

/* ---- waiting ---- */

enum { WATCHDOG_S = 60 };

/* The condition to wait for: one of these. */
typedef struct goal {
    keys *set;
    const char *kid;
    uint64_t generation;
    const unsigned long long *failures;
    atomic_ullong *number;
    unsigned long long least;
} goal;

static bool is_reached(const goal *wanted) {
    if (wanted->kid != NULL) {
        return fixture_holds(wanted->set, wanted->kid);
    }
    if (wanted->failures != NULL) {
        return keys_stats_read(wanted->set).failures > *wanted->failures;
    }
    if (wanted->number != NULL) {
        return atomic_load(wanted->number) > wanted->least;
    }
    return keys_generation(wanted->set) >= wanted->generation;
}

static bool reach(goal wanted) {
    time_t end = time(NULL) + WATCHDOG_S;
    while (!is_reached(&wanted)) {
        if (time(NULL) > end) { /* clock: the watchdog */
            return false;
        }
        usleep(2000); /* clock: between two checks */
    }
    return true;
}

bool fixture_wait_kid(keys *set, const char *kid) {
    return reach((goal){.set = set, .kid = kid});
}

bool fixture_wait_generation(keys *set, uint64_t generation) {
    return reach((goal){.set = set, .generation = generation});
}

bool fixture_wait_failure(keys *set, unsigned long long before) {
    return reach((goal){.set = set, .failures = &before});
}

bool fixture_wait_number(atomic_ullong *number, unsigned long long least) {
    return reach((goal){.number = number, .least = least});
}
