/* Tokens. The first byte gives the form of the rest: the text of a token, header and claims to be
 * signed with the secret (divided by a line end), or changes to a good token signed with RSA
 * (position, position, byte). libjwt must agree with every accepted token. */
#include "service/auth/keys.h"
#include "service/auth/token.h"
#include "service/contract/contract.h"
#include "tests/fuzz/common.h"

#include <jwt.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOW = 1800000000, CHANGES_MAX = 8 };

static const char secret[] = "a secret of the fuzz targets, over 32 bytes";
static const char good_claims[] =
    "{\"iss\":\"https://issuer.example\",\"aud\":\"learning-reviews\",\"iat\":1799999900,"
    "\"exp\":1800000600,\"sub\":\"u\",\"client_id\":\"c\",\"organisation\":\"CPC-GLA\","
    "\"scope\":\"cases.read\"}";
static token_verifier *by_secret, *by_rsa;
static char *pem;
static char good_token[2048];

static keys *open_keys(const char *text, bool is_secret) {
    char path[] = "/tmp/fuzz-keys-XXXXXX";
    char reason[256] = "";
    int file = mkstemp(path);
    HOLDS(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    keys_source source = {.dev = true};
    *(is_secret ? &source.secret_file : &source.jwks_file) = path;
    keys *set = keys_new(&source, reason, sizeof reason);
    unlink(path);
    HOLDS(set != NULL);
    return set;
}

static const char *number_of(const EVP_PKEY *key, const char *name, arena *memory) {
    unsigned char bytes[512];
    BIGNUM *number = NULL;
    EVP_PKEY_get_bn_param(key, name, &number);
    int size = BN_bn2bin(number, bytes);
    BN_free(number);
    return base64url_encode(bytes, (size_t)size, memory);
}

static const char *join(const char *header, const char *claims, arena *memory) {
    return arena_printf(memory, "%s.%s", base64url_encode(header, strlen(header), memory),
                        base64url_encode(claims, strlen(claims), memory));
}

static void sign_good_token(EVP_PKEY *key, arena *memory) {
    unsigned char signature[512];
    size_t size = sizeof signature;
    const char *text =
        join("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"JWT\"}", good_claims, memory);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    HOLDS(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
          EVP_DigestSign(context, signature, &size, (const unsigned char *)text, strlen(text)) ==
              1);
    EVP_MD_CTX_free(context);
    snprintf(good_token, sizeof good_token, "%s.%s", text,
             base64url_encode(signature, size, memory));
}

static void make_rsa(arena *memory) {
    EVP_PKEY *key = EVP_RSA_gen(2048);
    char *bytes = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(out, key);
    long size = BIO_get_mem_data(out, &bytes);
    pem = strndup(bytes, (size_t)size);
    BIO_free(out);
    sign_good_token(key, memory);
    token_rules rules = {.issuer = "https://issuer.example",
                         .audience = "learning-reviews",
                         .leeway_seconds = 30,
                         .subject_key = (const unsigned char *)"k",
                         .subject_key_size = 1,
                         .scopes = contract_scopes};
    HOLDS(token_rules_map(&rules, token_profile_find("rfc9068")));
    by_secret = token_verifier_new(open_keys(secret, true), &rules);
    by_rsa = token_verifier_new(
        open_keys(arena_printf(memory,
                               "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"rsa\",\"alg\":\"RS256\","
                               "\"n\":\"%s\",\"e\":\"%s\"}]}",
                               number_of(key, OSSL_PKEY_PARAM_RSA_N, memory),
                               number_of(key, OSSL_PKEY_PARAM_RSA_E, memory)),
                  false),
        &rules);
    EVP_PKEY_free(key);
}

__attribute__((constructor(65535))) static void start_keys(void) {
    arena *memory = arena_new();
    principal principal;
    make_rsa(memory);
    HOLDS(token_verify(by_rsa, good_token, NOW, &principal) == NULL);
    arena_free(memory);
}

static bool libjwt_believes(const char *text, const char *key, jwt_alg_t pinned) {
    jwt_t *token = NULL;
    if (jwt_decode(&token, text, (const unsigned char *)key, (int)strlen(key)) != 0) {
        return false;
    }
    bool believed = jwt_get_alg(token) == pinned;
    jwt_free(token);
    return believed;
}

static bool is_empty(const principal *who) {
    static const principal nobody;
    return memcmp(who, &nobody, sizeof nobody) == 0;
}

/* A type that libjwt does not read gets no second opinion. */
static void verify(const char *text, bool typed_otherwise) {
    principal principal;
    if (token_verify(by_secret, text, NOW, &principal) == NULL) {
        HOLDS(*principal.organisation != '\0' && *principal.client != '\0' &&
              principal.expires_at > NOW - 30);
        HOLDS(typed_otherwise || libjwt_believes(text, secret, JWT_ALG_HS256));
    } else {
        HOLDS(is_empty(&principal));
    }
    HOLDS(token_verify(by_rsa, text, NOW, &principal) != NULL || strcmp(text, good_token) == 0);
}

static void sign_and_verify(char *text, arena *memory) {
    char *claims = strchr(text, '\n');
    if (claims != NULL) {
        *claims++ = '\0';
    }
    const char *made = join(text, claims == NULL ? good_claims : claims, memory);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)made, strlen(made),
         digest, &size);
    verify(arena_printf(memory, "%s.%s", made, base64url_encode(digest, size, memory)),
           strstr(text, "at+jwt") != NULL);
}

/* No changed token is accepted. It does not matter if libjwt reads it more leniently. */
static void change_and_verify(const uint8_t *data, size_t size, arena *memory) {
    char *text = arena_strdup(memory, good_token);
    size_t length = strlen(text);
    for (size_t i = 0; i + 2 < size && i < 3 * CHANGES_MAX; i += 3) {
        size_t place = ((size_t)data[i] << 8 | data[i + 1]) % length;
        text[place] = data[i + 2] == 0 ? text[place] : (char)data[i + 2];
    }
    principal principal;
    bool same = strcmp(text, good_token) == 0;
    bool believed = token_verify(by_rsa, text, NOW, &principal) == NULL;
    HOLDS(believed == same);
    HOLDS(!believed || libjwt_believes(text, pem, JWT_ALG_RS256));
    HOLDS(!libjwt_believes(text, secret, JWT_ALG_HS256));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena *memory = arena_new();
    unsigned kind = take_byte(&data, &size) % 3;
    if (kind == 2) {
        change_and_verify(data, size, memory);
    } else if (kind == 1) {
        sign_and_verify(take_text(data, size, memory), memory);
    } else {
        verify(take_text(data, size, memory), false);
    }
    arena_free(memory);
    return 0;
}
