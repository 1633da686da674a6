/* Verifies signatures of tokens: one key, one algorithm (RFC 7518 sections 3.2 to 3.4). */
#include "service/auth/signature.h"

#include <jwt.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

enum { P256_NUMBER = 32, P256_SIGNATURE = 64, DER_MAX = 80 };

const char *signature_algorithm_name(key_algorithm algorithm) {
    static const char *const names[] = {"HS256", "RS256", "ES256"};
    return names[algorithm];
}

/* libjwt takes the algorithm from the token and reads a missing key as "do not verify". So this
 * function fixes both, whatever the caller has checked already. */
static bool verify_hmac(const key *with, const char *text) {
    jwt_t *token = NULL;
    if (with->secret == NULL || with->secret_size == 0 || with->secret_size > INT_MAX) {
        return false;
    }
    int failure = jwt_decode(&token, text, with->secret, (int)with->secret_size);
    if (failure != 0 || token == NULL) {
        return false;
    }
    bool verified = jwt_get_alg(token) == JWT_ALG_HS256;
    jwt_free(token);
    return verified;
}

static bool verify_digest(EVP_PKEY *parsed, const char *text, size_t signed_size,
                          const unsigned char *signature, size_t signature_size) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL) {
        return false;
    }
    bool verified = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, parsed) == 1 &&
                    EVP_DigestVerify(context, signature, signature_size,
                                     (const unsigned char *)text, signed_size) == 1;
    EVP_MD_CTX_free(context);
    return verified;
}

/* JOSE writes r and s one after the other (RFC 7518 section 3.4); OpenSSL reads a DER sequence.
 * OpenSSL rejects numbers that are zero or not below the order. */
static size_t der_of_pair(const unsigned char *pair, unsigned char der[DER_MAX]) {
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair, P256_NUMBER, NULL);
    BIGNUM *s = BN_bin2bn(pair + P256_NUMBER, P256_NUMBER, NULL);
    int size = 0;
    if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        goto done;
    }
    if (i2d_ECDSA_SIG(signature, NULL) <= DER_MAX) {
        unsigned char *end = der;
        size = i2d_ECDSA_SIG(signature, &end);
    }
done:
    ECDSA_SIG_free(signature);
    return size > 0 ? (size_t)size : 0;
}

static bool verify_ecdsa(const key *with, const char *text, size_t signed_size,
                         const unsigned char *signature, size_t signature_size) {
    unsigned char der[DER_MAX];
    if (signature_size != P256_SIGNATURE) {
        return false;
    }
    size_t der_size = der_of_pair(signature, der);
    return der_size > 0 && verify_digest(with->parsed, text, signed_size, der, der_size);
}

bool signature_verify(const key *with, const char *text, size_t signed_size,
                      const unsigned char *signature, size_t signature_size) {
    bool verified = false;
    if (with->algorithm == KEY_HS256) {
        verified = verify_hmac(with, text);
    } else if (with->algorithm == KEY_RS256) {
        verified = verify_digest(with->parsed, text, signed_size, signature, signature_size);
    } else if (with->algorithm == KEY_ES256) {
        verified = verify_ecdsa(with, text, signed_size, signature, signature_size);
    }
    if (!verified) {
        ERR_clear_error();
    }
    return verified;
}
