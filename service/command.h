/* What the commands share. */
#pragma once

#include "service/auth/keys.h"
#include "service/cli.h"
#include "service/config.h"
#include "service/http/app_context.h"

/* Where the configuration says the keys are. */
keys_source command_keys_source(const config *settings);

/* Whether a connection to this database is safe, or insecure as the settings allow; if not, one
 * sentence in `reason`. */
bool command_check_transport(const config *settings, const char *setting, const char *conninfo,
                             char *reason, size_t reason_size);

/* Raises the soft limit of file descriptors to what the settings need. Returns false with one
 * sentence in `reason` when the hard limit is lower. */
bool command_allow_files(const config *settings, char *reason, size_t reason_size);

/* Whether webhooks are set up, and if so where they may go and the key of their secrets (of
 * WEBHOOK_KEY_SIZE bytes; NULL when it is only to be checked). Returns false with one sentence in
 * `reason` when a setting is at fault; `*allowed` is NULL when webhooks are off. */
bool command_read_webhooks(const config *settings, targets **allowed, unsigned char *key,
                           char *reason, size_t reason_size);

/* Compares the keys of pseudonyms and webhooks with those that the register has used; `record`
 * makes them the recorded ones where there are none yet. Returns EX_OK, EX_CONFIG for another key,
 * or EX_UNAVAILABLE; always with one sentence in `reason`. */
int command_check_keys(const config *settings, bool record, char *reason, size_t reason_size);

/* Makes the key in the settings the register's key, after --confirm; without it, explains what that
 * does. */
int command_replace_key(const cli_call *call);

/* What a register brings along that the runtime knows nothing of. */
typedef struct serve_parts {
    const char *(*scan_text)(const char *text);       /* see app_context.h */
    const char *(*scan_identifier)(const char *text); /* see app_context.h */
    const statement *combined;                        /* see group_commit_new */
} serve_parts;

/* Serves until SIGTERM or SIGINT. Returns an exit status of sysexits.h, as all commands do. */
int command_serve(const config *settings, const serve_parts *parts);

/* Brings the database to this program's schema. */
int command_migrate(const cli_call *call);

/* Says of everything that serving needs whether it is in order and, where not, how to mend it;
 * with --health whether the running service is ready. */
int command_check(const cli_call *call);

/* Prints the version of program and contract. */
int command_version(const cli_call *call);

/* A kind of caller that development tokens are made for. */
typedef struct token_role {
    const char *name, *organisation, *client, *scope;
} token_role;

/* Prints a development token; `roles` ends with one that has no name. */
int command_token(const cli_call *call, const token_role *roles);
