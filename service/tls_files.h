/* The files of the TLS certificate and its key. */
#pragma once

#include <stddef.h>

typedef enum tls_result {
    TLS_FILES_GOOD,
    TLS_FILES_OUT_OF_DATE, /* the certificate has expired, or is not valid yet */
    TLS_FILES_BAD          /* not readable, of another kind, or not a pair */
} tls_result;

/* Reads both; unless they are good, writes one sentence that names the setting, the file and the
 * cause to `reason`. */
tls_result tls_files_check(const char *certificate_file, const char *key_file, char *reason,
                           size_t reason_size);
