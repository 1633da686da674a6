/* The command `serve`: starts the parts, waits for signals, and stops the parts in order. */
#include "service/command.h"
#include "service/contract/contract.h"
#include "service/db/call.h"
#include "service/db/durability.h"
#include "service/db/link.h"
#include "service/db/logging.h"
#include "service/db/migrate.h"
#include "service/db/role.h"
#include "service/http/served_contract.h"
#include "service/http/server.h"
#include "service/log.h"
#include "service/maintenance.h"
#include "service/notify.h"
#include "service/process.h"
#include "service/settings_check.h"
#include "service/tls_files.h"

#include <errno.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { LEEWAY_SECONDS = 30 };

static const char *const no_hmac = "HMAC-SHA-256 is not available from OpenSSL.";

keys_source command_keys_source(const config *settings) {
    return (keys_source){.jwks_file = settings->jwks_file,
                         .jwks_url = settings->jwks_url,
                         .jwks_ca_file = settings->jwks_ca_file,
                         .secret_file = settings->dev_secret_file,
                         .accept_seconds = settings->jwks_accept_seconds,
                         .dev = settings->dev};
}

bool command_token_rules(const config *settings, token_rules *rules) {
    *rules = (token_rules){.issuer = settings->issuer,
                           .audience = settings->audience,
                           .leeway_seconds = LEEWAY_SECONDS,
                           .scope_prefix = settings->token_scope_prefix,
                           .scopes = contract_scopes};
    return token_rules_map(
        rules, &(token_profile){.client_claims = settings->token_client_claims,
                                .scope_claims = settings->token_scope_claims,
                                .organisation_claim = settings->token_organisation_claim,
                                .subject = settings->token_subject,
                                .max_seconds = settings->token_max_seconds});
}

/* Derives secrets for different uses from the one key file, so that none reveals another. */
static bool derive(const unsigned char *secret, size_t size, const char *use, unsigned char *out) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool made = HMAC(EVP_sha256(), secret, (int)size, (const unsigned char *)use, strlen(use),
                     digest, NULL) != NULL;
    if (made) {
        memcpy(out, digest, SECRET_SIZE);
    }
    explicit_bzero(digest, sizeof digest);
    return made;
}

static bool read_secrets(app_context *context, unsigned char *subject_key, char *reason,
                         size_t reason_size) {
    size_t size = 0;
    unsigned char *secret =
        config_read_secret("LR_PSEUDONYM_KEY_FILE", context->settings->pseudonym_key_file,
                           SECRET_SIZE, &size, reason, reason_size);
    if (secret == NULL) {
        return false;
    }
    bool made = derive(secret, size, "child references", context->pseudonym_key) &&
                derive(secret, size, "cursors", context->cursor_key) &&
                derive(secret, size, "subjects", subject_key);
    explicit_bzero(secret, size);
    free(secret);
    if (!made) {
        snprintf(reason, reason_size, "%s", no_hmac);
    }
    return made;
}

bool command_read_webhooks(const config *settings, targets **allowed, unsigned char *key,
                           char *reason, size_t reason_size) {
    *allowed = NULL;
    if (settings->webhook_key_file == NULL) {
        return true;
    }
    if (settings->webhook_ca_file != NULL && access(settings->webhook_ca_file, R_OK) != 0) {
        snprintf(reason, reason_size, "LR_WEBHOOK_CA_FILE: the file cannot be read: %s.",
                 strerror(errno));
        return false;
    }
    size_t size = 0;
    unsigned char *secret = config_read_secret("LR_WEBHOOK_KEY_FILE", settings->webhook_key_file,
                                               SECRET_SIZE, &size, reason, reason_size);
    if (secret == NULL) {
        return false;
    }
    bool made = key == NULL || derive(secret, size, "webhooks", key);
    explicit_bzero(secret, size);
    free(secret);
    if (!made) {
        snprintf(reason, reason_size, "%s", no_hmac);
        return false;
    }
    *allowed =
        targets_new(settings->webhook_hosts, settings->webhook_networks, reason, reason_size);
    return *allowed != NULL;
}

/* Returns the number of file descriptors: for connections, workers (each has an event queue, its
 * wake-up, and for a moment a copy of a socket), the pools, the threads that listen and send, and
 * the files that libraries open for a moment. */
static size_t descriptors_needed(const config *settings) {
    enum { OF_WORKER = 3, POOLS = 2, OTHERS = 128 };
    return (size_t)settings->connections_max + ADMIN_CONNECTIONS +
           OF_WORKER * (size_t)settings->workers + POOLS * (size_t)settings->connections +
           (size_t)settings->push_connections + OTHERS;
}

bool command_allow_files(const config *settings, char *reason, size_t reason_size) {
    return process_allow_files(descriptors_needed(settings), reason, reason_size);
}

bool command_check_transport(const config *settings, const char *setting, const char *conninfo,
                             char *reason, size_t reason_size) {
    link_result result = link_judge(setting, conninfo, reason, reason_size);
    return result == LINK_VERIFIED ||
           (result == LINK_UNVERIFIED && (settings->dev || settings->allow_unverified_database));
}

typedef struct sentence {
    char *text;
    size_t size;
} sentence;

static void keep_first_fault(void *context, finding_level level, const char *text) {
    const sentence *first = context;
    if (level == FINDING_FAULT && *first->text == '\0') {
        snprintf(first->text, first->size, "%s", text);
    }
}

/* Checks the settings, and the files that they name. */
static bool check_settings(const config *settings, char *reason, size_t reason_size) {
    sentence first = {.text = reason, .size = reason_size};
    *reason = '\0';
    settings_check(settings, keep_first_fault, &first);
    return *reason == '\0' &&
           (settings->tls_key_file == NULL ||
            tls_files_check(settings->tls_certificate_file, settings->tls_key_file, reason,
                            reason_size) != TLS_FILES_BAD) &&
           (settings->audit_anchor_file == NULL ||
            audit_anchor_file_check(settings->audit_anchor_file, reason, reason_size)) &&
           command_allow_files(settings, reason, reason_size);
}

/* Logs insecure settings that are allowed, at each start. */
static void log_finding(void *context, finding_level level, const char *text) {
    (void)context;
    if (level == FINDING_WARNING) {
        log_write(LOG_WARNING, "%s", text);
    }
}

static void log_fault_of_logging(void *context, const char *text) {
    (void)context;
    log_write(LOG_WARNING, "%s", text);
}

static void warn(const config *settings) {
    char reason[1024] = "";
    settings_check(settings, log_finding, NULL);
    if (settings->tls_key_file != NULL &&
        tls_files_check(settings->tls_certificate_file, settings->tls_key_file, reason,
                        sizeof reason) == TLS_FILES_OUT_OF_DATE) {
        log_write(LOG_WARNING, "%s", reason);
    }
    if (settings->dev) {
        return;
    }
    if (link_judge("LR_DATABASE", settings->database, reason, sizeof reason) == LINK_UNVERIFIED) {
        log_write(LOG_WARNING, "%s", reason);
    }
    if (logging_check(settings->database, log_fault_of_logging, NULL, reason, sizeof reason) < 0) {
        log_write(LOG_WARNING, "%s", reason);
    }
}

static bool check_transport(const config *settings, char *reason, size_t reason_size) {
    return command_check_transport(settings, "LR_DATABASE", settings->database, reason,
                                   reason_size) &&
           (settings->read_database == NULL ||
            command_check_transport(settings, "LR_READ_DATABASE", settings->read_database, reason,
                                    reason_size));
}

/* An older program serves a newer schema as long as the database keeps its version of the code. */
static int check_schema(const char *database, char *reason, size_t reason_size) {
    schema_standing standing = migrate_check(database, reason, reason_size);
    if (standing == SCHEMA_SUPPORTED) {
        log_write(LOG_WARNING,
                  "%s The database keeps this program's version of the code, so that it can serve.",
                  reason);
    } else if (standing == SCHEMA_NEWER) {
        size_t used = strlen(reason);
        snprintf(reason + used, reason_size - used,
                 " Start the newer program; do not run this program's `migrate`.");
    }
    return standing == SCHEMA_CURRENT || standing == SCHEMA_SUPPORTED ? EX_OK
           : standing == SCHEMA_UNKNOWN                               ? EX_UNAVAILABLE
                                                                      : EX_CONFIG;
}

static int check_database(const config *settings, char *reason, size_t reason_size) {
    if (!check_transport(settings, reason, reason_size)) {
        return EX_CONFIG;
    }
    role_result role = role_check("LR_DATABASE", settings->database, reason, reason_size);
    if (role != ROLE_BOUND) {
        return role == ROLE_UNSAFE ? EX_CONFIG : EX_UNAVAILABLE;
    }
    durability_result durability =
        settings->dev ? DURABILITY_KEPT : durability_check(settings->database, reason, reason_size);
    if (durability != DURABILITY_KEPT) {
        return durability == DURABILITY_OFF ? EX_CONFIG : EX_UNAVAILABLE;
    }
    int schema = check_schema(settings->database, reason, reason_size);
    if (schema != EX_OK) {
        return schema;
    }
    int keys = command_check_keys(settings, true, reason, reason_size);
    return keys == EX_NOINPUT ? EX_CONFIG : keys;
}

/* Waits for the end, and checks connections each second. */
static void attend(app_context *context, server *server, const sigset_t *signals) {
    const struct timespec second = {.tv_sec = 1};
    for (;;) {
        int got = sigtimedwait(signals, NULL, &second);
        if (got == SIGTERM || got == SIGINT) {
            return;
        }
        if (got == SIGHUP) {
            log_write(LOG_INFO, "reading the keys again");
            keys_reload(context->keys);
        }
        notify_send("WATCHDOG=1");
        server_close_expired(server);
        pool_probe(context->connections);
        replica_router_probe(context->replicas);
    }
}

/* Returns false when webhooks are configured and cannot be sent. */
static bool start_webhooks(app_context *context) {
    const config *settings = context->settings;
    if (context->webhook_targets == NULL) {
        return true;
    }
    context->webhooks =
        deliverer_new(&(deliverer_settings){.database = settings->database,
                                            .key = context->webhook_key,
                                            .allowed = context->webhook_targets,
                                            .ca_file = settings->webhook_ca_file,
                                            .retry_seconds = settings->webhook_retry_seconds,
                                            .drain_seconds = settings->drain_seconds},
                      context->changes);
    return context->webhooks != NULL;
}

/* Asks the database for the organisation that a client is mapped to: once for a token and minute.
 */
static bool find_organisation(void *context, const char *client,
                              char organisation[ORGANISATION_MAX + 1]) {
    const app_context *app = context;
    arena *memory = arena_new();
    if (memory == NULL) {
        return false;
    }
    db_call call = {
        .statement = statement_organisation_of, .parameters = {client}, .safe_to_repeat = true};
    db_error error = {0};
    PGresult *result = db_call_run(app->connections, NULL, &call, &error, memory);
    bool found = result != NULL && PQntuples(result) == 1;
    snprintf(organisation, ORGANISATION_MAX + 1, "%s", found ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    arena_free(memory);
    return found;
}

static token_verifier *make_verifier(app_context *context, const unsigned char *subject_key) {
    token_rules rules;
    if (!command_token_rules(context->settings, &rules)) {
        return NULL;
    }
    rules.subject_key = subject_key;
    rules.subject_key_size = SECRET_SIZE;
    rules.scan_identifier = context->scan_identifier;
    rules.find_organisation = find_organisation;
    rules.context = context;
    return token_verifier_new(context->keys, &rules);
}

/* Two thirds of the connections to the database stay free of slow requests. */
static size_t slow_threads(const config *settings) {
    enum { PART = 3 };
    return settings->connections < PART ? 1 : (size_t)settings->connections / PART;
}

static bool make_parts(app_context *context, const statement *combined,
                       const unsigned char *subject_key, char *reason, size_t reason_size) {
    const config *settings = context->settings;
    keys_source source = command_keys_source(settings);
    context->keys = keys_new(&source, reason, reason_size);
    if (context->keys == NULL) {
        return false;
    }
    snprintf(reason, reason_size, "Memory or threads are out.");
    context->verifier = make_verifier(context, subject_key);
    context->rates = rate_limiter_new(settings->rate_limit, settings->organisation_rate_limit,
                                      settings->rate_window_seconds);
    context->memory = budget_new((size_t)settings->body_memory_mib << 20);
    context->slow = slow_work_new(slow_threads(settings));
    context->metrics = metrics_new();
    context->contract = served_contract_new(settings);
    const char *audit_options = settings->audit_durable ? "" : "-c register.audit_durable=off";
    context->connections =
        pool_new(settings->database, (size_t)settings->connections, audit_options);
    context->reads = audited_reads_new(context->connections, settings->database, audit_options);
    context->replicas = replica_router_new(context->connections, settings->read_database,
                                           (size_t)settings->connections);
    context->changes = feed_new(settings->database, (size_t)settings->waiting_max);
    context->feed_pages = shared_reads_new();
    context->pushes =
        group_commit_new(settings->database, (size_t)settings->push_connections, "", combined);
    context->change_version = change_version_new(settings->database);
    context->answers = answer_cache_new();
    return context->verifier != NULL && context->rates != NULL && context->memory != NULL &&
           context->slow != NULL && context->metrics != NULL && context->contract != NULL &&
           context->connections != NULL && context->replicas != NULL && context->reads != NULL &&
           context->pushes != NULL && context->changes != NULL && context->feed_pages != NULL &&
           context->change_version != NULL && context->answers != NULL && start_webhooks(context) &&
           contract_start();
}

static void free_parts(app_context *context) {
    group_commit_free(context->pushes);
    audited_reads_free(context->reads);
    deliverer_free(context->webhooks);
    targets_free(context->webhook_targets);
    feed_free(context->changes);
    shared_reads_free(context->feed_pages);
    change_version_free(context->change_version);
    answer_cache_free(context->answers);
    replica_router_free(context->replicas);
    pool_free(context->connections);
    token_verifier_free(context->verifier);
    keys_free(context->keys);
    rate_limiter_free(context->rates);
    slow_work_free(context->slow);
    budget_free(context->memory);
    metrics_free(context->metrics);
    served_contract_free(context->contract);
    contract_stop();
}

static int fail(int status, const char *reason) {
    fprintf(stderr, "learning-reviews: %s\n", reason);
    return status;
}

/* Secrets are in memory: no core file, no tracing by other processes of the user. */
static void guard_memory(void) {
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Ready means that the feed knows how far it is complete; the service starts even when the database
 * is unreachable. */
static void await_feed(feed *changes) {
    enum { TRIES = 200, PAUSE_US = 10000 };
    for (int tries = 0; tries < TRIES && feed_safe(changes) < 0; tries++) {
        usleep(PAUSE_US);
    }
}

int command_serve(const config *settings, const serve_parts *parts) {
    char reason[1024] = "";
    app_context context = {.settings = settings,
                           .scan_text = parts->scan_text,
                           .scan_identifier = parts->scan_identifier};
    unsigned char subject_key[SECRET_SIZE];
    sigset_t signals;
    if (!check_settings(settings, reason, sizeof reason) ||
        !read_secrets(&context, subject_key, reason, sizeof reason)) {
        return fail(EX_CONFIG, reason);
    }
    int database = check_database(settings, reason, sizeof reason);
    if (database != EX_OK) {
        return fail(database, reason);
    }
    if (!command_read_webhooks(settings, &context.webhook_targets, context.webhook_key, reason,
                               sizeof reason)) {
        return fail(EX_CONFIG, reason);
    }
    log_set_level((log_level)log_level_parse(settings->log_level));
    warn(settings);
    guard_memory();
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: all threads inherit it */
    int status = EX_OK;
    server *server = NULL;
    maintenance *maintenance = NULL;
    if (make_parts(&context, parts->combined, subject_key, reason, sizeof reason)) {
        maintenance = maintenance_start(&context);
        server = maintenance == NULL ? NULL : server_start(&context, reason, sizeof reason);
    }
    if (server == NULL) {
        status = fail(EX_CONFIG, reason);
    } else {
        log_write(LOG_INFO, "serving on %s, admin on %s", settings->listen, settings->admin_listen);
        await_feed(context.changes);
        notify_send("READY=1");
        attend(&context, server, &signals);
        notify_send("STOPPING=1");
        log_write(LOG_INFO, "draining");
        deliverer_stop(context.webhooks);
        server_stop(server);
        log_write(LOG_INFO, "stopped");
    }
    maintenance_stop(maintenance);
    free_parts(&context);
    return status;
}
