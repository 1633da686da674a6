/* The certificate and the key of TLS, as files. */
#pragma once

#include <stddef.h>

typedef enum tls_result {
    TLS_FILES_GOOD,
    TLS_FILES_OUT_OF_DATE, /* the certificate has expired, or is not valid yet */
    TLS_FILES_BAD          /* not readable, not what they have to be, or not a pair */
} tls_result;

/* Reads both; writes one sentence that names the setting, the file and the cause to `reason` unless
 * they are good. */
tls_result tls_files_check(const char *certificate_file, const char *key_file, char *reason,
                           size_t reason_size);
