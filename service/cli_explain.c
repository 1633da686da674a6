/* The command `explain-token`: what the register takes from a token, and why it would reject it. */
#include "service/auth/signature.h"
#include "service/auth/strict_json.h"
#include "service/auth/token_claims.h"
#include "service/auth/token_parse.h"
#include "service/command.h"
#include "service/db/link.h"
#include "service/db/statement.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { REJECTED = 1, INPUT_MAX = 65536 };

typedef struct explanation {
    const config *settings;
    token_rules rules;
    token_parts parts;
    token_header header;
    principal taken;
    bool rejected;
    char database_fault[512]; /* why the mapping of the client is not known; "": it is */
} explanation;

static void report(explanation *e, const char *what, const char *refusal) {
    e->rejected = e->rejected || refusal != NULL;
    if (refusal == NULL) {
        printf("%s: in order\n", what);
    } else {
        const char *sentence = token_explain(refusal);
        printf("%s: FAULT: %s\n", what, sentence == NULL ? refusal : sentence);
    }
}

/* The member as the token has it; without control bytes, because JSON escapes them. */
static void print_member(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);
    printf("    the token has %s: %s\n", name, value == NULL ? "(nothing)" : text);
    free(text);
}

static void print_members(const json_t *object, const token_names *names) {
    bool any = false;
    for (size_t i = 0; i < names->count; i++) {
        if (json_object_get(object, names->names[i]) != NULL) {
            print_member(object, names->names[i]);
            any = true;
        }
    }
    for (size_t i = 0; i < names->count && !any; i++) {
        print_member(object, names->names[i]);
    }
}

static bool has_name(const token_names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_read(const explanation *e, const char *name) {
    static const char *const registered[] = {"iss", "aud", "exp", "iat",
                                             "nbf", "sub", "jti", "typ"};
    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++) {
        if (strcmp(registered[i], name) == 0) {
            return true;
        }
    }
    return has_name(&e->rules.client_claims, name) || has_name(&e->rules.scope_claims, name) ||
           has_name(&e->rules.organisation_claim, name);
}

/* The names of claims that have no effect; a name that is not plain is not printed. */
static void print_ignored(const explanation *e, json_t *claims) {
    const char *name;
    json_t *value;
    printf("ignored:");
    json_object_foreach (claims, name, value) {
        bool plain = true;
        for (const char *at = name; *at != '\0'; at++) {
            plain = plain && *at > ' ' && *at < 0x7f;
        }
        if (!is_read(e, name)) {
            printf(" %s", plain ? name : "(a name that is not printed)");
        }
    }
    puts("");
}

static void explain_times(explanation *e, const json_t *claims, const char *refusal) {
    report(e, "times", refusal);
    print_member(claims, "iat");
    print_member(claims, "exp");
    if (json_object_get(claims, "nbf") != NULL) {
        print_member(claims, "nbf");
    }
    printf("    the time is %lld; lifetime %lld s, at most %d s (LR_TOKEN_MAX_SECONDS)\n",
           (long long)time(NULL),
           (long long)(json_integer_value(json_object_get(claims, "exp")) -
                       json_integer_value(json_object_get(claims, "iat"))),
           e->rules.lifetime_max_seconds);
}

static void explain_parties(explanation *e, const json_t *claims, const char *const *refusals) {
    report(e, "kind of token", refusals[TOPIC_KIND]);
    report(e, "issuer", refusals[TOPIC_ISSUER]);
    print_member(claims, "iss");
    printf("    LR_ISSUER is \"%s\"\n", e->rules.issuer);
    report(e, "audience", refusals[TOPIC_AUDIENCE]);
    print_member(claims, "aud");
    printf("    LR_AUDIENCE is \"%s\"\n", e->rules.audience);
    explain_times(e, claims, refusals[TOPIC_TIMES]);
}

/* Asks the register for one text. Returns false, with the reason in e->database_fault, if it cannot
 * be asked. */
static bool ask_register(explanation *e, const statement *asked, const char *const *parameters,
                         char *answer, size_t size) {
    const char *database = e->settings->database;
    *answer = '\0';
    if (database == NULL) {
        snprintf(e->database_fault, sizeof e->database_fault, "LR_DATABASE is not set.");
        return false;
    }
    PGconn *link =
        link_open_code("LR_DATABASE", database, e->database_fault, sizeof e->database_fault);
    if (link == NULL) {
        return false;
    }
    PGresult *row =
        PQexecParams(link, asked->text, asked->parameters, NULL, parameters, NULL, NULL, 0);
    bool found = PQntuples(row) == 1;
    if (found) {
        snprintf(answer, size, "%s", PQgetvalue(row, 0, 0));
    } else {
        link_explain(link, "LR_DATABASE", "the register cannot be asked about the client",
                     e->database_fault, sizeof e->database_fault);
    }
    PQclear(row);
    PQfinish(link);
    return found;
}

/* Reads the organisation that the register maps the client to, as the service does. */
static bool find_organisation(void *context, const char *client,
                              char organisation[ORGANISATION_MAX + 1]) {
    return ask_register(context, statement_organisation_of, &client, organisation,
                        ORGANISATION_MAX + 1);
}

/* Says whether the register knows the organisation, and blocks it, its client or the token. Each is
 * a 403, and no fault of the token; so it comes after its claims. */
static void explain_admission(explanation *e) {
    char refusal[16];
    const char *asked[] = {e->taken.organisation, e->taken.client, e->taken.token_id};
    if (*e->taken.organisation == '\0' || *e->taken.client == '\0') {
        return;
    }
    if (!ask_register(e, statement_refusal_of, asked, refusal, sizeof refusal)) {
        printf("admission: not known: %s\n", e->database_fault);
        return;
    }
    e->rejected = e->rejected || *refusal != '\0';
    printf("admission: %s\n",
           strcmp(refusal, "unknown") == 0 ? "FAULT: The register does not know the organisation."
           : strcmp(refusal, "blocked") == 0
               ? "FAULT: The register blocks the organisation, the client or the token; "
                 "`learning-reviews client list` shows which."
               : "in order");
}

static void explain_organisation(explanation *e, const json_t *claims, const char *refusal) {
    bool claimed = *e->taken.organisation != '\0';
    bool client_known = *e->taken.client != '\0';
    const char *unknown = NULL;
    if (refusal == NULL && client_known) {
        unknown = token_find_organisation(&e->rules, &e->taken);
    }
    if (refusal != NULL || e->taken.organisation_differs) {
        report(e, "organisation", refusal != NULL ? refusal : "organisation_differs");
    } else if (unknown == NULL && client_known && *e->taken.organisation == '\0') {
        e->rejected = true;
        puts("organisation: FAULT: The token has none, and the register maps the client to none "
             "(`learning-reviews client map`).");
    } else {
        report(e, "organisation", NULL);
    }
    print_members(claims, &e->rules.organisation_claim);
    if (unknown != NULL) {
        printf("    whether the register maps the client is not known: %s\n", e->database_fault);
    } else if (client_known && refusal == NULL) {
        printf("    taken: %s%s\n",
               *e->taken.organisation == '\0' ? "nothing" : e->taken.organisation,
               claimed ? "" : ", to which the register maps the client");
    }
}

static void explain_caller(explanation *e, const json_t *claims, const char *const *refusals) {
    report(e, "client", refusals[TOPIC_CLIENT]);
    print_members(claims, &e->rules.client_claims);
    explain_organisation(e, claims, refusals[TOPIC_ORGANISATION]);
    report(e, "scopes", refusals[TOPIC_SCOPES]);
    print_members(claims, &e->rules.scope_claims);
    printf("    taken:%s\n", refusals[TOPIC_SCOPES] == NULL ? e->taken.scopes : " nothing");
    report(e, "token identifier", refusals[TOPIC_TOKEN_ID]);
    print_member(claims, "jti");
    report(e, "subject", refusals[TOPIC_SUBJECT]);
    printf("    the token has %s sub; only a keyed hash of it is kept\n",
           json_object_get(claims, "sub") == NULL ? "no" : "a");
}

static void explain_claims(explanation *e) {
    const char *refusals[TOKEN_TOPICS];
    json_t *claims = strict_json_object(e->parts.claims, e->parts.claims_size);
    if (claims == NULL) {
        report(e, "claims", "claims_json");
        return;
    }
    token_examine_claims(claims, &e->rules, time(NULL), &e->taken, refusals);
    explain_parties(e, claims, refusals);
    explain_caller(e, claims, refusals);
    explain_admission(e);
    print_ignored(e, claims);
    json_decref(claims);
}

/* Returns EX_OK, or another status when there is no key to check the signature with. */
static int explain_signature(explanation *e, const char *text) {
    char reason[1024] = "";
    keys_source source = command_keys_source(e->settings);
    keys *known = keys_new(&source, reason, sizeof reason);
    if (known == NULL) {
        return cli_fail(EX_CONFIG, reason);
    }
    keys_stats stats = command_await_keys(known);
    if (stats.count > 0) {
        report(e, "signature", token_check_signature(known, text, &e->parts, &e->header));
    }
    keys_free(known);
    return stats.count > 0
               ? EX_OK
               : cli_fail(EX_UNAVAILABLE, "LR_JWKS_URL gave no key set; see the line above.");
}

static int explain(explanation *e, const char *text) {
    const char *refusal = token_split(text, strlen(text), &e->parts);
    report(e, "form", strlen(text) > TOKEN_BYTES_MAX || *text == '\0' ? "size" : refusal);
    if (e->rejected) {
        return EX_OK;
    }
    refusal = token_read_header(&e->parts, &e->header);
    report(e, "header", refusal);
    json_t *header = strict_json_object(e->parts.header, e->parts.header_size);
    print_member(header, "alg");
    print_member(header, "kid");
    print_member(header, "typ");
    json_decref(header);
    int status = refusal == NULL ? explain_signature(e, text) : EX_OK;
    explain_claims(e);
    return status;
}

/* Reads the token without `Bearer ` before it and blanks around it. Returns where it begins. */
static char *read_token(char *buffer, size_t size) {
    size_t length = fread(buffer, 1, size - 1, stdin);
    buffer[length] = '\0';
    while (length > 0 && isspace((unsigned char)buffer[length - 1])) {
        buffer[--length] = '\0';
    }
    char *text = buffer + strspn(buffer, " \t\r\n");
    return strncmp(text, "Bearer ", 7) == 0 ? text + 7 : text;
}

int command_explain_token(const cli_call *call, const char *(*scan_identifier)(const char *text)) {
    explanation *e = calloc(1, sizeof *e);
    char *buffer = malloc(INPUT_MAX);
    int status = EX_CONFIG;
    if (e == NULL || buffer == NULL) {
        status = cli_fail(EX_SOFTWARE, "Memory is out.");
    } else if (call->settings->issuer == NULL) {
        cli_fail(EX_CONFIG, "LR_ISSUER is not set: it must be the exact `iss` of the tokens.");
    } else if (!command_token_rules(call->settings, &e->rules)) {
        cli_fail(EX_CONFIG, "A setting LR_TOKEN_… is not valid; see `learning-reviews check`.");
    } else {
        e->settings = call->settings;
        e->rules.scan_identifier = scan_identifier;
        e->rules.find_organisation = find_organisation;
        e->rules.context = e;
        e->rules.subject_key = (const unsigned char *)"";
        status = explain(e, read_token(buffer, INPUT_MAX));
        puts(e->rejected ? "The register would reject this token."
                         : "The register would accept this token.");
    }
    if (buffer != NULL) {
        explicit_bzero(buffer, INPUT_MAX);
    }
    bool rejected = e != NULL && e->rejected;
    free(buffer);
    free(e);
    return status == EX_OK && rejected ? REJECTED : status;
}
