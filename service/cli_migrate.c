/* The commands `migrate` and `version`. */
#include "service/command.h"
#include "service/contract/contract.h"
#include "service/db/migrate.h"
#include "service/db/statement.h"

#include <string.h>
#include <sysexits.h>

int command_migrate(const cli_call *call) {
    char reason[1024] = "";
    const config *settings = call->settings;
    bool own = settings->migration_database != NULL;
    const char *setting = own ? "LR_MIGRATION_DATABASE" : "LR_DATABASE";
    const char *database = own ? settings->migration_database : settings->database;
    if (database == NULL) {
        return cli_fail(EX_CONFIG,
                        "LR_MIGRATION_DATABASE is not set: it must be a libpq connection string.");
    }
    if (!command_check_transport(settings, setting, database, reason, sizeof reason)) {
        return cli_fail(EX_CONFIG, reason);
    }
    migrate_outcome outcome = migrate_run(setting, database, stdout, reason, sizeof reason);
    if (outcome == MIGRATE_NEWER) {
        size_t used = strlen(reason);
        snprintf(reason + used, sizeof reason - used,
                 " Nothing was changed. Use the newer program.");
    }
    if (outcome != MIGRATE_DONE) {
        return cli_fail(outcome == MIGRATE_FAILED ? EX_UNAVAILABLE : EX_CONFIG, reason);
    }
    puts("the schema is complete");
    return EX_OK;
}

int command_version(const cli_call *call) {
    (void)call;
    printf("learning-reviews %s, contract %s, code %s, schema %s\n", PROGRAM_VERSION,
           contract_version, code_version, schema_version);
    return EX_OK;
}
