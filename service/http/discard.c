/* Closes connections whose client is still sending a body that the service will not read.
 *
 * A request that is refused at its headers is answered while its body is arriving. If the socket
 * were closed then, the kernel would answer the rest of the body with a reset, and a client that
 * receives a reset loses what it has not read yet: the answer. So the service sends the answer,
 * closes its half of the connection, and reads and discards the body until the client closes its
 * half (RFC 9112 section 9.6). This costs a descriptor and no memory, and is limited in time, bytes
 * and number. */
#include "service/http/discard.h"

#include "service/clock.h"
#include "service/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BYTES_MAX = 8 * 1024 * 1024, PIECE = 64 * 1024, EVENTS_MAX = 64, TICK_MS = 500 };

typedef struct unread {
    struct unread *next;
    connection_limit *limit;
    int socket;
    int64_t until_ms;
    size_t read;
    bool over; /* the thread closes it */
} unread;

struct discarder {
    pthread_mutex_t lock;
    pthread_t thread;
    int events, wake;
    unread *first, *last; /* the oldest one first */
    size_t max;
    atomic_size_t count;
    int64_t time_ms;
    atomic_bool stopping;
};

/* Returns whether the client is done, or has sent as much as it may. */
static bool discard(unread *one) {
    static char piece[PIECE]; /* used by one thread only */
    ssize_t size;
    while ((size = read(one->socket, piece, sizeof piece)) > 0) {
        one->read += (size_t)size;
        if (one->read > BYTES_MAX) {
            return true;
        }
    }
    return size == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Closes the finished and late ones, and the oldest ones when there are too many. */
static void sweep(discarder *discarder, int64_t now) {
    pthread_mutex_lock(&discarder->lock);
    discarder->last = NULL;
    for (unread **link = &discarder->first; *link != NULL;) {
        unread *one = *link;
        bool too_many = atomic_load(&discarder->count) > discarder->max;
        if (!one->over && one->until_ms > now && !too_many) {
            discarder->last = one;
            link = &one->next;
            continue;
        }
        *link = one->next;
        /* Closing alone is not enough: the library may still have its own descriptor. */
        epoll_ctl(discarder->events, EPOLL_CTL_DEL, one->socket, NULL);
        connection_limit_release(one->limit,
                                 one->socket); /* before the descriptor's number is used again */
        close(one->socket);
        free(one);
        atomic_fetch_sub(&discarder->count, 1);
    }
    pthread_mutex_unlock(&discarder->lock);
}

static void *read_all(void *argument) {
    discarder *discarder = argument;
    while (!atomic_load(&discarder->stopping)) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(discarder->events, events, EVENTS_MAX, TICK_MS);
        for (int i = 0; i < count; i++) {
            unread *one = events[i].data.ptr;
            if (one != NULL) {
                one->over = discard(one);
            } else {
                uint64_t ignored;
                (void)!read(discarder->wake, &ignored, sizeof ignored);
            }
        }
        sweep(discarder, now_ms());
    }
    return NULL;
}

static bool wait_for(discarder *discarder, int socket, unread *one) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = one};
    return epoll_ctl(discarder->events, EPOLL_CTL_ADD, socket, &event) == 0;
}

static void wake_thread(discarder *discarder) {
    (void)!write(discarder->wake, &(uint64_t){1}, sizeof(uint64_t));
}

discarder *discarder_new(size_t max, int seconds) {
    discarder *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->max = max;
    made->time_ms = seconds * INT64_C(1000);
    made->events = epoll_create1(EPOLL_CLOEXEC);
    made->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&made->lock, NULL);
    if (made->events >= 0 && made->wake >= 0 && wait_for(made, made->wake, NULL) &&
        pthread_create(&made->thread, NULL, read_all, made) == 0) {
        return made;
    }
    close(made->events);
    close(made->wake);
    pthread_mutex_destroy(&made->lock);
    free(made);
    return NULL;
}

void discarder_free(discarder *discarder) {
    if (discarder == NULL) {
        return;
    }
    atomic_store(&discarder->stopping, true);
    wake_thread(discarder);
    pthread_join(discarder->thread, NULL);
    sweep(discarder, INT64_MAX);
    close(discarder->events);
    close(discarder->wake);
    pthread_mutex_destroy(&discarder->lock);
    free(discarder);
}

void discarder_take(discarder *discarder, connection_limit *limit, int socket) {
    unread *one = memory_get(sizeof *one);
    *one = (unread){.limit = limit, .socket = socket, .until_ms = now_ms() + discarder->time_ms};
    pthread_mutex_lock(&discarder->lock);
    if (discarder->last == NULL) {
        discarder->first = one;
    } else {
        discarder->last->next = one;
    }
    discarder->last = one;
    atomic_fetch_add(&discarder->count, 1);
    /* Under the lock, so that the thread cannot have freed it. If epoll cannot watch the socket,
     * the next sweep closes it. */
    if (!wait_for(discarder, socket, one)) {
        one->until_ms = 0;
    }
    if (atomic_load(&discarder->count) > discarder->max) {
        wake_thread(discarder);
    }
    pthread_mutex_unlock(&discarder->lock);
}

size_t discarder_count(discarder *discarder) {
    return atomic_load(&discarder->count);
}
