/* The configuration: environment variables override a file, which overrides defaults; checked once
 * at the start. */
#include "service/config.h"

#include "service/auth/token_profile.h"
#include "service/listen.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef enum setting_kind { TEXT, NUMBER } setting_kind;

typedef struct setting {
    const char *name;
    setting_kind kind;
    size_t offset;
    const char *fallback; /* NULL: none */
    int least, max;       /* of a NUMBER */
} setting;

#define AT(member) offsetof(config, member)

/* One row for each setting; the tables of deploy/README.md list the same ones. */
static const setting settings_known[] = {
    {"LR_LISTEN", TEXT, AT(listen), "127.0.0.1:8080", 0, 0},
    {"LR_ADMIN_LISTEN", TEXT, AT(admin_listen), "127.0.0.1:8081", 0, 0},
    {"LR_PUBLIC_URL", TEXT, AT(public_url), NULL, 0, 0},
    {"LR_CORS_ORIGINS", TEXT, AT(cors_origins), NULL, 0, 0},
    {"LR_DATABASE", TEXT, AT(database), NULL, 0, 0},
    {"LR_MIGRATION_DATABASE", TEXT, AT(migration_database), NULL, 0, 0},
    {"LR_READ_DATABASE", TEXT, AT(read_database), NULL, 0, 0},
    {"LR_JWKS_FILE", TEXT, AT(jwks_file), NULL, 0, 0},
    {"LR_JWKS_URL", TEXT, AT(jwks_url), NULL, 0, 0},
    {"LR_JWKS_CA_FILE", TEXT, AT(jwks_ca_file), NULL, 0, 0},
    {"LR_JWKS_ACCEPT_SECONDS", NUMBER, AT(jwks_accept_seconds), "86400", 3600, 2592000},
    {"LR_DEV_SECRET_FILE", TEXT, AT(dev_secret_file), NULL, 0, 0},
    {"LR_ISSUER", TEXT, AT(issuer), NULL, 0, 0},
    {"LR_AUDIENCE", TEXT, AT(audience), "learning-reviews", 0, 0},
    {"LR_TOKEN_URL", TEXT, AT(token_url), NULL, 0, 0},
    {"LR_TOKEN_PROFILE", TEXT, AT(token_profile), "rfc9068", 0, 0},
    {"LR_TOKEN_CLIENT_CLAIMS", TEXT, AT(token_client_claims), NULL, 0, 0},
    {"LR_TOKEN_SCOPE_CLAIMS", TEXT, AT(token_scope_claims), NULL, 0, 0},
    {"LR_TOKEN_SCOPE_PREFIX", TEXT, AT(token_scope_prefix), NULL, 0, 0},
    {"LR_TOKEN_ORGANISATION_CLAIM", TEXT, AT(token_organisation_claim), NULL, 0, 0},
    {"LR_TOKEN_SUBJECT", TEXT, AT(token_subject), NULL, 0, 0},
    {"LR_TOKEN_MAX_SECONDS", NUMBER, AT(token_max_seconds), NULL, 60, 86400},
    {"LR_PSEUDONYM_KEY_FILE", TEXT, AT(pseudonym_key_file), NULL, 0, 0},
    {"LR_TLS_CERTIFICATE_FILE", TEXT, AT(tls_certificate_file), NULL, 0, 0},
    {"LR_TLS_KEY_FILE", TEXT, AT(tls_key_file), NULL, 0, 0},
    {"LR_ALLOW_PLAIN_HTTP", NUMBER, AT(allow_plain_http), "0", 0, 1},
    {"LR_ALLOW_UNVERIFIED_DATABASE", NUMBER, AT(allow_unverified_database), "0", 0, 1},
    {"LR_WORKERS", NUMBER, AT(workers), "32", 1, 1024},
    {"LR_CONNECTIONS", NUMBER, AT(connections), "12", 1, 256},
    {"LR_PUSH_CONNECTIONS", NUMBER, AT(push_connections), "2", 1, 16},
    {"LR_CONNECTION_LIMIT", NUMBER, AT(connections_max), "2048", 16, 60000},
    {"LR_ADDRESS_CONNECTION_LIMIT", NUMBER, AT(address_connections_max), "512", 1, 60000},
    {"LR_TRUSTED_PROXIES", TEXT, AT(trusted_proxies), "127.0.0.1 ::1", 0, 0},
    {"LR_BODY_MEMORY_MIB", NUMBER, AT(body_memory_mib), "96", 16, 1048576},
    {"LR_WAITING_LIMIT", NUMBER, AT(waiting_max), "1024", 0, 60000},
    {"LR_FEED_DAYS", NUMBER, AT(feed_days), "90", 7, 3650},
    {"LR_WEBHOOK_KEY_FILE", TEXT, AT(webhook_key_file), NULL, 0, 0},
    {"LR_WEBHOOK_HOSTS", TEXT, AT(webhook_hosts), NULL, 0, 0},
    {"LR_WEBHOOK_NETWORKS", TEXT, AT(webhook_networks), NULL, 0, 0},
    {"LR_WEBHOOK_CA_FILE", TEXT, AT(webhook_ca_file), NULL, 0, 0},
    {"LR_WEBHOOK_CONFIRM_DAYS", NUMBER, AT(webhook_confirm_days), "90", 1, 3650},
    {"LR_WEBHOOK_RETRY_SECONDS", NUMBER, AT(webhook_retry_seconds), "10", 1, 3600},
    {"LR_AUDIT_ANCHOR_FILE", TEXT, AT(audit_anchor_file), NULL, 0, 0},
    {"LR_AUDIT_ANCHOR_SECONDS", NUMBER, AT(audit_anchor_seconds), "60", 1, 3600},
    {"LR_AUDIT_DURABLE", NUMBER, AT(audit_durable), "1", 0, 1},
    {"LR_HEADER_SECONDS", NUMBER, AT(header_seconds), "10", 1, 600},
    {"LR_REQUEST_SECONDS", NUMBER, AT(request_seconds), "10", 1, 600},
    {"LR_IDLE_SECONDS", NUMBER, AT(idle_seconds), "75", 1, 600},
    {"LR_DRAIN_SECONDS", NUMBER, AT(drain_seconds), "10", 1, 600},
    {"LR_DRAIN_GRACE_SECONDS", NUMBER, AT(drain_grace_seconds), "5", 0, 600},
    {"LR_RATE_LIMIT", NUMBER, AT(rate_limit), "12000", 1, INT_MAX},
    {"LR_ORGANISATION_RATE_LIMIT", NUMBER, AT(organisation_rate_limit), NULL, 1, INT_MAX},
    {"LR_RATE_WINDOW_SECONDS", NUMBER, AT(rate_window_seconds), "60", 1, 3600},
    {"LR_LOG_LEVEL", TEXT, AT(log_level), "info", 0, 0},
};
enum {
    SETTING_COUNT = sizeof settings_known / sizeof settings_known[0],
    LINE_LENGTH_MAX = 4096,
    DAY_SECONDS = 86400,
    CLIENTS_OF_ORGANISATION = 4, /* clients that may use up their quotas at the same time */
    BYTES_OF_SECRET = 8 /* least number of different bytes; 32 random bytes have 28 or more */
};

static const char **text_at(config *settings, const setting *known) {
    return (const char **)(void *)((char *)settings + known->offset);
}

static int *number_at(config *settings, const setting *known) {
    return (int *)(void *)((char *)settings + known->offset);
}

static const setting *find_setting(const char *name) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings_known[i].name, name) == 0) {
            return &settings_known[i];
        }
    }
    return NULL;
}

static bool set_value(config *settings, const setting *known, const char *value, const char *origin,
                      char *reason, size_t reason_size) {
    if (known->kind == TEXT) {
        const char **place = text_at(settings, known);
        free((void *)(uintptr_t)*place);
        *place = strdup(value);
        return *place != NULL;
    }
    char *end = NULL;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < known->least ||
        number > known->max) {
        snprintf(reason, reason_size,
                 "%s (from %s) is \"%.40s\": it must be a whole number from %d to %d.", known->name,
                 origin, value, known->least, known->max);
        return false;
    }
    *number_at(settings, known) = (int)number;
    return true;
}

static bool read_line(config *settings, char *line, const char *file, char *reason,
                      size_t reason_size) {
    line[strcspn(line, "\r\n")] = '\0';
    while (isspace((unsigned char)*line)) {
        line++;
    }
    if (*line == '\0' || *line == '#') {
        return true;
    }
    char *equals = strchr(line, '=');
    if (equals == NULL) {
        snprintf(reason, reason_size, "%s: a line is not NAME=value.", file);
        return false;
    }
    *equals = '\0';
    const setting *known = find_setting(line);
    if (known == NULL) {
        snprintf(reason, reason_size,
                 "%.64s (from %.200s) is not a setting. Correct the name, or remove it; "
                 "learning-reviews(8) lists all settings.",
                 line, file);
        return false;
    }
    return set_value(settings, known, equals + 1, file, reason, reason_size);
}

static bool read_file(config *settings, const char *file, char *reason, size_t reason_size) {
    FILE *in = fopen(file, "re");
    if (in == NULL) {
        snprintf(reason, reason_size, "The configuration file %s cannot be read: %s.", file,
                 strerror(errno));
        return false;
    }
    char line[LINE_LENGTH_MAX];
    bool good = true;
    while (good && fgets(line, sizeof line, in) != NULL) {
        good = read_line(settings, line, file, reason, reason_size);
    }
    if (good && ferror(in)) {
        snprintf(reason, reason_size, "The configuration file %s cannot be read: %s.", file,
                 strerror(errno));
        good = false;
    }
    fclose(in);
    return good;
}

extern char **environ;

/* LR_CONFIG and LR_MODE are read elsewhere; deploy/run reads the others. */
static bool is_for_others(const char *name) {
    static const char *const names[] = {"LR_CONFIG", "LR_MODE", "LR_STATE", "LR_DEMO", "LR_BINARY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_environment(config *settings, char *reason, size_t reason_size) {
    for (char **each = environ; *each != NULL; each++) {
        const char *equals = strchr(*each, '=');
        if (strncmp(*each, "LR_", 3) != 0 || equals == NULL) {
            continue;
        }
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(equals - *each), *each);
        const setting *known = find_setting(name);
        if (known == NULL) {
            if (is_for_others(name)) {
                continue;
            }
            snprintf(reason, reason_size,
                     "%s (from the environment) is not a setting. Correct the name, or remove it; "
                     "learning-reviews(8) lists all settings.",
                     name);
            return false;
        }
        if (!set_value(settings, known, equals + 1, "the environment", reason, reason_size)) {
            return false;
        }
    }
    return true;
}

static bool read_mode(config *settings, char *reason, size_t reason_size) {
    const char *mode = getenv("LR_MODE");
    if (mode == NULL || strcmp(mode, "production") == 0) {
        settings->dev = false;
        return true;
    }
    if (strcmp(mode, "dev") == 0) {
        settings->dev = true;
        return true;
    }
    snprintf(reason, reason_size,
             "LR_MODE (from the environment) is \"%.40s\": it must be dev or production.", mode);
    return false;
}

/* When the service listens on every interface, the only certain address is the machine's own. */
static char *derive_public_url(const config *settings) {
    const char *scheme = settings->tls_key_file == NULL ? "http" : "https";
    listen_address address;
    char url[300];
    if (listen_parse(settings->listen, &address) == NULL && listen_is_everywhere(&address)) {
        snprintf(url, sizeof url, "%s://127.0.0.1:%s", scheme, address.port);
    } else {
        snprintf(url, sizeof url, "%s://%s", scheme, settings->listen);
    }
    return strdup(url);
}

static void set_missing(const char **setting, const char *value) {
    if (*setting == NULL) {
        *setting = strdup(value);
    }
}

/* In development the tokens of `learning-reviews token` are valid for a day. */
static bool derive_token_claims(config *settings, char *reason, size_t reason_size) {
    const token_profile *profile = token_profile_find(settings->token_profile);
    if (profile == NULL) {
        snprintf(reason, reason_size, "LR_TOKEN_PROFILE is \"%.40s\": it must be %s.",
                 settings->token_profile, token_profile_names);
        return false;
    }
    set_missing(&settings->token_client_claims, profile->client_claims);
    set_missing(&settings->token_scope_claims, profile->scope_claims);
    set_missing(&settings->token_organisation_claim, profile->organisation_claim);
    set_missing(&settings->token_subject, profile->subject);
    if (settings->token_max_seconds == 0) {
        settings->token_max_seconds = settings->dev ? DAY_SECONDS : profile->max_seconds;
    }
    return true;
}

/* Returns false when only one of two settings that need each other is set. */
static bool check_pair(const char *name, const char *value, const char *other_name,
                       const char *other_value, char *reason, size_t reason_size) {
    if ((value == NULL) == (other_value == NULL)) {
        return true;
    }
    bool first = value != NULL;
    snprintf(reason, reason_size, "%s is \"%.200s\", but %s is not set: set both or neither.",
             first ? name : other_name, first ? value : other_value, first ? other_name : name);
    return false;
}

static bool derive(config *settings, char *reason, size_t reason_size) {
    if (settings->public_url == NULL) {
        settings->public_url = derive_public_url(settings);
        settings->public_url_derived = true;
    }
    if (settings->issuer == NULL && settings->dev) {
        settings->issuer = strdup("https://identity.invalid/dev");
    }
    if (!derive_token_claims(settings, reason, reason_size)) {
        return false;
    }
    if (settings->organisation_rate_limit == 0) {
        int max = INT_MAX / CLIENTS_OF_ORGANISATION;
        settings->organisation_rate_limit =
            (settings->rate_limit < max ? settings->rate_limit : max) * CLIENTS_OF_ORGANISATION;
    }
    return check_pair("LR_TLS_CERTIFICATE_FILE", settings->tls_certificate_file, "LR_TLS_KEY_FILE",
                      settings->tls_key_file, reason, reason_size) &&
           check_pair("LR_WEBHOOK_KEY_FILE", settings->webhook_key_file, "LR_WEBHOOK_HOSTS",
                      settings->webhook_hosts, reason, reason_size);
}

bool config_load(config *settings, const char *file, char *reason, size_t reason_size) {
    *settings = (config){0};
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings_known[i].fallback != NULL &&
            !set_value(settings, &settings_known[i], settings_known[i].fallback, "the default",
                       reason, reason_size)) {
            return false;
        }
    }
    if (file == NULL) {
        file = getenv("LR_CONFIG");
    }
    return read_mode(settings, reason, reason_size) &&
           (file == NULL || read_file(settings, file, reason, reason_size)) &&
           read_environment(settings, reason, reason_size) && derive(settings, reason, reason_size);
}

void config_free(config *settings) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (settings_known[i].kind == TEXT) {
            free((void *)(uintptr_t)*text_at(settings, &settings_known[i]));
        }
    }
    *settings = (config){0};
}

/* A connection string may hold a password: only its presence is shown. */
static bool is_confidential(const char *name) {
    return strstr(name, "DATABASE") != NULL;
}

void config_print(const config *settings, FILE *out) {
    config copy = *settings;
    fprintf(out, "%-28s %s\n", "LR_MODE", settings->dev ? "dev" : "production");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *known = &settings_known[i];
        if (known->kind == NUMBER) {
            fprintf(out, "%-28s %d\n", known->name, *number_at(&copy, known));
            continue;
        }
        const char *value = *text_at(&copy, known);
        fprintf(out, "%-28s %s\n", known->name,
                value == NULL                  ? "(not set)"
                : is_confidential(known->name) ? "(set)"
                                               : value);
    }
}

void config_each_text(const config *settings,
                      void (*visit)(void *context, const char *name, const char *value),
                      void *context) {
    config copy = *settings;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *known = &settings_known[i];
        if (known->kind == TEXT && *text_at(&copy, known) != NULL) {
            visit(context, known->name, *text_at(&copy, known));
        }
    }
}

/* A placeholder or a typed text is not a secret, however long it is. */
static bool is_monotonous(const unsigned char *secret, size_t length) {
    bool seen[UCHAR_MAX + 1] = {false};
    int different = 0;
    for (size_t i = 0; i < length; i++) {
        different += !seen[secret[i]];
        seen[secret[i]] = true;
    }
    return different < BYTES_OF_SECRET;
}

unsigned char *config_read_secret(const char *setting_name, const char *path, size_t least,
                                  size_t *size, char *reason, size_t reason_size) {
    if (path == NULL) {
        snprintf(reason, reason_size, "%s is not set: it must name a file with a secret.",
                 setting_name);
        return NULL;
    }
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        snprintf(reason, reason_size,
                 "%s: the file \"%.300s\" cannot be read: %s. Name a file that this user can read.",
                 setting_name, path, strerror(errno));
        return NULL;
    }
    struct stat facts;
    unsigned char *secret = calloc(1, LINE_LENGTH_MAX);
    size_t length = secret == NULL ? 0 : fread(secret, 1, LINE_LENGTH_MAX - 1, in);
    bool open_to_others = fstat(fileno(in), &facts) == 0 && (facts.st_mode & 07) != 0;
    fclose(in);
    while (length > 0 && isspace(secret[length - 1])) {
        length--;
    }
    bool too_short = secret == NULL || length < least;
    if (open_to_others || too_short || is_monotonous(secret, length)) {
        snprintf(reason, reason_size,
                 open_to_others
                     ? "%s: everybody may read or write the file \"%.300s\"; set its mode to "
                       "0600 or 0640."
                 : too_short ? "%s: the file \"%.300s\" must hold at least %zu bytes."
                             : "%s: the file \"%.300s\" has %zu bytes or more, but too few "
                               "different ones to be a secret; make it of random bytes.",
                 setting_name, path, least);
        if (secret != NULL) {
            explicit_bzero(secret, LINE_LENGTH_MAX);
            free(secret);
        }
        return NULL;
    }
    *size = length;
    return secret;
}
