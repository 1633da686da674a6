/* Open connections and since when their request is under way: the library's own timeout counts
 * inactivity only. */
#include "service/http/watch.h"

#include "service/clock.h"
#include "service/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef enum stage {
    SILENT,  /* nothing came, or not all headers of a request */
    IDLE,    /* between two requests */
    BUSY,    /* the headers are complete */
    WAITING, /* the request is parked */
    SENDING, /* the answer goes out */
} stage;

typedef struct watched {
    struct watched *next, *previous;
    watch *home;
    peers *seats;
    int socket;
    bool exempt;     /* of a proxy */
    bool unread;     /* a body is on its way that nobody reads */
    void *request;   /* what the HTTP library keeps for the request under way; or NULL */
    atomic_bool cut; /* shut down already */
    atomic_int stage;
    _Atomic(int64_t) since; /* milliseconds of a steady clock: when the stage's time began */
} watched;

enum { READING_MS = 1000, DRAIN_IDLE_MS = 1000 }; /* an answer that is read takes less */

struct watch {
    pthread_mutex_t lock;
    watched *first;
    size_t count;
    int64_t header_ms, request_ms, idle_ms;
    discarder *unread;
    void (*drop)(void *request);
    atomic_ullong evicted;
};

watch *watch_new(const watch_limits *limits, discarder *unread, void (*drop)(void *request)) {
    watch *all = calloc(1, sizeof *all);
    if (all != NULL) {
        pthread_mutex_init(&all->lock, NULL);
        all->drop = drop;
        all->unread = unread;
        all->header_ms = limits->header_seconds * INT64_C(1000);
        all->request_ms = limits->request_seconds * INT64_C(1000);
        all->idle_ms = limits->idle_seconds * INT64_C(1000);
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
    one->exempt = peers_arrive(door->seats, one->socket);
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

/* Keeps the socket open beyond the library's own descriptor for it. */
static void leave_to_discarder(watch *all, const watched *one) {
    int kept = fcntl(one->socket, F_DUPFD_CLOEXEC, 0);
    if (kept >= 0) {
        peers_move(one->seats, one->socket, kept);
        discarder_take(all->unread, one->seats, kept);
    }
}

static void take_out(watch *all, watched *one) {
    drop_request(one);
    if (one->unread && !atomic_load(&one->cut)) {
        leave_to_discarder(all, one);
    }
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

static void set_stage(watched *one, stage now) {
    atomic_store(&one->since, now_ms());
    atomic_store(&one->stage, (int)now);
}

/* The time of the first request has begun with the connection. */
void watch_begin(struct MHD_Connection *connection, void *request) {
    watched *one = find(connection);
    if (one != NULL) {
        drop_request(one);
        one->request = request;
        if (atomic_load(&one->stage) != SILENT) {
            set_stage(one, SILENT);
        }
    }
}

void watch_headers(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        set_stage(one, BUSY);
    }
}

/* The time of the request goes on. */
void watch_answer(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL && atomic_load(&one->stage) == BUSY) {
        atomic_store(&one->stage, SENDING);
    }
}

void watch_end(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        one->request = NULL;
        set_stage(one, IDLE);
    }
}

void watch_leave_unread(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        one->unread = true;
    }
}

void watch_wait(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        set_stage(one, WAITING);
    }
}

void watch_resume(struct MHD_Connection *connection) {
    watched *one = find(connection);
    if (one != NULL) {
        set_stage(one, BUSY);
    }
}

/* Under the lock. */
static void cut(watched *one) {
    if (!atomic_exchange(&one->cut, true)) {
        shutdown(one->socket, SHUT_RDWR);
    }
}

/* `most` has the time that each stage may last. */
static void close_older(watch *all, const int64_t *most) {
    int64_t now = now_ms();
    pthread_mutex_lock(&all->lock);
    for (watched *one = all->first; one != NULL; one = one->next) {
        if (now - atomic_load(&one->since) > most[atomic_load(&one->stage)]) {
            cut(one);
        }
    }
    pthread_mutex_unlock(&all->lock);
}

/* A connection that trickles its next request line looks idle: it gets the idle time and the time
 * of the headers together. */
void watch_close_late(watch *all) {
    const int64_t most[] = {[SILENT] = all->header_ms,
                            [IDLE] = all->idle_ms + all->header_ms,
                            [BUSY] = all->request_ms,
                            [WAITING] = INT64_MAX,
                            [SENDING] = all->request_ms};
    close_older(all, most);
}

void watch_close_idle(watch *all) {
    const int64_t most[] = {[SILENT] = DRAIN_IDLE_MS,
                            [IDLE] = DRAIN_IDLE_MS,
                            [BUSY] = INT64_MAX,
                            [WAITING] = INT64_MAX,
                            [SENDING] = INT64_MAX};
    close_older(all, most);
}

/* Which connections make room first: the lower, the sooner; negative: not at all. */
static int rank(const watched *one, int64_t now) {
    switch ((stage)atomic_load(&one->stage)) {
    case SILENT:
        return 0;
    case IDLE:
        return 1;
    case SENDING:
        return now - atomic_load(&one->since) > READING_MS ? 2 : -1;
    case BUSY:
    case WAITING:
        break;
    }
    return -1;
}

/* Under the lock. A look at all connections takes microseconds. `ending` says whether there is one
 * that was cut and is not closed yet. */
static watched *find_idlest(const watch_door *door, bool *ending) {
    watched *idlest = NULL;
    int lowest = 0;
    int64_t oldest = 0, now = now_ms();
    for (watched *one = door->all->first; one != NULL; one = one->next) {
        if (one->seats != door->seats || atomic_load(&one->cut)) {
            *ending = *ending || one->seats == door->seats;
            continue;
        }
        int own = rank(one, now);
        if (own < 0 || one->exempt) {
            continue;
        }
        int64_t since = atomic_load(&one->since);
        if (idlest == NULL || own < lowest || (own == lowest && since < oldest)) {
            idlest = one;
            lowest = own;
            oldest = since;
        }
    }
    return idlest;
}

bool watch_make_room(const watch_door *door) {
    bool ending = false;
    pthread_mutex_lock(&door->all->lock);
    watched *idlest = find_idlest(door, &ending);
    if (idlest != NULL) {
        cut(idlest);
        atomic_fetch_add(&door->all->evicted, 1);
    }
    pthread_mutex_unlock(&door->all->lock);
    return idlest != NULL || ending;
}

unsigned long long watch_evicted(watch *all) {
    return atomic_load(&all->evicted);
}

size_t watch_count(watch *all) {
    pthread_mutex_lock(&all->lock);
    size_t count = all->count;
    pthread_mutex_unlock(&all->lock);
    return count;
}
