/* Which claims of a token carry the client, the scopes and the organisation. */
#include "service/auth/token_profile.h"

#include <string.h>

/* The claims that each issuer sends unless it is configured otherwise:
 * - rfc9068: RFC 9068 section 2.2; `azp` is of OpenID Connect Core 1.0 section 2.
 * - keycloak: Keycloak, Server Administration Guide, "Client scopes". Without the scope `basic` a
 *   token has no `sub`.
 * - entra: Microsoft, "Access token claims reference": `appid` in version 1.0, `azp` in 2.0; `scp`
 *   on behalf of a user, `roles` for an application. `iat` is 5 minutes early and the lifetime is
 *   60 to 90 minutes ("Configurable token lifetimes").
 * - auth0: Auth0, "Access token profiles": `azp`, or `client_id` with the profile of RFC 9068;
 *   `permissions` with role-based access control. An API's tokens live for a day.
 * - okta: Okta, "OpenID Connect & OAuth 2.0 API", access token claims. */
static const token_profile profiles[] = {
    {.name = "rfc9068",
     .client_claims = "client_id azp",
     .scope_claims = "scope",
     .organisation_claim = "organisation",
     .subject = "required",
     .max_seconds = 3600},
    {.name = "keycloak",
     .client_claims = "azp client_id",
     .scope_claims = "scope",
     .organisation_claim = "organisation",
     .subject = "optional",
     .max_seconds = 3600},
    {.name = "entra",
     .client_claims = "azp appid",
     .scope_claims = "scp roles",
     .organisation_claim = "organisation",
     .subject = "required",
     .max_seconds = 6000},
    {.name = "auth0",
     .client_claims = "azp client_id",
     .scope_claims = "scope permissions",
     .organisation_claim = "organisation",
     .subject = "required",
     .max_seconds = 86400},
    {.name = "okta",
     .client_claims = "cid",
     .scope_claims = "scp",
     .organisation_claim = "organisation",
     .subject = "required",
     .max_seconds = 3600},
};

const char token_profile_names[] = "rfc9068, keycloak, entra, auth0 or okta";

const token_profile *token_profile_find(const char *name) {
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(profiles[i].name, name) == 0) {
            return &profiles[i];
        }
    }
    return NULL;
}

static bool is_known(const token_names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_name(token_names *names, const char *name, size_t length) {
    if (names->count == TOKEN_NAMES_MAX || length > TOKEN_NAME_MAX) {
        return false;
    }
    char *place = names->names[names->count];
    memcpy(place, name, length);
    place[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)place[i] < ' ' || place[i] == 0x7f) {
            return false;
        }
    }
    if (is_known(names, place)) {
        return false;
    }
    names->count++;
    return true;
}

bool token_names_read(const char *text, token_names *names) {
    *names = (token_names){0};
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        if (!add_name(names, text, length)) {
            return false;
        }
        text += length;
    }
    return names->count > 0;
}
