/* Open connections and since when their request is under way: the library's own timeout counts
 * inactivity only. */
#include "service/http/watch.h"

#include "service/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

typedef struct watched {
    struct watched *next, *previous;
    watch *home;
    peers *seats;
    int socket;
    void *request;          /* what the HTTP library keeps for the request under way; or NULL */
    atomic_bool busy;       /* a request is under way */
    atomic_bool waits;      /* it is parked */
    _Atomic(int64_t) since; /* milliseconds of a steady clock: when busy last changed */
} watched;

struct watch {
    pthread_mutex_t lock;
    watched *first;
    size_t count;
    int64_t request_ms, idle_ms;
    void (*drop)(void *request);
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

watch *watch_new(int request_seconds, int idle_seconds, void (*drop)(void *request)) {
    watch *all = calloc(1, sizeof *all);
    if (all != NULL) {
        pthread_mutex_init(&all->lock, NULL);
        all->drop = drop;
        all->request_ms = request_seconds * INT64_C(1000);
        all->idle_ms = idle_seconds * INT64_C(1000);
    }
    return all;
}

void watch_free(watch *all) {
    if (all == NULL) {
        return;
    }
    while (all->first != NULL) {
        watched *next = all->first->next;
        free(all->first);
        all->first = next;
    }
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static void add(const watch_door *door, struct MHD_Connection *connection, void **socket_context) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL) {
        return;
    }
    watched *one = memory_get(sizeof *one);
    memset(one, 0, sizeof *one);
    watch *all = door->all;
    one->home = all;
    one->seats = door->seats;
    one->socket = info->connect_fd;
    atomic_store(&one->since, now_ms());
    *socket_context = one;
    pthread_mutex_lock(&all->lock);
    one->next = all->first;
    if (all->first != NULL) {
        all->first->previous = one;
    }
    all->first = one;
    all->count++;
    pthread_mutex_unlock(&all->lock);
}

static void drop_request(watched *one) {
    if (one->request != NULL) {
        one->home->drop(one->request);
        one->request = NULL;
    }
}

static void take_out(watch *all, watched *one) {
    drop_request(one);
    peers_leave(one->seats, one->socket); /* before the number is given to another one */
    pthread_mutex_lock(&all->lock);
    if (one->previous == NULL) {
        all->first = one->next;
    } else {
        one->previous->next = one->next;
    }
    if (one->next != NULL) {
        one->next->previous = one->previous;
    }
    all->count--;
    pthread_mutex_unlock(&all->lock);
    free(one);
}

void watch_notify(void *door, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        add(door, connection, socket_context);
    } else if (*socket_context != NULL) {
        take_out(((const watch_door *)door)->all, *socket_context);
        *socket_context = NULL;
    }
}

static watched *find(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static void set_busy(watched *one, bool busy, bool waits) {
    atomic_store(&one->since, now_ms());
    atomic_store(&one->busy, busy);
    atomic_store(&one->waits, waits);
}

void watch_begin(struct MHD_Connection *connection, void *request) {
    watched *one = find(connection);
    if (one != NULL) {
        drop_request(one);
        one->request = request;
        set_busy(one, true, false);
    }
}

void watch_end(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        one->request = NULL;
        set_busy(one, false, false);
    }
}

void watch_wait(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        set_busy(one, true, true);
    }
}

void watch_resume(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        set_busy(one, true, false);
    }
}

static void close_older(watch *all, int64_t busy_ms, int64_t idle_ms) {
    int64_t now = now_ms();
    pthread_mutex_lock(&all->lock);
    for (watched *one = all->first; one != NULL; one = one->next) {
        int64_t most = atomic_load(&one->busy) ? busy_ms : idle_ms;
        if (!atomic_load(&one->waits) && now - atomic_load(&one->since) > most) {
            shutdown(one->socket, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&all->lock);
}

/* A connection that trickles its first line looks idle: it gets the idle time and the request time
 * together. */
void watch_close_late(watch *all) {
    close_older(all, all->request_ms, all->idle_ms + all->request_ms);
}

void watch_close_idle(watch *all) {
    close_older(all, INT64_MAX, 1000);
}

size_t watch_count(watch *all) {
    pthread_mutex_lock(&all->lock);
    size_t count = all->count;
    pthread_mutex_unlock(&all->lock);
    return count;
}
