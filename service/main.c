/* The command line: serve, migrate, token, check, version. */
#include "api/free_text.h"
#include "service/auth/mint.h"
#include "service/command.h"
#include "service/contract/contract.h"
#include "service/db/migrate.h"
#include "service/db/role.h"
#include "service/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

static const char help_text[] =
    "learning-reviews: the register of learning reviews\n"
    "\n"
    "  learning-reviews [--config FILE] COMMAND\n"
    "\n"
    "  serve                     answer requests until SIGTERM; SIGHUP reads the keys again\n"
    "  migrate                   bring the database (LR_MIGRATION_DATABASE) to this program's "
    "schema\n"
    "  token --role ROLE         print a development token (LR_MODE=dev); roles: committee, "
    "committee-member,\n"
    "                            chief-officers, reviewer, agency, health, police, prosecution, "
    "reporter,\n"
    "                            inspectorate, national-hub, dashboard, other-committee\n"
    "  token --organisation CODE --client ID --scope 'A B' [--seconds N]\n"
    "  check                     say whether the configuration, the keys and the database are in "
    "order\n"
    "  version                   print the version of program and contract\n"
    "\n"
    "Settings come from the environment (LR_...), then from the file, then from defaults; "
    "README.md lists them.\n"
    "Exit status: 0 done, 64 wrong command line, 69 database not available, 78 configuration at "
    "fault.\n"
    "Example: LR_MODE=dev learning-reviews token --role committee\n";

static int fail(int status, const char *reason) {
    fprintf(stderr, "learning-reviews: %s\n", reason);
    return status;
}

static int run_migrate(const config *settings) {
    char reason[1024] = "";
    const char *database =
        settings->migration_database != NULL ? settings->migration_database : settings->database;
    if (database == NULL) {
        return fail(EX_CONFIG,
                    "LR_MIGRATION_DATABASE is not set: it has to be a libpq connection string.");
    }
    if (!migrate_run(database, stdout, reason, sizeof reason)) {
        return fail(EX_UNAVAILABLE, reason);
    }
    puts("the schema is complete");
    return EX_OK;
}

static int run_check(const config *settings) {
    char reason[1024] = "";
    config_print(settings, stdout);
    int status = EX_OK;
    keys_source source = command_keys_source(settings);
    keys *known = keys_new(&source, reason, sizeof reason);
    if (known == NULL) {
        printf("keys: %s\n", reason);
        status = EX_CONFIG;
    } else {
        printf("keys: in order, %zu in use\n", keys_figures_read(known).count);
        keys_free(known);
    }
    if (settings->database == NULL) {
        puts("database: LR_DATABASE is not set: it has to be a libpq connection string");
        return EX_CONFIG;
    }
    if (role_check(settings->database, reason, sizeof reason) != ROLE_BOUND) {
        printf("database: %s\n", reason);
        return EX_UNAVAILABLE;
    }
    if (migrate_check(settings->database, reason, sizeof reason) != 0) {
        printf("database: %s\n", reason);
        return EX_UNAVAILABLE;
    }
    puts("database: in order");
    return status;
}

typedef struct role {
    const char *name, *organisation, *client, *scope;
} role;

static const char committee_scopes[] =
    "referrals.read referrals.write cases.read cases.write children.read information.read "
    "decisions.write reviews.write proceedings.read proceedings.write notices.read actions.read "
    "actions.write actions.verify retention.write holds.legal";
static const char agency_scopes[] =
    "referrals.read referrals.write information.read information.write actions.read actions.write";
static const char liaison_scopes[] =
    "proceedings.read proceedings.write information.read information.write notices.read "
    "actions.read actions.write";

static const role roles[] = {
    {"committee", "CPC-GLA", "committee-system", committee_scopes},
    {"committee-member", "CPC-GLA", "member-portal", "referrals.read cases.read actions.read"},
    {"chief-officers", "COG-GLA", "chief-officers-system",
     "cases.read ratification.write notices.read actions.read"},
    {"reviewer", "INDEPENDENT", "reviewer-1", "cases.read children.read reviews.write"},
    {"agency", "LA-S12000049", "council-casework", agency_scopes},
    {"health", "HB-S08000031", "health-board-system", agency_scopes},
    {"police", "POL-G", "police-system", agency_scopes},
    {"prosecution", "COPFS", "case-system", liaison_scopes},
    {"reporter", "SCRA", "reporter-system", liaison_scopes},
    {"inspectorate", "CI", "inspectorate-system", "decisions.read notices.read observations.write"},
    {"national-hub", "HIS", "hub-system", "notices.read"},
    {"dashboard", "SG", "national-dashboard", "statistics.read"},
    {"other-committee", "CPC-EDH", "other-committee-system", committee_scopes},
};

static const char *option(int count, char **words, const char *name) {
    for (int i = 0; i + 1 < count; i++) {
        if (strcmp(words[i], name) == 0) {
            return words[i + 1];
        }
    }
    return NULL;
}

static const role *find_role(const char *name) {
    for (size_t i = 0; name != NULL && i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(roles[i].name, name) == 0) {
            return &roles[i];
        }
    }
    return NULL;
}

static int run_token(const config *settings, int count, char **words) {
    char reason[512];
    if (!settings->dev) {
        return fail(EX_CONFIG, "Tokens are made for development only: set LR_MODE=dev.");
    }
    role chosen = {.organisation = option(count, words, "--organisation"),
                   .client = option(count, words, "--client"),
                   .scope = option(count, words, "--scope")};
    const role *known = find_role(option(count, words, "--role"));
    if (known != NULL) {
        chosen = *known;
    }
    if (chosen.organisation == NULL || chosen.client == NULL || chosen.scope == NULL) {
        return fail(
            EX_USAGE,
            "token takes --role ROLE, or --organisation, --client and --scope; see --help.");
    }
    size_t size = 0;
    unsigned char *secret = config_read_secret("LR_DEV_SECRET_FILE", settings->dev_secret_file,
                                               SECRET_SIZE, &size, reason, sizeof reason);
    if (secret == NULL) {
        return fail(EX_CONFIG, reason);
    }
    const char *seconds = option(count, words, "--seconds");
    int64_t now = time(NULL);
    char *token = mint_token(
        &(mint_claims){.issuer = settings->issuer,
                       .audience = settings->audience,
                       .subject = chosen.client,
                       .client = chosen.client,
                       .organisation = chosen.organisation,
                       .scope = chosen.scope,
                       .issued_at = now,
                       .expires_at = now + (seconds == NULL ? 43200 : strtol(seconds, NULL, 10))},
        secret, size);
    explicit_bzero(secret, size);
    free(secret);
    if (token == NULL) {
        return fail(EX_SOFTWARE, "The token could not be made.");
    }
    puts(token);
    free(token);
    return EX_OK;
}

static int run(const config *settings, int count, char **words) {
    if (strcmp(words[0], "serve") == 0) {
        return command_serve(settings, &(serve_parts){.scan_text = free_text_scan,
                                                      .combined = statement_push_referrals});
    }
    if (strcmp(words[0], "migrate") == 0) {
        return run_migrate(settings);
    }
    if (strcmp(words[0], "token") == 0) {
        return run_token(settings, count, words);
    }
    if (strcmp(words[0], "check") == 0) {
        return run_check(settings);
    }
    return fail(EX_USAGE, "no such command; see `learning-reviews --help`.");
}

int main(int count, char **words) {
    const char *file = NULL;
    char reason[1024] = "";
    memory_start();
    if (count > 2 && strcmp(words[1], "--config") == 0) {
        file = words[2];
        words += 2;
        count -= 2;
    }
    if (count < 2) {
        fputs(help_text, stderr);
        return EX_USAGE;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "help") == 0) {
        fputs(help_text, stdout);
        return EX_OK;
    }
    if (strcmp(words[1], "version") == 0 || strcmp(words[1], "--version") == 0) {
        printf("learning-reviews %s, contract %s\n", PROGRAM_VERSION, contract_version);
        return EX_OK;
    }
    config settings;
    int status = config_load(&settings, file, reason, sizeof reason)
                     ? run(&settings, count - 1, words + 1)
                     : fail(EX_CONFIG, reason);
    config_free(&settings);
    return status;
}
