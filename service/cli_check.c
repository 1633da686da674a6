/* The command `check`: reports whether the service can run, and how to fix each fault. */
#include "service/cli_audit.h"
#include "service/cli_health.h"
#include "service/command.h"
#include "service/db/durability.h"
#include "service/db/logging.h"
#include "service/db/migrate.h"
#include "service/db/role.h"
#include "service/listen.h"
#include "service/settings_check.h"
#include "service/tls_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { KEYS_WAIT_MS = 10000, KEYS_LOOK_MS = 50 };

/* The worst finding so far. A fault of the configuration outranks an unreachable database, because
 * waiting fixes only the latter. */
typedef struct findings {
    const config *settings;
    int status;
} findings;

static void report_order(const char *what, const char *detail) {
    printf("%s: in order%s%s\n", what, *detail == '\0' ? "" : ", ", detail);
}

static void report_fault(findings *findings, int status, const char *what, const char *fault,
                         const char *mend) {
    printf("%s: FAULT: %s\n", what, fault);
    if (*mend != '\0') {
        printf("    fix: %s\n", mend);
    }
    if (findings->status != EX_CONFIG) {
        findings->status = status;
    }
}

/* Reports a warning that serving starts with, and logs; it does not change the status. */
static void report_warning(const char *what, const char *warning) {
    printf("%s: WARNING: %s\n", what, warning);
}

static void report_setting(void *context, finding_level level, const char *text) {
    findings *findings = context;
    if (level == FINDING_WARNING) {
        report_warning("configuration", text);
        return;
    }
    report_fault(findings, EX_CONFIG, "configuration", text,
                 "set it in the environment or in the file that --config names; "
                 "learning-reviews(8) lists all settings.");
}

static void check_configuration(findings *findings) {
    settings_check(findings->settings, report_setting, findings);
    if (findings->status == EX_OK) {
        report_order("configuration", "");
    }
}

/* Checks whether the service can listen on the address. A port in use is expected while the service
 * runs, and with --settings, which runs before another service is stopped. Returns false for a
 * fault. */
static bool check_address(findings *findings, bool may_be_used, const char *setting,
                          const char *text) {
    char reason[1024] = "";
    struct addrinfo *found = listen_resolve(setting, text, false, reason, sizeof reason);
    if (found == NULL) {
        return false; /* check_configuration has reported it */
    }
    int error = listen_try(found);
    freeaddrinfo(found);
    if (error == 0 || (error == EADDRINUSE && may_be_used)) {
        return true;
    }
    listen_explain(setting, text, error, reason, sizeof reason);
    report_fault(findings, EX_CONFIG, "addresses", reason, "");
    return false;
}

static void check_addresses(findings *findings, bool before_restart) {
    const config *settings = findings->settings;
    bool serving = health_answers(settings->admin_listen);
    bool may_be_used = serving || before_restart;
    bool api = check_address(findings, may_be_used, "LR_LISTEN", settings->listen);
    bool admin = check_address(findings, may_be_used, "LR_ADMIN_LISTEN", settings->admin_listen);
    if (api && admin) {
        report_order("addresses", serving ? "the service is running" : "");
    }
}

static void check_descriptors(findings *findings) {
    char reason[1024] = "";
    if (command_allow_files(findings->settings, reason, sizeof reason)) {
        report_order("descriptors", "");
    } else {
        report_fault(findings, EX_CONFIG, "descriptors", reason, "");
    }
}

static void check_pseudonym_key(findings *findings) {
    char reason[1024] = "";
    size_t size = 0;
    unsigned char *secret =
        config_read_secret("LR_PSEUDONYM_KEY_FILE", findings->settings->pseudonym_key_file,
                           SECRET_SIZE, &size, reason, sizeof reason);
    if (secret == NULL) {
        report_fault(findings, EX_CONFIG, "pseudonym key", reason,
                     "put back the copy of the key. Only for a register without data, make one: "
                     "umask 077; head -c 48 /dev/urandom | base64 -w 0 > FILE");
        return;
    }
    explicit_bzero(secret, size);
    free(secret);
    report_order("pseudonym key", "");
}

/* A thread fetches from an address: waits for its first success or failure. */
keys_stats command_await_keys(keys *known) {
    const struct timespec pause = {.tv_nsec = KEYS_LOOK_MS * 1000000L};
    keys_stats stats = keys_stats_read(known);
    for (int waited = 0; waited < KEYS_WAIT_MS && stats.count == 0 && stats.failures == 0;
         waited += KEYS_LOOK_MS) {
        nanosleep(&pause, NULL);
        stats = keys_stats_read(known);
    }
    return stats;
}

static void check_keys(findings *findings) {
    char text[1024] = "";
    keys_source source = command_keys_source(findings->settings);
    keys *known = keys_new(&source, text, sizeof text);
    if (known == NULL) {
        report_fault(findings, EX_CONFIG, "keys", text,
                     "the issuer's key set must be readable, with a key for RS256 (2048 bits or "
                     "more) or ES256 that has a kid.");
        return;
    }
    keys_stats stats = command_await_keys(known);
    keys_free(known);
    if (stats.count == 0) {
        snprintf(text, sizeof text,
                 "LR_JWKS_URL: %.300s gave no key set; the line above has the cause. Check that "
                 "this machine reaches the address and trusts its certificate.",
                 findings->settings->jwks_url);
        report_fault(findings, EX_UNAVAILABLE, "keys", text,
                     "`curl` with this address, on this machine, shows what it answers.");
        return;
    }
    snprintf(text, sizeof text, "%zu in use", stats.count);
    report_order("keys", text);
}

static void check_tls(findings *findings) {
    const config *settings = findings->settings;
    char reason[1024] = "";
    if (settings->tls_key_file == NULL) {
        report_order("TLS", "not configured: let a proxy in front speak it");
    } else if (tls_files_check(settings->tls_certificate_file, settings->tls_key_file, reason,
                               sizeof reason) == TLS_FILES_GOOD) {
        report_order("TLS", "");
    } else {
        report_fault(findings, EX_CONFIG, "TLS", reason,
                     "name the certificate, with the chain behind it, and its own key.");
    }
}

static void report_logging(void *context, const char *text) {
    (void)context;
    report_warning("database log", text);
}

static void ignore_logging(void *context, const char *text) {
    (void)context;
    (void)text;
}

/* Invented data may be in a log: in dev this is only a warning. */
static void check_logging(findings *findings) {
    char reason[1024] = "";
    bool dev = findings->settings->dev;
    int count = logging_check(findings->settings->database, dev ? ignore_logging : report_logging,
                              NULL, reason, sizeof reason);
    if (count < 0) {
        report_fault(findings, EX_UNAVAILABLE, "database log", reason, "");
    } else if (count == 0) {
        report_order("database log", "holds nothing of requests");
    } else if (dev) {
        report_order("database log", "not private, which is allowed in dev");
    }
}

/* Invented data may be lost: in dev this is only a warning. */
static void check_durability(findings *findings) {
    char reason[1024] = "";
    durability_result result =
        durability_check(findings->settings->database, reason, sizeof reason);
    if (result == DURABILITY_KEPT) {
        report_order("durability", "what is confirmed is on disk");
    } else if (findings->settings->dev) {
        report_order("durability", "not kept, which is allowed in dev");
    } else {
        report_fault(findings, result == DURABILITY_OFF ? EX_CONFIG : EX_UNAVAILABLE, "durability",
                     reason,
                     "fsync and full_page_writes in postgresql.conf; synchronous_commit there, or "
                     "of the role or the database.");
    }
}

static void check_webhooks(findings *findings) {
    char reason[1024] = "";
    targets *allowed = NULL;
    if (!command_read_webhooks(findings->settings, &allowed, NULL, reason, sizeof reason)) {
        report_fault(findings, EX_CONFIG, "webhooks", reason,
                     "learning-reviews(8) describes the settings LR_WEBHOOK_...; without any of "
                     "them webhooks are off.");
    } else {
        report_order("webhooks", allowed == NULL ? "off" : "");
    }
    targets_free(allowed);
}

/* Only for a schema that has the fingerprints; a file that cannot be read is a finding already. */
static void check_key_fingerprints(findings *findings) {
    char reason[1024] = "";
    int status = command_check_keys(findings->settings, false, reason, sizeof reason);
    if (status == EX_OK) {
        report_order("key fingerprints", reason);
    } else if (status != EX_NOINPUT) {
        report_fault(findings, status, "key fingerprints", reason, "");
    }
}

static void check_schema(findings *findings) {
    char reason[1024] = "";
    switch (migrate_check(findings->settings->database, reason, sizeof reason)) {
    case SCHEMA_CURRENT:
        report_order("schema", "current");
        check_key_fingerprints(findings);
        break;
    case SCHEMA_SUPPORTED:
        report_order("schema", reason);
        puts("    the database keeps this program's version of the code: it may be served.");
        check_key_fingerprints(findings);
        break;
    case SCHEMA_INCOMPLETE:
        report_fault(findings, EX_CONFIG, "schema", reason,
                     "run `learning-reviews migrate` of this same version, then check again.");
        break;
    case SCHEMA_NEWER:
        report_fault(findings, EX_CONFIG, "schema", reason,
                     "use the newer program: an older one changes nothing in this database.");
        break;
    case SCHEMA_UNKNOWN:
        report_fault(findings, EX_UNAVAILABLE, "schema", reason, "");
    }
}

/* Returns false when the connection is not allowed, or not possible. */
static bool check_transport(findings *findings, const char *what, const char *setting,
                            const char *conninfo) {
    char reason[1024] = "";
    if (!command_check_transport(findings->settings, setting, conninfo, reason, sizeof reason)) {
        report_fault(findings, EX_CONFIG, what, reason,
                     "for instance: host=db.example.org dbname=register user=register_service "
                     "sslmode=verify-full sslrootcert=FILE");
        return false;
    }
    if (*reason != '\0' && !findings->settings->dev) {
        report_warning(what, reason);
    }
    return true;
}

/* The check does not connect as `migrate` does: that role may do anything. */
static void check_migration_database(findings *findings) {
    const char *conninfo = findings->settings->migration_database;
    if (conninfo != NULL &&
        check_transport(findings, "migration database", "LR_MIGRATION_DATABASE", conninfo)) {
        report_order("migration database", "can be read; not asked");
    }
}

static void check_database(findings *findings) {
    char reason[1024] = "";
    if (findings->settings->database == NULL) {
        report_fault(findings, EX_CONFIG, "database",
                     "LR_DATABASE is not set: it must be a libpq connection string.",
                     "for instance: host=db.example.org dbname=register user=register_service");
        return;
    }
    if (!check_transport(findings, "database", "LR_DATABASE", findings->settings->database)) {
        return;
    }
    switch (role_check("LR_DATABASE", findings->settings->database, reason, sizeof reason)) {
    case ROLE_UNKNOWN:
        report_fault(findings, EX_UNAVAILABLE, "database", reason,
                     "is it running, may this machine reach it, are user and password right, and "
                     "is it migrated? Try: psql 'the same connection string'");
        return;
    case ROLE_UNSAFE:
        report_fault(findings, EX_CONFIG, "role", reason,
                     "`learning-reviews migrate` makes register_service; give it a way to log in.");
        return;
    case ROLE_BOUND:
        report_order("database", "reached");
        report_order("role", "bound by row-level security");
        check_durability(findings);
        check_logging(findings);
        check_schema(findings);
    }
}

/* The service works without its standby. */
static void check_read_database(findings *findings) {
    char reason[1024] = "";
    const char *conninfo = findings->settings->read_database;
    if (conninfo == NULL || !check_transport(findings, "standby", "LR_READ_DATABASE", conninfo)) {
        return;
    }
    switch (role_check("LR_READ_DATABASE", conninfo, reason, sizeof reason)) {
    case ROLE_UNKNOWN:
        report_warning("standby", reason);
        puts("    until it can be, the primary answers what it would.");
        return;
    case ROLE_UNSAFE:
        report_fault(findings, EX_CONFIG, "standby", reason,
                     "it will not be used; log in as register_service there, too.");
        return;
    case ROLE_BOUND:
        report_order("standby", "reached");
    }
}

static void check_settings(findings *findings, bool before_restart) {
    config_print(findings->settings, stdout);
    puts("");
    check_configuration(findings);
    check_pseudonym_key(findings);
    check_keys(findings);
    check_tls(findings);
    check_webhooks(findings);
    check_addresses(findings, before_restart);
    check_descriptors(findings);
}

static void check_databases(findings *findings) {
    check_database(findings);
    check_read_database(findings);
    check_migration_database(findings);
}

int command_check(const cli_call *call) {
    const char *anchor = cli_value(call, "--anchor");
    bool health = cli_value(call, "--health") != NULL;
    bool settings = cli_value(call, "--settings") != NULL;
    bool database = cli_value(call, "--database") != NULL;
    if (health + settings + database + (call->topic != NULL) > 1 ||
        (call->topic == NULL && anchor != NULL)) {
        return cli_fail(EX_USAGE, "--health, --settings and --database are each alone for `check`, "
                                  "--anchor is for `check audit`.");
    }
    if (call->topic != NULL) {
        return audit_check(call->settings, anchor);
    }
    if (health) {
        return health_ask(call->settings->admin_listen, stdout);
    }
    findings findings = {.settings = call->settings, .status = EX_OK};
    if (!database) {
        check_settings(&findings, settings);
    }
    if (!settings) {
        check_databases(&findings);
    }
    return findings.status;
}
