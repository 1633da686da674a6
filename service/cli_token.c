/* The command `token`: makes tokens for development. */
#include "service/auth/mint.h"
#include "service/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { SECONDS_USUAL = 43200, SECONDS_MAX = 86400 };

static const token_role *find_role(const token_role *roles, const char *name) {
    while (roles->name != NULL && strcmp(roles->name, name) != 0) {
        roles++;
    }
    return roles->name == NULL ? NULL : roles;
}

/* Fills in the caller for whom the token is made. Returns NULL, or the fault. */
static const char *choose(const cli_call *call, const token_role *roles, token_role *chosen) {
    const char *name = cli_value(call, "--role");
    *chosen = (token_role){.organisation = cli_value(call, "--organisation"),
                           .client = cli_value(call, "--client"),
                           .scope = cli_value(call, "--scope")};
    if (cli_value(call, "--id") != NULL || cli_value(call, "--until") != NULL) {
        return "--id and --until belong to `token block`; see `learning-reviews help token`.";
    }
    bool by_hand = chosen->organisation != NULL || chosen->client != NULL || chosen->scope != NULL;
    if (name != NULL && by_hand) {
        return "token takes --role, or --organisation, --client and --scope, not both.";
    }
    if (name == NULL) {
        return chosen->organisation != NULL && chosen->client != NULL && chosen->scope != NULL
                   ? NULL
                   : "token takes --role ROLE, or --organisation, --client and --scope; see "
                     "`learning-reviews help token`.";
    }
    const token_role *known = find_role(roles, name);
    if (known == NULL) {
        return "there is no such role; `learning-reviews help token` lists them.";
    }
    *chosen = *known;
    return NULL;
}

static long read_seconds(const char *text) {
    char *end = NULL;
    if (text == NULL) {
        return SECONDS_USUAL;
    }
    errno = 0;
    long seconds = strtol(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || seconds > SECONDS_MAX ? 0 : seconds;
}

static int print_token(const config *settings, const token_role *whom, long seconds) {
    char reason[512];
    size_t size = 0;
    unsigned char *secret = config_read_secret("LR_DEV_SECRET_FILE", settings->dev_secret_file,
                                               SECRET_SIZE, &size, reason, sizeof reason);
    if (secret == NULL) {
        return cli_fail(EX_CONFIG, reason);
    }
    int64_t now = time(NULL);
    char *token = mint_token(&(mint_claims){.issuer = settings->issuer,
                                            .audience = settings->audience,
                                            .subject = whom->client,
                                            .client = whom->client,
                                            .organisation = whom->organisation,
                                            .scope = whom->scope,
                                            .issued_at = now,
                                            .expires_at = now + seconds},
                             secret, size);
    explicit_bzero(secret, size);
    free(secret);
    if (token == NULL) {
        return cli_fail(EX_SOFTWARE, "The token could not be made.");
    }
    puts(token);
    free(token);
    return EX_OK;
}

int command_token(const cli_call *call, const token_role *roles) {
    token_role chosen;
    const char *fault = choose(call, roles, &chosen);
    long seconds = read_seconds(cli_value(call, "--seconds"));
    if (fault != NULL) {
        return cli_fail(EX_USAGE, fault);
    }
    if (seconds <= 0) {
        return cli_fail(EX_USAGE, "--seconds must be a whole number from 1 to 86400.");
    }
    if (!call->settings->dev) {
        return cli_fail(EX_CONFIG, "Tokens are made for development only: set LR_MODE=dev.");
    }
    return print_token(call->settings, &chosen, seconds);
}
