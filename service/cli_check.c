/* The command `check`: what serving needs, whether it is in order, and how to mend what is not. */
#include "service/cli_audit.h"
#include "service/cli_health.h"
#include "service/command.h"
#include "service/db/durability.h"
#include "service/db/migrate.h"
#include "service/db/role.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { KEYS_WAIT_MS = 10000, KEYS_LOOK_MS = 50 };

/* What was found so far: a fault of the configuration counts more than a database that is away,
 * because waiting mends only the latter. */
typedef struct findings {
    const config *settings;
    int status;
} findings;

static void report_order(const char *what, const char *detail) {
    printf("%s: in order%s%s\n", what, *detail == '\0' ? "" : ", ", detail);
}

static void report_fault(findings *all, int status, const char *what, const char *fault,
                         const char *mend) {
    printf("%s: FAULT: %s\n", what, fault);
    if (*mend != '\0') {
        printf("    mend it: %s\n", mend);
    }
    if (all->status != EX_CONFIG) {
        all->status = status;
    }
}

static void check_configuration(findings *all) {
    char reason[1024] = "";
    if (command_check_safety(all->settings, reason, sizeof reason)) {
        report_order("configuration", "");
    } else {
        report_fault(all, EX_CONFIG, "configuration", reason,
                     "set it in the environment or in the file that --config names; "
                     "learning-reviews(8) lists all settings.");
    }
}

static void check_pseudonym_key(findings *all) {
    char reason[1024] = "";
    size_t size = 0;
    unsigned char *secret =
        config_read_secret("LR_PSEUDONYM_KEY_FILE", all->settings->pseudonym_key_file, SECRET_SIZE,
                           &size, reason, sizeof reason);
    if (secret == NULL) {
        report_fault(all, EX_CONFIG, "pseudonym key", reason,
                     "put back the copy of the key. Only for a register without data, make one: "
                     "umask 077; head -c 48 /dev/urandom | base64 -w 0 > FILE");
        return;
    }
    explicit_bzero(secret, size);
    free(secret);
    report_order("pseudonym key", "");
}

/* An address is asked in the background: waits until it answered, or did not. */
static keys_figures await_keys(keys *known) {
    const struct timespec pause = {.tv_nsec = KEYS_LOOK_MS * 1000000L};
    keys_figures figures = keys_figures_read(known);
    for (int waited = 0; waited < KEYS_WAIT_MS && figures.count == 0 && figures.failures == 0;
         waited += KEYS_LOOK_MS) {
        nanosleep(&pause, NULL);
        figures = keys_figures_read(known);
    }
    return figures;
}

static void check_keys(findings *all) {
    char text[1024] = "";
    keys_source source = command_keys_source(all->settings);
    keys *known = keys_new(&source, text, sizeof text);
    if (known == NULL) {
        report_fault(all, EX_CONFIG, "keys", text,
                     "the issuer's key set has to be readable, with a key for RS256 (2048 bits or "
                     "more) or ES256 that has a kid.");
        return;
    }
    keys_figures figures = await_keys(known);
    keys_free(known);
    if (figures.count == 0) {
        report_fault(all, EX_UNAVAILABLE, "keys",
                     "LR_JWKS_URL gave no key set; see the line above.",
                     "can this machine reach the address, does it trust its certificate, and is "
                     "what it answers a key set?");
        return;
    }
    snprintf(text, sizeof text, "%zu in use", figures.count);
    report_order("keys", text);
}

/* Returns NULL, or what is wrong with the two files. */
static const char *tls_fault(FILE *certificate_file, FILE *key_file) {
    X509 *certificate =
        certificate_file == NULL ? NULL : PEM_read_X509(certificate_file, NULL, NULL, NULL);
    EVP_PKEY *private_key =
        key_file == NULL ? NULL : PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
    const char *fault = NULL;
    if (certificate == NULL) {
        fault = "LR_TLS_CERTIFICATE_FILE cannot be read as a certificate in PEM.";
    } else if (private_key == NULL) {
        fault = "LR_TLS_KEY_FILE cannot be read as a private key in PEM without a password.";
    } else if (X509_check_private_key(certificate, private_key) != 1) {
        fault = "LR_TLS_KEY_FILE is not the key of the first certificate in the other file.";
    } else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        fault = "the certificate in LR_TLS_CERTIFICATE_FILE has expired.";
    } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
        fault = "the certificate in LR_TLS_CERTIFICATE_FILE is not valid yet.";
    }
    X509_free(certificate);
    EVP_PKEY_free(private_key);
    return fault;
}

static void check_tls(findings *all) {
    if (all->settings->tls_key_file == NULL) {
        report_order("TLS", "not configured: let a proxy in front speak it");
        return;
    }
    FILE *certificate = fopen(all->settings->tls_certificate_file, "re");
    FILE *key_file = fopen(all->settings->tls_key_file, "re");
    const char *fault = tls_fault(certificate, key_file);
    if (certificate != NULL) {
        fclose(certificate);
    }
    if (key_file != NULL) {
        fclose(key_file);
    }
    if (fault == NULL) {
        report_order("TLS", "");
    } else {
        report_fault(all, EX_CONFIG, "TLS", fault,
                     "name the certificate, with the chain behind it, and its own key.");
    }
}

/* Invented data may be lost: in dev it is only said. */
static void check_durability(findings *all) {
    char reason[1024] = "";
    durability_verdict verdict = durability_check(all->settings->database, reason, sizeof reason);
    if (verdict == DURABILITY_KEPT) {
        report_order("durability", "what is confirmed is on disk");
    } else if (all->settings->dev) {
        report_order("durability", "not kept, which is allowed in dev");
    } else {
        report_fault(all, verdict == DURABILITY_OFF ? EX_CONFIG : EX_UNAVAILABLE, "durability",
                     reason,
                     "fsync and full_page_writes in postgresql.conf; synchronous_commit there, or "
                     "of the role or the database.");
    }
}

static void check_webhooks(findings *all) {
    char reason[1024] = "";
    targets *allowed = NULL;
    if (!command_read_webhooks(all->settings, &allowed, NULL, reason, sizeof reason)) {
        report_fault(all, EX_CONFIG, "webhooks", reason,
                     "learning-reviews(8) describes the settings LR_WEBHOOK_...; without any of "
                     "them webhooks are off.");
    } else {
        report_order("webhooks", allowed == NULL ? "off" : "");
    }
    targets_free(allowed);
}

static void check_schema(findings *all) {
    char reason[1024] = "";
    switch (migrate_check(all->settings->database, reason, sizeof reason)) {
    case SCHEMA_CURRENT:
        report_order("schema", "current");
        break;
    case SCHEMA_SUPPORTED:
        report_order("schema", reason);
        puts("    the newer program lists this version as supported: it may be served.");
        break;
    case SCHEMA_INCOMPLETE:
        report_fault(all, EX_CONFIG, "schema", reason,
                     "run `learning-reviews migrate` of this same version, then check again.");
        break;
    case SCHEMA_NEWER:
        report_fault(all, EX_CONFIG, "schema", reason,
                     "use the newer program: an older one changes nothing in this database.");
        break;
    case SCHEMA_UNKNOWN:
        report_fault(all, EX_UNAVAILABLE, "schema", reason, "");
    }
}

static void check_database(findings *all) {
    char reason[1024] = "";
    if (all->settings->database == NULL) {
        report_fault(all, EX_CONFIG, "database",
                     "LR_DATABASE is not set: it has to be a libpq connection string.",
                     "for instance: host=db.example.org dbname=register user=register_service");
        return;
    }
    switch (role_check(all->settings->database, reason, sizeof reason)) {
    case ROLE_UNKNOWN:
        report_fault(all, EX_UNAVAILABLE, "database", reason,
                     "is it running, may this machine reach it, are user and password right, and "
                     "is it migrated? Try: psql 'the same connection string'");
        return;
    case ROLE_UNSAFE:
        report_fault(all, EX_CONFIG, "role", reason,
                     "`learning-reviews migrate` makes register_service; give it a way to log in.");
        return;
    case ROLE_BOUND:
        report_order("database", "reached");
        report_order("role", "bound by row-level security");
        check_durability(all);
        check_schema(all);
    }
}

/* A standby that is away does not keep the service from working. */
static void check_read_database(findings *all) {
    char reason[1024] = "";
    if (all->settings->read_database == NULL) {
        return;
    }
    switch (role_check(all->settings->read_database, reason, sizeof reason)) {
    case ROLE_UNKNOWN:
        report_order("standby", "cannot be reached or asked now: the primary answers");
        return;
    case ROLE_UNSAFE:
        report_fault(all, EX_CONFIG, "standby",
                     "LR_READ_DATABASE: not a role that row-level "
                     "security binds; it will not be used.",
                     "log in as register_service there, too.");
        return;
    case ROLE_BOUND:
        report_order("standby", "reached");
    }
}

int command_check(const cli_call *call) {
    const char *anchor = cli_value(call, "--anchor");
    if ((call->topic && cli_value(call, "--health") != NULL) || (!call->topic && anchor != NULL)) {
        return cli_fail(EX_USAGE, "--health is for `check` alone, --anchor for `check audit`.");
    }
    if (call->topic) {
        return audit_check(call->settings, anchor);
    }
    if (cli_value(call, "--health") != NULL) {
        return health_ask(call->settings->admin_listen, stdout);
    }
    findings all = {.settings = call->settings, .status = EX_OK};
    config_print(call->settings, stdout);
    puts("");
    check_configuration(&all);
    check_pseudonym_key(&all);
    check_keys(&all);
    check_tls(&all);
    check_webhooks(&all);
    check_database(&all);
    check_read_database(&all);
    return all.status;
}
