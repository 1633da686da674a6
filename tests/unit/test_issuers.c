/* Tokens in the shapes that issuers document, each with the issuer's profile, and hostile ones
 * against the rules that a profile widens. */
#include "service/auth/keys.h"
#include "service/auth/token.h"
#include "service/auth/token_claims.h"
#include "service/contract/contract.h"
#include "service/log.h"
#include "tests/unit/auth_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMES(life) "\"iat\":1799999900,\"nbf\":1799999900,\"exp\":" life
#define HOUR TIMES("1800003500")
#define PLAIN "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}"
#define UNTYPED "{\"kid\":\"rsa\",\"alg\":\"RS256\"}"
#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define APP "6731de76-14a6-49ae-97bc-6eba6914391e"
#define OBJECT "b9dd3dcb-1c2c-4b0f-8a4a-3b5c3f9e0f11"
#define OURS "\"organisation\":\"CPC-GLA\","

typedef struct shape {
    const char *name, *profile, *issuer, *audience, *header, *claims;
    const char *client_claims, *scope_claims, *organisation_claim,
        *prefix;         /* NULL: the profile's */
    const char *refusal; /* NULL: accepted */
    const char *client, *scopes;
    const char *organisation; /* NULL: CPC-GLA */
} shape;

/* RFC 9068, section 2.2 and figure 2; a client without a user has its own identifier as sub. */
#define RFC_ISSUER "https://authorization-server.example.com/"
/* Keycloak, Server Administration Guide: "Service accounts" and "Client scopes"; the members are
 * those of org.keycloak.representations.AccessToken. */
#define KEYCLOAK "https://identity.example.org/realms/agencies"
#define KEYCLOAK_CLAIMS                                                                            \
    "\"jti\":\"trrtcc:5a3c1d0e-6f7a-4b1c-9d1e-2f3a4b5c6d7e\",\"iss\":\"" KEYCLOAK                  \
    "\",\"aud\":[\"learning-reviews\",\"account\"],\"typ\":\"Bearer\",\"azp\":\"casework\","       \
    "\"acr\":\"1\",\"allowed-origins\":[\"/*\"],\"realm_access\":{\"roles\":[\"offline_access\","  \
    "\"uma_authorization\"]},\"resource_access\":{\"account\":{\"roles\":[\"view-profile\"]}},"
/* Microsoft, "Access token claims reference" (learn.microsoft.com/entra/identity-platform). */
#define ENTRA_1 "https://sts.windows.net/" TENANT "/"
#define ENTRA_2 "https://login.microsoftonline.com/" TENANT "/v2.0"
#define ENTRA_1_CLAIMS                                                                             \
    "\"aud\":\"api://" APP "\",\"iss\":\"" ENTRA_1 "\",\"aio\":\"E2ZgYDh\",\"appid\":\"" APP       \
    "\",\"appidacr\":\"1\",\"idp\":\"" ENTRA_1 "\",\"oid\":\"" OBJECT "\",\"rh\":\"0.AXEA\","      \
    "\"tid\":\"" TENANT "\",\"uti\":\"fqiBqXLPj0eQa82S-IYFAA\",\"ver\":\"1.0\","
#define ENTRA_2_CLAIMS                                                                             \
    "\"aud\":\"" APP "\",\"iss\":\"" ENTRA_2 "\",\"aio\":\"E2ZgYDh\",\"azp\":\"" APP               \
    "\",\"azpacr\":\"1\",\"oid\":\"" OBJECT "\",\"rh\":\"0.AXEA\",\"tid\":\"" TENANT               \
    "\",\"uti\":\"fqiBqXLPj0eQa82S-IYFAA\",\"ver\":\"2.0\","
/* Auth0, "Access token profiles" (auth0.com/docs/secure/tokens/access-tokens). */
#define AUTH0 "https://tenant.eu.auth0.com/"
#define AUTH0_CLIENT "awZfdIir8YFdGZWkvCejDoUb7SjTDicx"
#define AUTH0_API "https://register.example.org"
/* Okta, "OpenID Connect & OAuth 2.0 API", access token payload (developer.okta.com). */
#define OKTA "https://agencies.okta.com/oauth2/default"
#define OKTA_CLIENT "0oabskvc6442nkvQO0h7"
#define OKTA_CLAIMS                                                                                \
    "\"ver\":1,\"jti\":\"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE\",\"iss\":\"" OKTA         \
    "\",\"aud\":\"api://default\",\"cid\":\"" OKTA_CLIENT "\","

#define FOR_RFC .profile = "rfc9068", .issuer = RFC_ISSUER, .audience = "learning-reviews"
#define FOR_KEYCLOAK .profile = "keycloak", .issuer = KEYCLOAK, .audience = "learning-reviews"
#define FOR_ENTRA_1 .profile = "entra", .issuer = ENTRA_1, .audience = "api://" APP, .client = APP
#define FOR_ENTRA_2 .profile = "entra", .issuer = ENTRA_2, .audience = APP, .client = APP
#define FOR_AUTH0 .profile = "auth0", .issuer = AUTH0, .audience = AUTH0_API, .client = AUTH0_CLIENT
#define FOR_OKTA .profile = "okta", .issuer = OKTA, .audience = "api://default"

static const shape shapes[] = {
    {.name = "RFC 9068, client",
     FOR_RFC,
     .client = "s6BhdRkqt3",
     .scopes = " cases.read ",
     .header = "{\"typ\":\"at+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
     .claims =
         "{" OURS "\"iss\":\"" RFC_ISSUER "\",\"aud\":\"learning-reviews\",\"sub\":"
         "\"s6BhdRkqt3\",\"client_id\":\"s6BhdRkqt3\",\"jti\":\"dbe39bf3a3ba4238a513f51d6e1691"
         "c4\",\"scope\":\"cases.read\"," HOUR "}"},
    {.name = "RFC 9068, user",
     FOR_RFC,
     .client = "s6BhdRkqt3",
     .scopes = " cases.read ",
     .header = "{\"typ\":\"at+jwt\",\"alg\":\"RS256\",\"kid\":\"rsa\"}",
     .claims = "{" OURS "\"iss\":\"" RFC_ISSUER "\",\"aud\":\"learning-reviews\",\"sub\":"
               "\"5ba552d67\",\"client_id\":\"s6BhdRkqt3\",\"scope\":\"openid profile cases.read\","
               "\"auth_time\":1799999900,\"roles\":[\"audit.read\"]," HOUR "}"},
    {.name = "Keycloak, service account",
     FOR_KEYCLOAK,
     .client = "casework",
     .scopes = " referrals.write referrals.read ",
     .claims = "{" OURS KEYCLOAK_CLAIMS "\"sub\":\"" OBJECT "\",\"scope\":\"email referrals.write "
               "profile referrals.read\",\"clientHost\":\"10.0.0.1\",\"email_verified\":false,"
               "\"preferred_username\":\"service-account-casework\",\"clientAddress\":\"10.0.0.1\","
               "\"client_id\":\"casework\",\"iat\":1799999900,\"exp\":1800000200}"},
    {.name = "Keycloak, service account without the scope basic",
     FOR_KEYCLOAK,
     .client = "casework",
     .scopes = " referrals.read ",
     .claims = "{" OURS KEYCLOAK_CLAIMS "\"scope\":\"referrals.read\",\"client_id\":\"casework\","
               "\"iat\":1799999900,\"exp\":1800000200}"},
    {.name = "Keycloak, user",
     FOR_KEYCLOAK,
     .client = "casework",
     .scopes = " cases.read ",
     .claims =
         "{" OURS KEYCLOAK_CLAIMS "\"sub\":\"" OBJECT "\",\"auth_time\":1799999890,\"sid\":"
         "\"7c1d3c1f-7f0c-4c0a-8a64-9c1f0a1b2c3d\",\"scope\":\"openid cases.read\",\"name\":\"A\","
         "\"preferred_username\":\"a\",\"iat\":1799999900,\"exp\":1800000200}"},
    {.name = "Keycloak, identity token of the register's own client",
     FOR_KEYCLOAK,
     .refusal = "type",
     .claims =
         "{" OURS "\"iss\":\"" KEYCLOAK "\",\"aud\":\"learning-reviews\",\"typ\":\"ID\","
         "\"azp\":\"learning-reviews\",\"sub\":\"" OBJECT "\",\"scope\":\"cases.read\"," HOUR "}"},
    {.name = "Keycloak, azp and client_id differ",
     FOR_KEYCLOAK,
     .refusal = "client",
     .claims = "{" OURS KEYCLOAK_CLAIMS "\"sub\":\"s\",\"scope\":\"cases.read\",\"client_id\":"
               "\"other\"," HOUR "}"},
    {.name = "Keycloak, sub null",
     FOR_KEYCLOAK,
     .refusal = "subject",
     .claims = "{" OURS KEYCLOAK_CLAIMS
               "\"sub\":null,\"scope\":\"cases.read\",\"client_id\":\"casework\"," HOUR "}"},
    {.name = "Entra 1.0, application",
     FOR_ENTRA_1,
     .scopes = " cases.read ",
     .header = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"rsa\",\"kid\":\"rsa\"}",
     .claims = "{" OURS ENTRA_1_CLAIMS "\"roles\":[\"cases.read\",\"Reader.All\"],\"sub\":\"" OBJECT
               "\"," TIMES("1800003800") "}"},
    {.name = "Entra 1.0, user",
     FOR_ENTRA_1,
     .scopes = " cases.read ",
     .header = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"rsa\",\"kid\":\"rsa\"}",
     .claims =
         "{" OURS ENTRA_1_CLAIMS "\"acr\":\"1\",\"amr\":[\"pwd\"],\"ipaddr\":\"192.0.2.1\","
         "\"name\":\"A\",\"scp\":\"User.Read cases.read\",\"sub\":\"AAAAAJN\",\"unique_name\":"
         "\"a@example.org\",\"upn\":\"a@example.org\"," TIMES("1800004700") "}"},
    {.name = "Entra 2.0, application",
     FOR_ENTRA_2,
     .scopes = " cases.read cases.write ",
     .claims =
         "{" OURS ENTRA_2_CLAIMS "\"roles\":[\"cases.read\",\"cases.write\"],\"sub\":\"" OBJECT
         "\"," TIMES("1800005600") "}"},
    {.name = "Entra 2.0, user: the roles of the user do not count",
     FOR_ENTRA_2,
     .scopes = " cases.read ",
     .claims = "{" OURS ENTRA_2_CLAIMS "\"name\":\"A\",\"preferred_username\":\"a@example.org\","
               "\"scp\":\"cases.read\",\"roles\":[\"cases.write\"],\"sub\":\"AAAAAJN\"," HOUR "}"},
    {.name = "Entra 2.0, application without a role",
     FOR_ENTRA_2,
     .refusal = "scope",
     .claims = "{" OURS ENTRA_2_CLAIMS "\"sub\":\"" OBJECT "\"," HOUR "}"},
    {.name = "Entra, a lifetime of a day",
     FOR_ENTRA_2,
     .refusal = "lifetime",
     .claims = "{" OURS ENTRA_2_CLAIMS
               "\"roles\":[\"cases.read\"],\"sub\":\"s\"," TIMES("1800086300") "}"},
    {.name = "Entra, another tenant",
     FOR_ENTRA_2,
     .refusal = "issuer",
     .claims = "{" OURS "\"aud\":\"" APP "\",\"iss\":\"https://login.microsoftonline.com/" APP
               "/v2.0\",\"azp\":\"" APP "\",\"roles\":[\"cases.read\"],\"sub\":\"s\"," HOUR "}"},
    {.name = "Entra, appid and azp differ",
     FOR_ENTRA_2,
     .refusal = "client",
     .claims =
         "{" OURS ENTRA_2_CLAIMS "\"appid\":\"" OBJECT "\",\"roles\":[\"cases.read\"],\"sub\":"
         "\"s\"," HOUR "}"},
    {.name = "Entra, scp empty and roles full",
     FOR_ENTRA_2,
     .scopes = " ",
     .claims =
         "{" OURS ENTRA_2_CLAIMS "\"scp\":\"\",\"roles\":[\"cases.read\"],\"sub\":\"s\"," HOUR "}"},
    {.name = "Entra, scp of a wrong type and roles full",
     FOR_ENTRA_2,
     .refusal = "scope",
     .claims =
         "{" OURS ENTRA_2_CLAIMS "\"scp\":null,\"roles\":[\"cases.read\"],\"sub\":\"s\"," HOUR "}"},
    {.name = "Entra, application: roles with a number",
     FOR_ENTRA_2,
     .refusal = "scope",
     .claims = "{" OURS ENTRA_2_CLAIMS "\"roles\":[\"cases.read\",7],\"sub\":\"s\"," HOUR "}"},
    {.name = "Auth0, client",
     FOR_AUTH0,
     .scopes = " cases.read ",
     .claims =
         "{" OURS "\"iss\":\"" AUTH0 "\",\"sub\":\"" AUTH0_CLIENT "@clients\",\"aud\":\"" AUTH0_API
         "\",\"azp\":\"" AUTH0_CLIENT "\",\"gty\":\"client-credentials\",\"scope\":"
         "\"cases.read\",\"permissions\":[\"cases.read\"],\"iat\":1799999900,\"exp\":"
         "1800086300}"},
    {.name = "Auth0, user, RFC 9068 profile",
     FOR_AUTH0,
     .scopes = " cases.read ",
     .header = "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"rsa\"}",
     .claims = "{" OURS "\"iss\":\"" AUTH0 "\",\"sub\":\"auth0|123456\",\"aud\":[\"" AUTH0_API
               "\",\"" AUTH0 "userinfo\"],\"client_id\":\"" AUTH0_CLIENT "\",\"jti\":"
               "\"73WakrfVbNJBaAmhQtEeDv\",\"scope\":\"openid profile cases.read\"," HOUR "}"},
    {.name = "Auth0, permissions only",
     FOR_AUTH0,
     .scopes = " cases.read ",
     .claims = "{" OURS "\"iss\":\"" AUTH0 "\",\"sub\":\"auth0|1\",\"aud\":\"" AUTH0_API
               "\",\"azp\":\"" AUTH0_CLIENT
               "\",\"permissions\":[\"read:patients\",\"cases.read\"]," HOUR "}"},
    {.name = "Auth0, the organisation in a namespace",
     FOR_AUTH0,
     .scopes = " cases.read ",
     .organisation_claim = "https://register.example.org/organisation",
     .organisation = "CPC-EDH",
     .claims = "{" OURS "\"https://register.example.org/organisation\":\"CPC-EDH\",\"iss\":\"" AUTH0
               "\",\"sub\":\"auth0|1\",\"aud\":\"" AUTH0_API "\",\"azp\":\"" AUTH0_CLIENT
               "\",\"scope\":\"cases.read\"," HOUR "}"},
    {.name = "Okta, client",
     FOR_OKTA,
     .client = OKTA_CLIENT,
     .scopes = " cases.read cases.write ",
     .header = UNTYPED,
     .claims =
         "{" OURS OKTA_CLAIMS "\"scp\":[\"cases.read\",\"cases.write\"],\"sub\":\"" OKTA_CLIENT
         "\",\"iat\":1799999900,\"exp\":1800003500}"},
    {.name = "Okta, user",
     FOR_OKTA,
     .client = OKTA_CLIENT,
     .scopes = " cases.read ",
     .header = UNTYPED,
     .claims =
         "{" OURS OKTA_CLAIMS "\"uid\":\"00ujmkLgagxeRrAg20g3\",\"auth_time\":1799999800,"
         "\"scp\":[\"openid\",\"cases.read\",\"profile\"],\"sub\":\"a@example.org\"," HOUR "}"},
    {.name = "Okta, scp as one text in an array",
     FOR_OKTA,
     .refusal = "scope",
     .claims = "{" OURS OKTA_CLAIMS "\"scp\":[\"cases.read cases.write\"],\"sub\":\"s\"," HOUR "}"},
    {.name = "Okta, cid an e-mail address",
     FOR_OKTA,
     .refusal = "client",
     .claims = "{" OURS "\"iss\":\"" OKTA "\",\"aud\":\"api://default\",\"cid\":\"a@example.org\","
               "\"scp\":[],\"sub\":\"s\"," HOUR "}"},
    {.name = "Okta, the organisation in an array",
     FOR_OKTA,
     .refusal = "organisation",
     .claims = "{\"organisation\":[\"CPC-GLA\"]," OKTA_CLAIMS "\"scp\":[],\"sub\":\"s\"," HOUR "}"},
    {.name = "a prefix",
     FOR_OKTA,
     .client = OKTA_CLIENT,
     .scopes = " cases.read ",
     .prefix = "lr/",
     .claims = "{" OURS OKTA_CLAIMS "\"scp\":[\"lr/cases.read\",\"cases.write\",\"lr/\",\"lr/lr/"
               "cases.write\",\"LR/cases.write\",\"l\",\"lr/x\"],\"sub\":\"s\"," HOUR "}"},
    {.name = "nothing but the prefix",
     FOR_OKTA,
     .client = OKTA_CLIENT,
     .scopes = " ",
     .prefix = "lr/",
     .claims = "{" OURS OKTA_CLAIMS "\"scp\":[\"lr/\"],\"sub\":\"s\"," HOUR "}"},
};

static fixture *made;
static keys *known;

static void begin(void) {
    char reason[256] = "";
    log_set_level(LOG_ERROR);
    made = fixture_begin();
    char *jwks[] = {fixture_jwk(made->rsa, "rsa", ",\"alg\":\"RS256\",\"use\":\"sig\"")};
    char *set = fixture_set(1, jwks);
    fixture_write(made, "jwks.json", set);
    char *path = fixture_path(made, "jwks.json");
    known = keys_new(&(keys_source){.jwks_file = path}, reason, sizeof reason);
    cr_assert_not_null(known, "%s", reason);
    free(path);
    free(set);
    free(jwks[0]);
}

static void end(void) {
    keys_free(known);
    fixture_end(made);
}

TestSuite(issuers, .init = begin, .fini = end, .timeout = 120);

static const char *or_else(const char *text, const char *other) {
    return text == NULL ? other : text;
}

static token_rules rules_of(const shape *row) {
    const token_profile *usual = token_profile_find(row->profile);
    cr_assert_not_null(usual);
    token_profile profile = *usual;
    profile.client_claims = or_else(row->client_claims, usual->client_claims);
    profile.scope_claims = or_else(row->scope_claims, usual->scope_claims);
    profile.organisation_claim = or_else(row->organisation_claim, usual->organisation_claim);
    token_rules rules = fixture_rules_of(row->profile);
    cr_assert(token_rules_map(&rules, &profile));
    rules.issuer = row->issuer;
    rules.audience = row->audience;
    rules.scope_prefix = row->prefix;
    return rules;
}

static const char *verify(const shape *row, principal *principal) {
    token_rules rules = rules_of(row);
    token_verifier *verifier = token_verifier_new(known, &rules);
    char *text = fixture_token(made, or_else(row->header, PLAIN), row->claims, BY_RSA);
    const char *refusal = token_verify(verifier, text, FIXTURE_NOW, principal);
    free(text);
    token_verifier_free(verifier);
    return refusal;
}

Test(issuers, given_a_documented_token_when_verified_then_the_profile_reads_it) {
    for (size_t at = 0; at < sizeof shapes / sizeof *shapes; at++) {
        const shape *row = &shapes[at];
        principal principal;
        const char *refusal = verify(row, &principal);
        cr_expect_str_eq(or_else(refusal, "accepted"), or_else(row->refusal, "accepted"), "%s: %s",
                         row->name, or_else(refusal, "accepted"));
        if (refusal == NULL && row->refusal == NULL) {
            cr_expect_str_eq(principal.client, row->client, "%s", row->name);
            cr_expect_str_eq(principal.scopes, row->scopes, "%s: %s", row->name, principal.scopes);
            cr_expect_str_eq(principal.organisation, or_else(row->organisation, "CPC-GLA"), "%s",
                             row->name);
        }
    }
}

Test(issuers,
     given_a_token_of_another_issuer_when_verified_then_no_other_profile_widens_the_default) {
    for (size_t at = 0; at < sizeof shapes / sizeof *shapes; at++) {
        shape row = shapes[at];
        principal principal;
        if (strcmp(row.profile, "entra") == 0 || strcmp(row.profile, "okta") == 0) {
            row.profile = "rfc9068";
            cr_expect_not_null(verify(&row, &principal), "%s", row.name);
        }
    }
}

Test(issuers, given_no_sub_when_the_profile_allows_it_then_the_client_is_the_subject) {
    principal without, with;
    shape row = {.profile = "keycloak",
                 .issuer = "i",
                 .audience = "a",
                 .claims =
                     "{" OURS "\"iss\":\"i\",\"aud\":\"a\",\"azp\":\"c\",\"scope\":\"\"," HOUR "}"};
    cr_expect_null(verify(&row, &without));
    row.claims =
        "{" OURS "\"iss\":\"i\",\"aud\":\"a\",\"azp\":\"c\",\"sub\":\"c\",\"scope\":\"\"," HOUR "}";
    cr_expect_null(verify(&row, &with));
    cr_expect_str_eq(without.subject, with.subject);
    row.profile = "auth0";
    row.claims = "{" OURS "\"iss\":\"i\",\"aud\":\"a\",\"azp\":\"c\",\"scope\":\"\"," HOUR "}";
    cr_expect_str_eq(verify(&row, &with), "subject");
}

Test(issuers, given_a_token_with_several_faults_when_examined_then_each_topic_has_its_own) {
    static const char claims[] =
        "{\"iss\":\"other\",\"aud\":\"a\",\"azp\":\"a b\",\"scope\":\"cases.read\","
        "\"typ\":\"ID\"," HOUR "}";
    const char *refusals[TOKEN_TOPICS];
    principal taken;
    shape row = {.profile = "rfc9068", .issuer = "i", .audience = "a"};
    token_rules rules = rules_of(&row);
    json_t *root = json_loads(claims, 0, NULL);
    token_examine_claims(root, &rules, FIXTURE_NOW, &taken, refusals);
    static const char *const expected[TOKEN_TOPICS] = {
        [TOPIC_KIND] = "type",       [TOPIC_ISSUER] = "issuer",
        [TOPIC_CLIENT] = "client",   [TOPIC_ORGANISATION] = "organisation",
        [TOPIC_SUBJECT] = "subject",
    };
    for (int topic = 0; topic < TOKEN_TOPICS; topic++) {
        cr_expect_str_eq(or_else(refusals[topic], ""), or_else(expected[topic], ""), "%d", topic);
    }
    cr_expect_str_eq(taken.scopes, " cases.read ");
    json_decref(root);
}

/* ---- the register's mapping of clients ---- */

typedef struct directory {
    const char *organisation; /* of every client; NULL: cannot be asked */
    int asked;
} directory;

static bool ask_directory(void *context, const char *client,
                          char organisation[ORGANISATION_MAX + 1]) {
    directory *of = context;
    of->asked++;
    cr_expect_str_eq(client, OKTA_CLIENT);
    if (of->organisation != NULL) {
        strcpy(organisation, of->organisation);
    }
    return of->organisation != NULL;
}

static token_verifier *verifier_with(directory *of) {
    shape row = {FOR_OKTA};
    token_rules rules = rules_of(&row);
    rules.find_organisation = ask_directory;
    rules.context = of;
    token_verifier *verifier = token_verifier_new(known, &rules);
    cr_assert_not_null(verifier);
    return verifier;
}

static char *okta_token(const char *organisation) {
    char claims[1024];
    snprintf(claims, sizeof claims,
             "{%s" OKTA_CLAIMS "\"scp\":[\"cases.read\"],\"sub\":\"s\"," HOUR "}", organisation);
    return fixture_token(made, PLAIN, claims, BY_RSA);
}

Test(issuers, given_no_organisation_when_the_client_is_mapped_then_it_is_remembered_for_a_minute) {
    directory of = {.organisation = "CPC-EDH"};
    token_verifier *verifier = verifier_with(&of);
    principal principal;
    char *text = okta_token("");
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW, &principal));
    cr_expect_str_eq(principal.organisation, "CPC-EDH");
    of.organisation = "CPC-GLA";
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW + 59, &principal));
    cr_expect_str_eq(principal.organisation, "CPC-EDH");
    cr_expect_eq(of.asked, 1);
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW + 60, &principal));
    cr_expect_str_eq(principal.organisation, "CPC-GLA");
    of.organisation = "";
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW + 120, &principal));
    cr_expect_str_eq(principal.organisation, "");
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW + 121, &principal));
    cr_expect_eq(of.asked, 3);
    free(text);
    token_verifier_free(verifier);
}

Test(issuers,
     given_an_organisation_when_the_register_maps_the_client_to_another_then_it_is_refused) {
    directory of = {.organisation = "CPC-EDH"};
    token_verifier *verifier = verifier_with(&of);
    principal principal;
    char *text = okta_token(OURS);
    for (int again = 0; again < 2; again++) {
        cr_expect_str_eq(or_else(token_verify(verifier, text, FIXTURE_NOW, &principal), ""),
                         "organisation_differs");
        cr_expect_str_eq(principal.organisation, "");
    }
    cr_expect_eq(of.asked, 1);
    for (int mapped = 0; mapped < 2; mapped++) {
        of.organisation = mapped == 0 ? "" : "CPC-GLA";
        cr_expect_null(token_verify(verifier, text, FIXTURE_NOW + 60 * (1 + mapped), &principal));
        cr_expect_str_eq(principal.organisation, "CPC-GLA");
    }
    free(text);
    token_verifier_free(verifier);
}

Test(issuers,
     given_a_register_that_cannot_be_asked_when_verified_then_nothing_is_said_of_the_token) {
    directory of = {0};
    token_verifier *verifier = verifier_with(&of);
    principal principal;
    char *text = okta_token("");
    cr_expect_str_eq(or_else(token_verify(verifier, text, FIXTURE_NOW, &principal), ""),
                     "directory");
    of.organisation = "CPC-EDH";
    cr_expect_null(token_verify(verifier, text, FIXTURE_NOW, &principal), "it was not remembered");
    free(text);
    token_verifier_free(verifier);
}

Test(issuers, given_an_organisation_that_is_none_when_the_client_is_mapped_then_it_is_refused) {
    static const char *const bad[] = {"\"organisation\":null,", "\"organisation\":\"\",",
                                      "\"organisation\":[\"CPC-EDH\"],",
                                      "\"organisation\":\"cpc-edh\","};
    directory of = {.organisation = "CPC-EDH"};
    token_verifier *verifier = verifier_with(&of);
    for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
        principal principal;
        char *text = okta_token(bad[at]);
        cr_expect_str_eq(or_else(token_verify(verifier, text, FIXTURE_NOW, &principal), ""),
                         "organisation", "%s", bad[at]);
        free(text);
    }
    cr_expect_eq(of.asked, 0);
    token_verifier_free(verifier);
}

/* ---- names of claims ---- */

Test(issuers, given_names_of_claims_when_read_then_only_proper_lists_are_accepted) {
    static const struct {
        const char *text;
        size_t count; /* 0: refused */
    } rows[] = {{"client_id azp", 2},
                {"  client_id   azp ", 2},
                {"https://register.example.org/client", 1},
                {"a b c d e f g h", 8},
                {"a b c d e f g h i", 0},
                {"", 0},
                {"   ", 0},
                {"a a", 0},
                {"a\tb", 0},
                {"a\nb", 0},
                {"a\x7f", 0}};
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        token_names names;
        bool good = token_names_read(rows[at].text, &names);
        cr_expect_eq(good, rows[at].count > 0, "%s", rows[at].text);
        cr_expect(!good || names.count == rows[at].count, "%s", rows[at].text);
    }
    char text[TOKEN_NAME_MAX + 2] = "";
    token_names names;
    memset(text, 'a', TOKEN_NAME_MAX);
    cr_expect(token_names_read(text, &names));
    text[TOKEN_NAME_MAX] = 'a';
    cr_expect_not(token_names_read(text, &names));
}

Test(issuers, given_every_profile_when_its_lists_are_read_then_they_are_proper) {
    char names[sizeof "rfc9068, keycloak, entra, auth0 or okta"];
    size_t count = 0;
    char *rest = NULL;
    strcpy(names, token_profile_names);
    for (char *name = strtok_r(names, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        if (strcmp(name, "or") != 0) {
            fixture_rules_of(name);
            count++;
        }
    }
    cr_expect_eq(count, 5);
    cr_expect_null(token_profile_find("Keycloak"));
    cr_expect_null(token_profile_find(""));
}
