/* The HTTP servers: ulfius on libmicrohttpd's epoll workers, with limits, deadlines and an orderly
 * end. */
#include "service/http/server.h"

#include "service/http/admin.h"
#include "service/http/admission.h"
#include "service/http/listener.h"
#include "service/listen.h"
#include "service/log.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ulfius.h>
#include <unistd.h>

enum {
    OPTIONS_MAX = 24,
    THREAD_STACK = 1024 * 1024,
    HEADER_MEMORY = 16 * 1024, /* of a connection; libmicrohttpd fills it all when a request ends */
    ADMIN_WORKERS = 1,
    LINGERING_PART = 8, /* one connection in eight may discard a body */
    TICK_US = 20000
};

typedef struct server_port {
    struct _u_instance instance;
    struct addrinfo *address;
    listener *listener;
    port_connections port;
    connection_limit *limit;
    admission way;
    bool initialised, started;
} server_port;

struct server {
    app_context *context;
    discarder *unread;
    connection_table *connections;
    server_port api, admin;
    char *certificate, *private_key;
};

/* The library's own messages may contain client data: only the fact is logged, and the message is
 * never used as a format. */
static void log_library(void *unused, const char *format, va_list arguments) {
    (void)unused;
    (void)format;
    (void)arguments;
    log_write(LOG_DEBUG, "the HTTP library reported a fault of a connection");
}

typedef struct limits {
    unsigned int workers, connections, address_connections, idle_seconds;
    const char *exempt; /* addresses without a limit of their own */
    const char *certificate, *private_key;
    connection_table *table;
} limits;

static bool start_port(server_port *one, const char *setting, const char *text,
                       const limits *bounds,
                       int (*callback)(const struct _u_request *, struct _u_response *, void *),
                       void *context, char *reason, size_t reason_size) {
    one->address = listen_resolve(setting, text, false, reason, reason_size);
    if (one->address == NULL) {
        return false;
    }
    one->limit = connection_limit_new((int)bounds->connections, (int)bounds->address_connections,
                                      bounds->exempt, reason, reason_size);
    if (one->limit == NULL) {
        return false;
    }
    one->port = (port_connections){.table = bounds->table, .limit = one->limit};
    /* The port only satisfies ulfius: the listener binds the address. */
    one->initialised = ulfius_init_instance(&one->instance, 65535, NULL, NULL) == U_OK;
    if (!one->initialised ||
        ulfius_set_default_endpoint(&one->instance, callback, context) != U_OK) {
        snprintf(reason, reason_size, "The HTTP library could not be started: out of memory.");
        return false;
    }
    one->instance.allowed_post_processor = 0;
    one->instance.check_utf8 = 0; /* our own checks refuse instead of dropping */
    struct MHD_OptionItem options[OPTIONS_MAX] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)log_library,
         NULL}, /* first: the logger reports on the others */
        {MHD_OPTION_THREAD_POOL_SIZE, bounds->workers, NULL},
        {MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK, NULL},
        /* Never reached, because the listener's limit is lower: a worker of libmicrohttpd 0.9.75
         * that reaches its share waits for itself indefinitely. */
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)bounds->workers * (bounds->connections + 1), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, bounds->idle_seconds, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_MEMORY, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)admission_end, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)admission_begin, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_table_notify, &one->port},
    };
    size_t count = 0;
    while (options[count].option != MHD_OPTION_END) {
        count++;
    }
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                         MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
    if (bounds->private_key != NULL) {
        flags |= MHD_USE_TLS;
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
                                                   (void *)(uintptr_t)bounds->private_key};
        options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
                                                   (void *)(uintptr_t)bounds->certificate};
        options[count++] = (struct MHD_OptionItem){
            MHD_OPTION_HTTPS_PRIORITIES, 0,
            (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-"
                                "GCM:+AES-128-GCM:+CHACHA20-POLY1305:-RSA:%SERVER_PRECEDENCE"};
    }
    options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    one->started = intercept_start(&one->instance, flags, options,
                                   (mhd_handler){admission_handle, &one->way}, &one->way.inner);
    if (!one->started) {
        snprintf(reason, reason_size,
                 "%s: the HTTP library did not start; is memory out, or does it refuse the "
                 "certificate or its key?",
                 setting);
        return false;
    }
    one->listener = listener_new(one->address, one->instance.mhd_daemon, &one->port);
    if (one->listener == NULL) {
        listen_explain(setting, text, errno, reason, reason_size);
    }
    return one->listener != NULL;
}

static void close_listener(server_port *one) {
    listener_free(one->listener);
    one->listener = NULL;
}

/* Keeps the connection limit: until both listeners are stopped, /metrics reads the limit of the
 * API. */
static void stop_port(server_port *one) {
    close_listener(one);
    if (one->started) {
        ulfius_stop_framework(&one->instance);
    }
    if (one->initialised) {
        ulfius_clean_instance(&one->instance);
    }
    if (one->address != NULL) {
        freeaddrinfo(one->address);
    }
}

static char *read_text(const char *path, char *reason, size_t reason_size) {
    size_t size = 0;
    FILE *in = fopen(path, "re");
    int error = errno;
    char *text = in == NULL ? NULL : calloc(1, 65536);
    if (text != NULL) {
        size = fread(text, 1, 65535, in);
    }
    if (in != NULL) {
        fclose(in);
    }
    if (size == 0) {
        snprintf(reason, reason_size, "%s (certificate or key for TLS) cannot be read: %s.", path,
                 in == NULL ? strerror(error) : "it is empty");
        free(text);
        return NULL;
    }
    return text;
}

static void free_server(server *server) {
    stop_port(&server->api);
    stop_port(&server->admin);
    discarder_free(server->unread);
    connection_limit_free(server->api.limit);
    connection_limit_free(server->admin.limit);
    connection_table_free(server->connections);
    free(server->certificate);
    if (server->private_key != NULL) {
        explicit_bzero(server->private_key, strlen(server->private_key));
        free(server->private_key);
    }
    free(server);
}

server *server_start(app_context *context, char *reason, size_t reason_size) {
    const config *settings = context->settings;
    server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    server->context = context;
    server->unread = discarder_new((size_t)settings->connections_max / LINGERING_PART,
                                   settings->request_seconds);
    server->connections =
        connection_table_new(&(connection_timeouts){.header_seconds = settings->header_seconds,
                                                    .request_seconds = settings->request_seconds,
                                                    .idle_seconds = settings->idle_seconds},
                             server->unread, admission_drop);
    if (server->unread == NULL || server->connections == NULL) {
        snprintf(reason, reason_size, "Memory, threads or descriptors are out.");
        free_server(server);
        return NULL;
    }
    server->api.way.context = context;
    context->connections_open = server->connections;
    if (settings->tls_key_file != NULL) {
        server->certificate = read_text(settings->tls_certificate_file, reason, reason_size);
        server->private_key = read_text(settings->tls_key_file, reason, reason_size);
        if (server->certificate == NULL || server->private_key == NULL) {
            free_server(server);
            return NULL;
        }
    }
    limits api = {.workers = (unsigned int)settings->workers,
                  .connections = (unsigned int)settings->connections_max,
                  .address_connections = (unsigned int)settings->address_connections_max,
                  .exempt = settings->trusted_proxies,
                  .idle_seconds = (unsigned int)settings->idle_seconds,
                  .certificate = server->certificate,
                  .private_key = server->private_key,
                  .table = server->connections};
    limits admin = {.workers = ADMIN_WORKERS,
                    .connections = ADMIN_CONNECTIONS,
                    .address_connections = ADMIN_CONNECTIONS,
                    .exempt = "",
                    .idle_seconds = (unsigned int)settings->idle_seconds,
                    .table = server->connections};
    /* The admin server starts last: when it reports ready, the API must accept connections. */
    bool serving = start_port(&server->api, "LR_LISTEN", settings->listen, &api, admission_serve,
                              NULL, reason, reason_size);
    context->connection_limit = server->api.limit;
    if (!serving || !start_port(&server->admin, "LR_ADMIN_LISTEN", settings->admin_listen, &admin,
                                admin_serve, context, reason, reason_size)) {
        free_server(server);
        return NULL;
    }
    return server;
}

void server_close_expired(server *server) {
    connection_table_close_expired(server->connections);
}

/* While draining, every answer says Connection: close, so that clients leave by themselves. */
static void drain(server *server) {
    const config *settings = server->context->settings;
    close_listener(&server->api);
    long ticks = settings->drain_seconds * 1000000L / TICK_US;
    while (ticks-- > 0 && (connection_table_count(server->connections) > 0 ||
                           discarder_count(server->unread) > 0)) {
        usleep(TICK_US);
        connection_table_close_idle(server->connections);
    }
}

void server_stop(server *server) {
    atomic_store(&server->context->draining, true);
    feed_close(server->context->changes); /* waiting clients continue at another instance */
    sleep((unsigned int)server->context->settings->drain_grace_seconds);
    drain(server);
    slow_work_stop(server->context->slow); /* suspended connections continue */
    free_server(server);
}
