/* Accepts connections and deals them out to the workers one by one. */
#include "service/http/accept.h"

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
        4096, /* beyond it the system drops a connection, whose client tries again after 1 s */
    SHORTAGE_US = 20000,
    TELL_EVERY_S = 10,
    ROOM_TRIES = 200, /* for a connection that makes room to be closed */
    ROOM_US = 1000
};

struct acceptor {
    int socket;
    struct MHD_Daemon *daemon;
    const watch_door *door;
    pthread_t thread;
    atomic_bool stopping; /* set before the socket is shut down */
    time_t told;          /* of the thread alone: when it last logged that it cannot accept */
};

/* A flood of connections must not become a flood of lines. */
static void tell(acceptor *running, const char *fate, const char *cause) {
    const time_t now = (time_t)(clock_us(CLOCK_MONOTONIC) / 1000000);
    if (running->told == 0 || now - running->told >= TELL_EVERY_S) {
        running->told = now;
        log_write(LOG_WARNING, "connections %s: %s", fate, cause);
    }
}

/* Accepting goes on after every error, because no list of those that pass is complete (the network
 * can be down, a filter can forbid it). What may last is waited for. */
static void pass_over(acceptor *running, int error) {
    bool is_clients = error == EINTR || error == ECONNABORTED || error == EAGAIN || error == EPROTO;
    bool is_shortage = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
    if (!is_clients) {
        const char *name = strerrorname_np(error);
        tell(running, "wait",
             is_shortage    ? "descriptors or memory are out"
             : name == NULL ? "they cannot be accepted"
                            : name);
        usleep(SHORTAGE_US);
    }
}

/* Where places get few, an idle connection makes room. The worker that closes it may take a moment,
 * and so may one that has not seen its latest connections yet, which may be idle. */
static void make_room(const acceptor *running, const struct sockaddr *from) {
    peers *seats = running->door->seats;
    bool coming = peers_crowded(seats) && watch_make_room(running->door);
    for (int tries = 0; tries < ROOM_TRIES && !peers_has_room(seats, from); tries++) {
        if (!coming && !peers_arriving(seats)) {
            return;
        }
        usleep(ROOM_US);
        coming = coming || watch_make_room(running->door);
    }
}

static void take(acceptor *running, int client, const struct sockaddr *from, socklen_t size) {
    make_room(running, from);
    const char *full = peers_enter(running->door->seats, client, from);
    if (full != NULL) {
        tell(running, "are refused", full);
        close(client);
        return;
    }
    /* The daemon chooses the worker by the descriptor's number, and closes what it cannot take. */
    if (MHD_add_connection(running->daemon, client, from, size) != MHD_YES) {
        peers_leave(running->door->seats, client);
    }
}

static void *accept_all(void *argument) {
    acceptor *running = argument;
    while (!atomic_load(&running->stopping)) {
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        int client =
            accept4(running->socket, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0) {
            take(running, client, (struct sockaddr *)&from, size);
        } else if (!atomic_load(&running->stopping)) {
            pass_over(running, errno);
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

acceptor *acceptor_new(const struct addrinfo *address, struct MHD_Daemon *daemon,
                       const watch_door *door) {
    acceptor *running = calloc(1, sizeof *running);
    if (running == NULL) {
        return NULL;
    }
    running->daemon = daemon;
    running->door = door;
    running->socket = open_socket(address);
    int error =
        running->socket < 0 ? errno : pthread_create(&running->thread, NULL, accept_all, running);
    if (error == 0) {
        return running;
    }
    if (running->socket >= 0) {
        close(running->socket);
    }
    free(running);
    errno = error;
    return NULL;
}

void acceptor_free(acceptor *running) {
    if (running == NULL) {
        return;
    }
    atomic_store(&running->stopping, true);
    shutdown(running->socket, SHUT_RDWR); /* ends the accept under way */
    pthread_join(running->thread, NULL);
    close(running->socket);
    free(running);
}
