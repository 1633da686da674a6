/* Declarations that the commands share. */
#pragma once

#include "service/auth/keys.h"
#include "service/auth/token.h"
#include "service/cli.h"
#include "service/config.h"
#include "service/http/app_context.h"

/* Returns the source of the keys according to the configuration. */
keys_source command_keys_source(const config *settings);

/* Waits until an address of keys answered, or failed: it is asked in the background. */
keys_stats command_await_keys(keys *known);

/* Fills `rules` from the configuration, without `subject_key` and
 * `scan_identifier`. Borrows the strings of `settings`. Returns false when a list of names is not
 * valid. */
bool command_token_rules(const config *settings, token_rules *rules);

/* Returns whether a connection to this database is safe, or is insecure and the settings allow it.
 * Otherwise writes one sentence to `reason`. */
bool command_check_transport(const config *settings, const char *setting, const char *conninfo,
                             char *reason, size_t reason_size);

/* Raises the soft limit of file descriptors to the number that the settings need. Returns false
 * with one sentence in `reason` when the hard limit is lower. */
bool command_allow_files(const config *settings, char *reason, size_t reason_size);

/* Reads the settings of webhooks: the allowed targets and the key of their secrets
 * (WEBHOOK_KEY_SIZE bytes; NULL to check it only). `*allowed` is NULL when webhooks are off.
 * Returns false with one sentence in `reason` when a setting is at fault. */
bool command_read_webhooks(const config *settings, targets **allowed, unsigned char *key,
                           char *reason, size_t reason_size);

/* Compares the keys of pseudonyms and webhooks with those that the register has used. With
 * `record`, a key without a recorded one becomes the recorded one. Returns EX_OK, EX_CONFIG for
 * another key, or EX_UNAVAILABLE; always with one sentence in `reason`. */
int command_check_keys(const config *settings, bool record, char *reason, size_t reason_size);

/* With --confirm, makes the configured key the register's key; without it, explains the
 * consequences. */
int command_replace_key(const cli_call *call);

/* The commands `organisation`, `client` and `token block`: change what the database has of
 * organisations and clients, with the rights of the owner and an entry in the audit trail. Return
 * EX_OK, 1 when the register refuses the change, or another status. */
int command_organisation(const cli_call *call);
int command_client(const cli_call *call);
int command_token_block(const cli_call *call);

/* The parts of a register that the runtime does not know. */
typedef struct serve_parts {
    const char *(*scan_text)(const char *text);       /* see app_context.h */
    const char *(*scan_identifier)(const char *text); /* see app_context.h */
    const statement *combined;                        /* see group_commit_new */
} serve_parts;

/* Serves until SIGTERM or SIGINT. Returns an exit status of sysexits.h, as all commands do. */
int command_serve(const config *settings, const serve_parts *parts);

/* Migrates the database to this program's schema. */
int command_migrate(const cli_call *call);

/* Reports for each requirement of the service whether it is met and, if not, how to fix it; with
 * --health, whether the running service is ready. */
int command_check(const cli_call *call);

/* Reads a token from standard input and prints, claim by claim, what the register takes from it and
 * why it would reject it; `scan_identifier` as in app_context.h. Returns EX_OK when it would be
 * accepted, 1 when it would be rejected, or another status. */
int command_explain_token(const cli_call *call, const char *(*scan_identifier)(const char *text));

/* Prints the versions of the program and the contract. */
int command_version(const cli_call *call);

/* A kind of caller for which development tokens are made. */
typedef struct token_role {
    const char *name, *organisation, *client, *scope;
} token_role;

/* Prints a development token; a role without a name ends `roles`. */
int command_token(const cli_call *call, const token_role *roles);
