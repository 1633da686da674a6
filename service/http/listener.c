/* Accepts connections and deals them out to the workers one by one. */
#include "service/http/listener.h"

#include "service/clock.h"
#include "service/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG =
        4096, /* when it is full, the system drops a connection, and its client retries after 1 s */
    SHORTAGE_US = 20000,
    LOG_EVERY_S = 10,
    ROOM_TRIES = 200, /* lets a worker close the connection that makes room */
    ROOM_US = 1000
};

struct listener {
    int socket;
    struct MHD_Daemon *daemon;
    const port_connections *port;
    pthread_t thread;
    atomic_bool stopping; /* set before the socket is shut down */
    time_t logged_at;     /* used by the thread alone: when it last logged that it cannot accept */
};

/* A flood of connections must not become a flood of log lines. */
static void log_throttled(listener *listener, const char *fate, const char *cause) {
    const time_t now = (time_t)(clock_us(CLOCK_MONOTONIC) / 1000000);
    if (listener->logged_at == 0 || now - listener->logged_at >= LOG_EVERY_S) {
        listener->logged_at = now;
        log_write(LOG_WARNING, "connections %s: %s", fate, cause);
    }
}

/* Accepting continues after every error, because no list of transient errors is complete (the
 * network can be down, a filter can forbid a connection). After an error that may last, the thread
 * pauses. */
static void handle_error(listener *listener, int error) {
    bool is_clients = error == EINTR || error == ECONNABORTED || error == EAGAIN || error == EPROTO;
    bool is_shortage = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    if (!is_clients) {
        const char *name = strerrorname_np(error);
        log_throttled(listener, "wait",
                      is_shortage    ? "descriptors or memory are out"
                      : name == NULL ? "they cannot be accepted"
                                     : name);
        usleep(SHORTAGE_US);
    }
}

/* Near the limit, an idle connection is evicted. Its worker may need a moment to close it; another
 * worker may not have seen its latest connections yet, which may be idle. */
static void make_room(const listener *listener, const struct sockaddr *from) {
    connection_limit *limit = listener->port->limit;
    bool coming = connection_limit_is_near(limit) && connection_table_evict(listener->port);
    for (int tries = 0; tries < ROOM_TRIES && !connection_limit_has_room(limit, from); tries++) {
        if (!coming && !connection_limit_has_arriving(limit)) {
            return;
        }
        usleep(ROOM_US);
        coming = coming || connection_table_evict(listener->port);
    }
}

static void admit(listener *listener, int client, const struct sockaddr *from, socklen_t size) {
    make_room(listener, from);
    const char *full = connection_limit_acquire(listener->port->limit, client, from);
    if (full != NULL) {
        log_throttled(listener, "are refused", full);
        close(client);
        return;
    }
    /* The daemon chooses the worker by the descriptor's number, and closes a connection that it
     * cannot take. */
    if (MHD_add_connection(listener->daemon, client, from, size) != MHD_YES) {
        connection_limit_release(listener->port->limit, client);
    }
}

static void *run(void *argument) {
    listener *listener = argument;
    while (!atomic_load(&listener->stopping)) {
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        int client = accept4(listener->socket, (struct sockaddr *)&from, &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0) {
            admit(listener, client, (struct sockaddr *)&from, size);
        } else if (!atomic_load(&listener->stopping)) {
            handle_error(listener, errno);
        }
    }
    return NULL;
}

static int open_socket(const struct addrinfo *address) {
    const int on = 1;
    int made =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (made < 0) {
        return -1;
    }
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted sockets inherit it */
    if (bind(made, address->ai_addr, address->ai_addrlen) == 0 && listen(made, BACKLOG) == 0) {
        return made;
    }
    int error = errno;
    close(made);
    errno = error;
    return -1;
}

listener *listener_new(const struct addrinfo *address, struct MHD_Daemon *daemon,
                       const port_connections *port) {
    listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        return NULL;
    }
    listener->daemon = daemon;
    listener->port = port;
    listener->socket = open_socket(address);
    int error =
        listener->socket < 0 ? errno : pthread_create(&listener->thread, NULL, run, listener);
    if (error == 0) {
        return listener;
    }
    if (listener->socket >= 0) {
        close(listener->socket);
    }
    free(listener);
    errno = error;
    return NULL;
}

void listener_free(listener *listener) {
    if (listener == NULL) {
        return;
    }
    atomic_store(&listener->stopping, true);
    shutdown(listener->socket, SHUT_RDWR); /* ends the current accept */
    pthread_join(listener->thread, NULL);
    close(listener->socket);
    free(listener);
}
