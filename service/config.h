/* The configuration: environment variables override a file, which overrides defaults; checked once
 * at the start. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct config {
    bool dev; /* LR_MODE=dev: allows a development secret, drains for a short time only */
    const char *listen, *admin_listen;
    const char *public_url;  /* without a trailing slash */
    bool public_url_derived; /* `listen` gave it, because the setting is empty */
    const char *database, *migration_database, *read_database;
    const char *jwks_file, *jwks_url, *jwks_ca_file, *dev_secret_file;
    int jwks_accept_seconds;  /* since the last fetch of the issuer's keys */
    const char *cors_origins; /* separated by spaces; NULL: none */
    const char *token_url;    /* where clients get tokens, for the contract; NULL: not said */
    const char *issuer, *audience;
    /* Without a value of their own these are those of the profile (auth/token_profile.h). */
    const char *token_profile, *token_client_claims, *token_scope_claims, *token_organisation_claim;
    const char *token_scope_prefix, *token_subject;
    int token_max_seconds;
    const char *pseudonym_key_file;
    const char *tls_certificate_file, *tls_key_file;
    int allow_plain_http; /* allowed in production on an address that other machines can reach */
    int allow_unverified_database; /* allowed in production: TCP without sslmode=verify-full */
    int workers, connections, push_connections;
    int connections_max, address_connections_max, waiting_max;
    const char *trusted_proxies; /* addresses that are exempt from address_connections_most */
    int body_memory_mib; /* for bodies, parsed documents, and answers that wait for the client */
    int feed_days;
    const char *webhook_key_file, *webhook_hosts, *webhook_networks, *webhook_ca_file;
    int webhook_retry_seconds, webhook_confirm_days;
    const char *audit_anchor_file; /* file of the trail's anchors, in addition to the log */
    int audit_anchor_seconds;
    int audit_durable; /* entries of reads are on disk before the answer is sent */
    int header_seconds, request_seconds, idle_seconds, drain_seconds, drain_grace_seconds;
    int rate_limit, organisation_rate_limit, rate_window_seconds;
    const char *log_level;
} config;

/* Reads the configuration. `file` is a path, or NULL to use LR_CONFIG. Returns true, or returns
 * false after writing one sentence that names the setting, the origin of its value and the repair
 * to `reason`. Strings live until config_free. */
bool config_load(config *settings, const char *file, char *reason, size_t reason_size);
void config_free(config *settings);

/* Prints every setting with its value; for a connection string, only that it is set. */
void config_print(const config *settings, FILE *out);

/* Calls `visit` for each text setting that has a value, default or not. */
void config_each_text(const config *settings,
                      void (*visit)(void *context, const char *name, const char *value),
                      void *context);

/* Reads a secret of `least` bytes or more from a file: the text without trailing white space.
 * Returns a malloc'ed buffer that the caller wipes and frees, or NULL with the cause in `reason`.
 */
unsigned char *config_read_secret(const char *setting, const char *path, size_t least, size_t *size,
                                  char *reason, size_t reason_size);
