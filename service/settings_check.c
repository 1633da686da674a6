/* Finds faults in the settings as written. */
#include "service/settings_check.h"

#include "service/auth/token_profile.h"
#include "service/http/connection_limit.h"
#include "service/http/cors.h"
#include "service/listen.h"
#include "service/log.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 900 };

typedef struct findings {
    const config *settings;
    finding_sink report;
    void *context;
} findings;

__attribute__((format(printf, 3, 4))) static void add(const findings *findings, finding_level level,
                                                      const char *format, ...) {
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    findings->report(findings->context, level, text);
}

static void check_needed(const findings *findings) {
    const config *settings = findings->settings;
    if (settings->database == NULL) {
        add(findings, FINDING_FAULT,
            "LR_DATABASE is not set: it must be a libpq connection string for the role "
            "register_service.");
    }
    if (!settings->dev && settings->dev_secret_file != NULL) {
        add(findings, FINDING_FAULT,
            "LR_DEV_SECRET_FILE is \"%.200s\", which is for LR_MODE=dev only; use LR_JWKS_URL or "
            "LR_JWKS_FILE.",
            settings->dev_secret_file);
    }
    if (settings->issuer == NULL) {
        add(findings, FINDING_FAULT,
            "LR_ISSUER is not set: it must be the exact `iss` of the tokens, such as "
            "https://identity.example.org.");
    }
    if (settings->jwks_file == NULL && settings->jwks_url == NULL &&
        settings->dev_secret_file == NULL) {
        add(findings, FINDING_FAULT,
            "There is no key to verify tokens with: set LR_JWKS_URL or LR_JWKS_FILE.");
    }
    if (log_level_parse(settings->log_level) < 0) {
        add(findings, FINDING_FAULT,
            "LR_LOG_LEVEL is \"%.40s\": it must be debug, info, warning or error.",
            settings->log_level);
    }
}

/* An empty connection string means libpq's own variables; an empty list is a list. */
static bool may_be_empty(const char *name) {
    return strstr(name, "_DATABASE") != NULL || strcmp(name, "LR_TRUSTED_PROXIES") == 0 ||
           strcmp(name, "LR_WEBHOOK_NETWORKS") == 0;
}

static bool is_list(const char *name) {
    return strcmp(name, "LR_TRUSTED_PROXIES") == 0 || strcmp(name, "LR_WEBHOOK_NETWORKS") == 0 ||
           strcmp(name, "LR_TOKEN_CLIENT_CLAIMS") == 0 ||
           strcmp(name, "LR_TOKEN_SCOPE_CLAIMS") == 0 || strcmp(name, "LR_WEBHOOK_HOSTS") == 0 ||
           strstr(name, "_DATABASE") != NULL;
}

static void check_blanks(void *context, const char *name, const char *value) {
    const findings *findings = context;
    size_t length = strlen(value);
    if (length == 0 && !may_be_empty(name)) {
        add(findings, FINDING_FAULT, "%s is set and empty. Give it a value, or remove it.", name);
    } else if (length > 0 && !is_list(name) &&
               (isspace((unsigned char)value[0]) || isspace((unsigned char)value[length - 1]))) {
        add(findings, FINDING_FAULT,
            "%s is \"%.200s\", with a blank at its beginning or end. Remove the blank.", name,
            value);
    }
}

/* Plain HTTP reveals tokens and data to everybody on the network path. */
static void check_plain_http(const findings *findings, const struct addrinfo *address) {
    const config *settings = findings->settings;
    if (settings->tls_key_file != NULL || listen_is_loopback(address->ai_addr)) {
        return;
    }
    if (settings->dev) {
        add(findings, FINDING_WARNING,
            "LR_LISTEN is \"%.200s\", which other machines can reach, over plain HTTP and with "
            "development tokens. Use 127.0.0.1 unless the network is yours alone.",
            settings->listen);
    } else if (settings->allow_plain_http) {
        add(findings, FINDING_WARNING,
            "LR_LISTEN is \"%.200s\", which other machines can reach over plain HTTP, as "
            "LR_ALLOW_PLAIN_HTTP=1 allows. Only a proxy that speaks TLS to clients may reach it.",
            settings->listen);
    } else {
        add(findings, FINDING_FAULT,
            "LR_LISTEN is \"%.200s\", which other machines can reach over plain HTTP. Set "
            "LR_TLS_CERTIFICATE_FILE and LR_TLS_KEY_FILE, listen on 127.0.0.1 behind a proxy on "
            "this machine, or set LR_ALLOW_PLAIN_HTTP=1 where only a proxy that speaks TLS to "
            "clients can reach it.",
            settings->listen);
    }
}

static struct addrinfo *check_address(const findings *findings, const char *setting,
                                      const char *text) {
    char reason[TEXT_MAX] = "";
    struct addrinfo *found = listen_resolve(setting, text, false, reason, sizeof reason);
    if (found == NULL) {
        add(findings, FINDING_FAULT, "%s", reason);
    }
    return found;
}

static void check_addresses(const findings *findings) {
    const config *settings = findings->settings;
    struct addrinfo *api = check_address(findings, "LR_LISTEN", settings->listen);
    struct addrinfo *admin = check_address(findings, "LR_ADMIN_LISTEN", settings->admin_listen);
    if (api != NULL && admin != NULL && api->ai_addrlen == admin->ai_addrlen &&
        memcmp(api->ai_addr, admin->ai_addr, api->ai_addrlen) == 0) {
        add(findings, FINDING_FAULT,
            "LR_LISTEN and LR_ADMIN_LISTEN are the same address, \"%.200s\". Give "
            "LR_ADMIN_LISTEN another port.",
            settings->listen);
    }
    if (api != NULL) {
        check_plain_http(findings, api);
        freeaddrinfo(api);
    }
    if (admin != NULL) {
        freeaddrinfo(admin);
    }
}

/* Returns NULL, or the fault as the end of a sentence. */
static const char *url_fault(const char *url) {
    /* No apostrophe: the contract has the address between two. */
    static const char allowed[] = "-._~:/[]@!$&()*+,;=%?#"
                                  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t length = strlen(url);
    if (strncmp(url, "http://", strlen("http://")) != 0 &&
        strncmp(url, "https://", strlen("https://")) != 0) {
        return "does not begin with https:// or http://";
    }
    if (strspn(url, allowed) != length) {
        return "has a character that must not be in an address";
    }
    if (strpbrk(url, "?#@") != NULL) {
        return "has a user, a query or a fragment";
    }
    CURLU *parts = curl_url();
    bool readable = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parts);
    return readable ? NULL : "cannot be read as an address";
}

/* Paths are appended to this address. */
static const char *public_url_fault(const char *url) {
    return url[strlen(url) - 1] == '/' ? "ends with a slash, so that links would have two"
                                       : url_fault(url);
}

static bool url_is_local(const char *url) {
    static const char *const local[] = {"http://127.", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (strncmp(url, local[i], strlen(local[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void check_public_url(const findings *findings) {
    const config *settings = findings->settings;
    listen_address address;
    if (settings->public_url_derived) {
        if (!settings->dev && listen_parse(settings->listen, &address) == NULL &&
            listen_is_everywhere(&address)) {
            add(findings, FINDING_FAULT,
                "LR_PUBLIC_URL is not set, and LR_LISTEN, \"%.200s\", names no host that clients "
                "could call. Set LR_PUBLIC_URL to the address that they use, such as "
                "https://register.example.org.",
                settings->listen);
        }
        return;
    }
    const char *url = settings->public_url;
    const char *fault = *url == '\0' ? NULL : public_url_fault(url); /* empty: check_blanks */
    if (fault != NULL) {
        /* The text before an @ may be a password. */
        add(findings, FINDING_FAULT,
            "LR_PUBLIC_URL is \"%.200s\", which %s. Write it like https://register.example.org.",
            strchr(url, '@') == NULL ? url : "(not shown)", fault);
    } else if (!settings->dev && strncmp(url, "http://", strlen("http://")) == 0 &&
               !url_is_local(url)) {
        add(findings, FINDING_WARNING,
            "LR_PUBLIC_URL is \"%.200s\": links would lead clients to send their tokens over "
            "plain HTTP. Write https.",
            url);
    }
}

/* Settings that only browsers and readers of the contract see. */
static void check_pages(const findings *findings) {
    const char *url = findings->settings->token_url;
    const char *fault = url == NULL || *url == '\0' ? NULL : url_fault(url);
    if (fault != NULL) {
        add(findings, FINDING_FAULT,
            "LR_TOKEN_URL is \"%.200s\", which %s. Write it like "
            "https://identity.example.org/token.",
            strchr(url, '@') == NULL ? url : "(not shown)", fault);
    }
    const char *origins = findings->settings->cors_origins;
    fault = origins == NULL ? NULL : cors_origins_fault(origins);
    if (fault != NULL) {
        add(findings, FINDING_FAULT,
            "LR_CORS_ORIGINS is \"%.200s\", which %s. Write origins as browsers send them, such as "
            "https://dashboard.example.org, with one space between two.",
            origins, fault);
    }
}

static void check_names(const findings *findings, const char *setting, const char *text,
                        size_t max) {
    token_names names;
    if (*text != '\0' && (!token_names_read(text, &names) || names.count > max)) {
        add(findings, FINDING_FAULT, "%s is \"%.200s\": it must be %s of at most %d bytes%s.",
            setting, text, max == 1 ? "the name of a claim" : "names of claims", TOKEN_NAME_MAX,
            max == 1 ? "" : ", 8 at most and none twice, with one space between two");
    }
}

static void check_token_claims(const findings *findings) {
    const config *settings = findings->settings;
    const char *prefix = settings->token_scope_prefix;
    check_names(findings, "LR_TOKEN_CLIENT_CLAIMS", settings->token_client_claims, TOKEN_NAMES_MAX);
    check_names(findings, "LR_TOKEN_SCOPE_CLAIMS", settings->token_scope_claims, TOKEN_NAMES_MAX);
    check_names(findings, "LR_TOKEN_ORGANISATION_CLAIM", settings->token_organisation_claim, 1);
    if (prefix != NULL && strpbrk(prefix, " \"\\") != NULL) {
        add(findings, FINDING_FAULT,
            "LR_TOKEN_SCOPE_PREFIX is \"%.200s\": no scope can begin with it, because a scope has "
            "no "
            "blank, quotation mark or backslash.",
            prefix);
    }
    if (strcmp(settings->token_subject, "required") != 0 &&
        strcmp(settings->token_subject, "optional") != 0) {
        add(findings, FINDING_FAULT,
            "LR_TOKEN_SUBJECT is \"%.40s\": it must be required or optional.",
            settings->token_subject);
    }
}

static void check_proxies(const findings *findings) {
    char reason[TEXT_MAX] = "";
    connection_limit *read =
        connection_limit_new(1, 1, findings->settings->trusted_proxies, reason, sizeof reason);
    if (read == NULL) {
        add(findings, FINDING_FAULT, "%s It is \"%.200s\".", reason,
            findings->settings->trusted_proxies);
    }
    connection_limit_free(read);
}

void settings_check(const config *settings, finding_sink report, void *context) {
    findings findings = {.settings = settings, .report = report, .context = context};
    check_needed(&findings);
    config_each_text(settings, check_blanks, &findings);
    check_addresses(&findings);
    check_public_url(&findings);
    check_pages(&findings);
    check_proxies(&findings);
    check_token_claims(&findings);
}
