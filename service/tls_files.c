/* The files of the TLS certificate and its key. */
#include "service/tls_files.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

static FILE *open_file(const char *setting, const char *path, char *reason, size_t reason_size) {
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        snprintf(reason, reason_size,
                 "%s: %.300s cannot be read: %s. Name a file that this user can read.", setting,
                 path, strerror(errno));
    }
    return in;
}

static X509 *read_certificate(const char *path, char *reason, size_t reason_size) {
    FILE *in = open_file("LR_TLS_CERTIFICATE_FILE", path, reason, reason_size);
    if (in == NULL) {
        return NULL;
    }
    X509 *certificate = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    if (certificate == NULL) {
        snprintf(reason, reason_size,
                 "LR_TLS_CERTIFICATE_FILE: %.300s cannot be read as a certificate in PEM. Name the "
                 "certificate, with the chain behind it.",
                 path);
    }
    return certificate;
}

static EVP_PKEY *read_key(const char *path, char *reason, size_t reason_size) {
    FILE *in = open_file("LR_TLS_KEY_FILE", path, reason, reason_size);
    if (in == NULL) {
        return NULL;
    }
    /* The empty password keeps OpenSSL from asking for one at the terminal. */
    static char no_password[] = "";
    EVP_PKEY *private_key = PEM_read_PrivateKey(in, NULL, NULL, no_password);
    fclose(in);
    if (private_key == NULL) {
        snprintf(
            reason, reason_size,
            "LR_TLS_KEY_FILE: %.300s cannot be read as a private key in PEM without a password. "
            "Name the key of the certificate.",
            path);
    }
    return private_key;
}

static tls_result check_pair(const X509 *certificate, const EVP_PKEY *private_key,
                             const char *certificate_file, const char *key_file, char *reason,
                             size_t reason_size) {
    if (X509_check_private_key(certificate, private_key) != 1) {
        snprintf(reason, reason_size,
                 "LR_TLS_KEY_FILE: %.300s is not the key of the first certificate in %.300s "
                 "(LR_TLS_CERTIFICATE_FILE). Name the certificate and its own key.",
                 key_file, certificate_file);
        return TLS_FILES_BAD;
    }
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        snprintf(reason, reason_size,
                 "LR_TLS_CERTIFICATE_FILE: the certificate in %.300s has expired; put a new one "
                 "there.",
                 certificate_file);
        return TLS_FILES_OUT_OF_DATE;
    }
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
        snprintf(
            reason, reason_size,
            "LR_TLS_CERTIFICATE_FILE: the certificate in %.300s is not valid yet; is the clock "
            "right?",
            certificate_file);
        return TLS_FILES_OUT_OF_DATE;
    }
    return TLS_FILES_GOOD;
}

tls_result tls_files_check(const char *certificate_file, const char *key_file, char *reason,
                           size_t reason_size) {
    tls_result result = TLS_FILES_BAD;
    EVP_PKEY *private_key = NULL;
    X509 *certificate = read_certificate(certificate_file, reason, reason_size);
    if (certificate != NULL) {
        private_key = read_key(key_file, reason, reason_size);
    }
    if (private_key != NULL) {
        result =
            check_pair(certificate, private_key, certificate_file, key_file, reason, reason_size);
    }
    X509_free(certificate);
    EVP_PKEY_free(private_key);
    return result;
}
