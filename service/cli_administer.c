/* The commands `organisation`, `client` and `token block`. */
#include "service/command.h"
#include "service/db/administer.h"
#include "service/db/migrate.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { REFUSED = 1, OPTIONS_MAX = 3, TEXT_MAX = 65536 };

/* A topic of a command: its statement, and the options that are its parameters in this order. */
typedef struct action {
    const char *topic;
    const statement *const *statement;
    const char *options[OPTIONS_MAX + 1]; /* ends with NULL */
    size_t needed;                        /* how many of them must be given */
} action;

static const action organisation_actions[] = {
    {"add", &statement_administer_add_organisation, {"--code", "--kind", "--name"}, 3},
    {"rename", &statement_administer_rename_organisation, {"--code", "--name"}, 2},
    {"retire", &statement_administer_retire_organisation, {"--code"}, 1},
    {0},
};
static const action client_actions[] = {
    {"map", &statement_administer_map_client, {"--client", "--organisation"}, 2},
    {"unmap", &statement_administer_unmap_client, {"--client"}, 1},
    {"block", &statement_administer_block_client, {"--client", "--organisation", "--until"}, 1},
    {"unblock", &statement_administer_unblock_client, {"--client", "--organisation"}, 1},
    {"list", &statement_administer_list_clients, {NULL}, 0},
    {0},
};
static const action token_actions[] = {
    {"block", &statement_administer_block_token, {"--id", "--organisation", "--until"}, 2},
    {0},
};

static bool takes(const action *chosen, const char *option) {
    for (size_t i = 0; chosen->options[i] != NULL; i++) {
        if (strcmp(chosen->options[i], option) == 0) {
            return true;
        }
    }
    return false;
}

static int refuse_words(const cli_call *call, const char *topic, const char *option,
                        const char *fault) {
    char reason[256];
    snprintf(reason, sizeof reason, "%s %s %s%s; see `learning-reviews help %s`.",
             call->command->name, topic, fault, option, call->command->name);
    return cli_fail(EX_USAGE, reason);
}

/* Whether the options are those of the action. Returns EX_OK or EX_USAGE, explained. */
static int check_options(const cli_call *call, const action *chosen) {
    const cli_option *options = call->command->options;
    for (size_t i = 0; i < CLI_OPTIONS_MAX && options[i].name != NULL; i++) {
        if (call->values[i] != NULL && !takes(chosen, options[i].name)) {
            return refuse_words(call, chosen->topic, options[i].name, "does not take ");
        }
    }
    for (size_t i = 0; i < chosen->needed; i++) {
        if (cli_value(call, chosen->options[i]) == NULL) {
            return refuse_words(call, chosen->topic, chosen->options[i], "needs ");
        }
    }
    return EX_OK;
}

static int run_action(const cli_call *call, const action *chosen) {
    static char text[TEXT_MAX];
    const char *parameters[OPTIONS_MAX] = {0};
    const config *settings = call->settings;
    bool own = settings->migration_database != NULL;
    const char *setting = own ? "LR_MIGRATION_DATABASE" : "LR_DATABASE";
    const char *database = own ? settings->migration_database : settings->database;
    if (database == NULL) {
        return cli_fail(EX_CONFIG, "LR_MIGRATION_DATABASE is not set: it must be a libpq "
                                   "connection string.");
    }
    if (!command_check_transport(settings, setting, database, text, sizeof text)) {
        return cli_fail(EX_CONFIG, text);
    }
    schema_standing standing = migrate_check(database, text, sizeof text);
    if (standing != SCHEMA_CURRENT) {
        return cli_fail(standing == SCHEMA_UNKNOWN ? EX_UNAVAILABLE : EX_CONFIG, text);
    }
    for (size_t i = 0; chosen->options[i] != NULL; i++) {
        parameters[i] = cli_value(call, chosen->options[i]);
    }
    administer_result result =
        administer(setting, database, *chosen->statement, parameters, text, sizeof text);
    if (result != ADMINISTER_DONE) {
        return cli_fail(result == ADMINISTER_REFUSED ? REFUSED : EX_UNAVAILABLE, text);
    }
    puts(text);
    return EX_OK;
}

static int run(const cli_call *call, const action *actions) {
    for (const action *each = actions; each->topic != NULL; each++) {
        if (call->topic != NULL && strcmp(each->topic, call->topic) == 0) {
            int status = check_options(call, each);
            return status == EX_OK ? run_action(call, each) : status;
        }
    }
    return refuse_words(call, "needs a word", "", "behind it");
}

int command_organisation(const cli_call *call) {
    return run(call, organisation_actions);
}

int command_client(const cli_call *call) {
    return run(call, client_actions);
}

int command_token_block(const cli_call *call) {
    return run(call, token_actions);
}
