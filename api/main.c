/* The program: the parts that the register adds to the runtime, and the table of its commands. */
#include "api/development_roles.h"
#include "api/free_text.h"
#include "service/command.h"
#include "service/memory.h"

static int run_serve(const cli_call *call) {
    return command_serve(call->settings,
                         &(serve_parts){.scan_text = free_text_scan,
                                        .scan_identifier = free_text_scan_identifier,
                                        .combined = statement_push_referrals});
}

static int run_token(const cli_call *call) {
    return call->topic != NULL ? command_token_block(call) : command_token(call, development_roles);
}

static int run_explain_token(const cli_call *call) {
    return command_explain_token(call, free_text_scan_identifier);
}

static const cli_command commands[] = {
    {.name = "serve",
     .summary = "answer requests until SIGTERM",
     .description = "SIGTERM and SIGINT drain and end it; SIGHUP reads the token keys again.\n",
     .run = run_serve},
    {.name = "migrate",
     .summary = "bring the database to this program's schema",
     .description =
         "Uses LR_MIGRATION_DATABASE, or LR_DATABASE where that is not set. Applies what "
         "is missing, forward only;\nmay be run again at any time.\n",
     .run = command_migrate},
    {.name = "replace-key",
     .summary = "make another key of pseudonyms or webhooks the register's key",
     .description =
         "The register keeps fingerprints of the keys that it has used, and neither starts nor "
         "passes `check` with others.\nOnly where a key is lost: put another one into its file, "
         "stop every instance, and call this command. Without\n--confirm it changes nothing, "
         "explains the consequences and names the word that confirms them (exit status 64).\n"
         "Uses LR_MIGRATION_DATABASE, or LR_DATABASE where that is not set.\n",
     .options = {{"--key", "NAME", "pseudonym or webhook"},
                 {"--confirm", "WORD", "that the consequences are accepted"}},
     .run = command_replace_key},
    {.name = "organisation",
     .summary = "add, rename or retire an organisation",
     .description =
         "organisation add --code CODE --kind KIND --name NAME: adds one, such as a charity "
         "(third_sector).\norganisation rename --code CODE --name NAME: changes its name.\n"
         "organisation retire --code CODE: blocks its clients for good and ends their mappings; "
         "its "
         "records stay.\n"
         "Uses LR_MIGRATION_DATABASE, or LR_DATABASE where that is not set. The audit trail keeps "
         "each change.\nExit status 1: the register refused the change, and nothing was changed.\n",
     .topics = {"add", "rename", "retire"},
     .options = {{"--code", "CODE", "such as TS-SC000000"},
                 {"--kind", "KIND", "of GET /v1/reference/organisations"},
                 {"--name", "NAME", "as people write it"}},
     .run = command_organisation},
    {.name = "client",
     .summary = "map a client to its organisation, or block it",
     .description =
         "client map --client ID --organisation CODE: the organisation of a client whose tokens "
         "have none; a token that\nnames another one is rejected.\n"
         "client unmap --client ID: ends that. Both take effect within a minute, and the client's "
         "webhooks at the former\norganisation send nothing until they are confirmed.\n"
         "client block --client ID: rejects the client from its next request on, and stops its "
         "webhooks.\nclient unblock --client ID: ends that.\n"
         "client list: prints the mapped clients and the blocks.\n"
         "block and unblock need --organisation CODE for a client that is not mapped.\n"
         "Uses LR_MIGRATION_DATABASE, or LR_DATABASE where that is not set. The audit trail keeps "
         "each change.\nExit status 1: the register refused the change, and nothing was changed.\n",
     .topics = {"map", "unmap", "block", "unblock", "list"},
     .options = {{"--client", "ID", "the client's identifier, as its tokens have it"},
                 {"--organisation", "CODE", "a code of GET /v1/reference/organisations"},
                 {"--until", "TIME", "block: when it ends, such as 2026-03-01T12:00:00Z"}},
     .run = command_client},
    {.name = "token",
     .summary = "print a development token (LR_MODE=dev), or block a token",
     .description =
         "For one of the roles committee, records-officer, committee-member, "
         "chief-officers, reviewer, agency, health,\n"
         "police, prosecution, reporter, inspectorate, national-hub, auditor, dashboard, "
         "other-committee; or for an\norganisation, a client and scopes.\n"
         "token block --id JTI --organisation CODE [--until TIME]: rejects one token by its jti "
         "from "
         "its next request on, and\nstops webhooks that it set. Uses LR_MIGRATION_DATABASE, or "
         "LR_DATABASE where that is not set; the audit trail\nkeeps it.\n",
     .topics = {"block"},
     .options = {{"--role", "ROLE", "a role from above"},
                 {"--organisation", "CODE", "a code of GET /v1/reference/organisations"},
                 {"--client", "ID", "the client's identifier"},
                 {"--scope", "'A B'", "scopes with one space between them"},
                 {"--seconds", "N", "how long it is valid: 43200 if not given, 86400 at most"},
                 {"--id", "JTI", "block: the jti of the token"},
                 {"--until", "TIME", "block: when it ends; never if not given"}},
     .run = run_token},
    {.name = "explain-token",
     .summary = "say what the register takes from a token, and why it would reject it",
     .description =
         "Reads one token from standard input, with or without `Bearer` before it, and checks it "
         "with the settings and keys\nof the register: form, signature, then each claim. Asks the "
         "database which organisation the client is mapped to.\nPrints claims of the token, but "
         "not "
         "its subject, and stores and logs nothing. Exit status: 0 the register would\naccept it, "
         "1 "
         "it would reject it.\n"
         "Example: learning-reviews --config FILE explain-token <token.txt\n",
     .run = run_explain_token},
    {.name = "check",
     .summary = "report errors in configuration, keys and database, and how to fix them",
     .description =
         "Prints the settings in force, then one line for each thing that serving needs. "
         "Exit status: 0 in order,\n69 database or key set not available, 78 "
         "configuration at fault.\n"
         "A line that says FAULT keeps the service from starting; one that says WARNING does not, "
         "and is logged at each start.\n"
         "check audit: verifies the whole audit trail instead and names the first entry that was "
         "altered, added or\nis missing (exit status 1).\n",
     .topics = {"audit"},
     .options = {{"--health", NULL, "only ask the running service whether it is ready (0 or 69)"},
                 {"--settings", NULL,
                  "only settings, keys, certificate and addresses; ports may be in use"},
                 {"--database", NULL, "only the databases"},
                 {"--anchor", "COUNT:HASH", "audit: checkpoint that the chain must contain"}},
     .run = command_check},
    {.name = "version",
     .summary = "print the version of program and contract",
     .description = "",
     .run = command_version,
     .without_settings = true},
};

static const cli_program program = {
    .name = "learning-reviews",
    .summary = "the register of learning reviews",
    .ending =
        "Settings come from the environment (LR_...), then from the file, then from defaults; "
        "learning-reviews(8) lists them.\n"
        "Exit status: 0 done, 64 wrong command line, 69 database not available, 78 configuration "
        "at fault.\n"
        "Example: LR_MODE=dev learning-reviews token --role committee\n",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0]};

int main(int count, char **words) {
    memory_start();
    return cli_run(&program, count, words);
}
