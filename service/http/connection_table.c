/* Open connections and the start time of their requests: the library's own timeout measures
 * inactivity only. */
#include "service/http/connection_table.h"

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
    SILENT,  /* nothing arrived, or the headers of a request are incomplete */
    IDLE,    /* between two requests */
    BUSY,    /* the headers are complete */
    WAITING, /* the request is a long poll */
    SENDING, /* the answer is being sent */
} stage;

typedef struct tracked_connection {
    struct tracked_connection *next, *previous;
    connection_table *home;
    connection_limit *limit;
    int socket;
    bool exempt;           /* belongs to a proxy */
    bool unread;           /* a body that will not be read is arriving */
    void *request;         /* what the HTTP library stores for the current request; or NULL */
    atomic_bool shut_down; /* shut down already */
    atomic_int stage;
    _Atomic(int64_t) since; /* start of the current stage, in milliseconds of a steady clock */
} tracked_connection;

enum { READING_MS = 1000, DRAIN_IDLE_MS = 1000 }; /* a client that reads its answer takes less */

struct connection_table {
    pthread_mutex_t lock;
    tracked_connection *first;
    size_t count;
    int64_t header_ms, request_ms, idle_ms;
    discarder *unread;
    void (*drop)(void *request);
    atomic_ullong evicted;
};

connection_table *connection_table_new(const connection_timeouts *timeouts, discarder *unread,
                                       void (*drop)(void *request)) {
    connection_table *table = calloc(1, sizeof *table);
    if (table != NULL) {
        pthread_mutex_init(&table->lock, NULL);
        table->drop = drop;
        table->unread = unread;
        table->header_ms = timeouts->header_seconds * INT64_C(1000);
        table->request_ms = timeouts->request_seconds * INT64_C(1000);
        table->idle_ms = timeouts->idle_seconds * INT64_C(1000);
    }
    return table;
}

void connection_table_free(connection_table *table) {
    if (table == NULL) {
        return;
    }
    while (table->first != NULL) {
        tracked_connection *next = table->first->next;
        free(table->first);
        table->first = next;
    }
    pthread_mutex_destroy(&table->lock);
    free(table);
}

static void add_connection(const port_connections *port, struct MHD_Connection *connection,
                           void **socket_context) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == NULL) {
        return;
    }
    tracked_connection *tracked = memory_get(sizeof *tracked);
    memset(tracked, 0, sizeof *tracked);
    connection_table *table = port->table;
    tracked->home = table;
    tracked->limit = port->limit;
    tracked->socket = info->connect_fd;
    tracked->exempt = connection_limit_arrive(port->limit, tracked->socket);
    atomic_store(&tracked->since, now_ms());
    *socket_context = tracked;
    pthread_mutex_lock(&table->lock);
    tracked->next = table->first;
    if (table->first != NULL) {
        table->first->previous = tracked;
    }
    table->first = tracked;
    table->count++;
    pthread_mutex_unlock(&table->lock);
}

static void drop_request(tracked_connection *tracked) {
    if (tracked->request != NULL) {
        tracked->home->drop(tracked->request);
        tracked->request = NULL;
    }
}

/* Keeps the socket open beyond the library's own descriptor for it. */
static void hand_to_discarder(connection_table *table, const tracked_connection *tracked) {
    int kept = fcntl(tracked->socket, F_DUPFD_CLOEXEC, 0);
    if (kept >= 0) {
        connection_limit_move(tracked->limit, tracked->socket, kept);
        discarder_take(table->unread, tracked->limit, kept);
    }
}

static void remove_connection(connection_table *table, tracked_connection *tracked) {
    drop_request(tracked);
    if (tracked->unread && !atomic_load(&tracked->shut_down)) {
        hand_to_discarder(table, tracked);
    }
    connection_limit_release(tracked->limit,
                             tracked->socket); /* before the descriptor's number is used again */
    pthread_mutex_lock(&table->lock);
    if (tracked->previous == NULL) {
        table->first = tracked->next;
    } else {
        tracked->previous->next = tracked->next;
    }
    if (tracked->next != NULL) {
        tracked->next->previous = tracked->previous;
    }
    table->count--;
    pthread_mutex_unlock(&table->lock);
    free(tracked);
}

void connection_table_notify(void *port, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        add_connection(port, connection, socket_context);
    } else if (*socket_context != NULL) {
        remove_connection(((const port_connections *)port)->table, *socket_context);
        *socket_context = NULL;
    }
}

static tracked_connection *find_connection(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static void set_stage(tracked_connection *tracked, stage now) {
    atomic_store(&tracked->since, now_ms());
    atomic_store(&tracked->stage, (int)now);
}

/* The time of the first request began with the connection. */
void connection_request_started(struct MHD_Connection *connection, void *request) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL) {
        drop_request(tracked);
        tracked->request = request;
        if (atomic_load(&tracked->stage) != SILENT) {
            set_stage(tracked, SILENT);
        }
    }
}

void connection_headers_complete(struct MHD_Connection *connection) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL) {
        set_stage(tracked, BUSY);
    }
}

/* The time of the request continues. */
void connection_response_started(struct MHD_Connection *connection) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL && atomic_load(&tracked->stage) == BUSY) {
        atomic_store(&tracked->stage, SENDING);
    }
}

void connection_request_completed(struct MHD_Connection *connection) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL) {
        tracked->request = NULL;
        set_stage(tracked, IDLE);
    }
}

void connection_discard_body(struct MHD_Connection *connection) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL) {
        tracked->unread = true;
    }
}

void connection_suspended(struct MHD_Connection *connection) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL) {
        set_stage(tracked, WAITING);
    }
}

void connection_resumed(struct MHD_Connection *connection) {
    tracked_connection *tracked = find_connection(connection);
    if (tracked != NULL) {
        set_stage(tracked, BUSY);
    }
}

/* The caller holds the lock. */
static void shut_down(tracked_connection *tracked) {
    if (!atomic_exchange(&tracked->shut_down, true)) {
        shutdown(tracked->socket, SHUT_RDWR);
    }
}

/* `max` is the longest duration of each stage. */
static void close_older(connection_table *table, const int64_t *max) {
    int64_t now = now_ms();
    pthread_mutex_lock(&table->lock);
    for (tracked_connection *tracked = table->first; tracked != NULL; tracked = tracked->next) {
        if (now - atomic_load(&tracked->since) > max[atomic_load(&tracked->stage)]) {
            shut_down(tracked);
        }
    }
    pthread_mutex_unlock(&table->lock);
}

/* A connection that sends its next request line slowly looks idle: it gets the idle time plus the
 * time of the headers. */
void connection_table_close_expired(connection_table *table) {
    const int64_t max[] = {[SILENT] = table->header_ms,
                           [IDLE] = table->idle_ms + table->header_ms,
                           [BUSY] = table->request_ms,
                           [WAITING] = INT64_MAX,
                           [SENDING] = table->request_ms};
    close_older(table, max);
}

void connection_table_close_idle(connection_table *table) {
    const int64_t max[] = {[SILENT] = DRAIN_IDLE_MS,
                           [IDLE] = DRAIN_IDLE_MS,
                           [BUSY] = INT64_MAX,
                           [WAITING] = INT64_MAX,
                           [SENDING] = INT64_MAX};
    close_older(table, max);
}

/* Returns the order in which connections are evicted: lower values first; negative: never. */
static int eviction_rank(const tracked_connection *tracked, int64_t now) {
    switch ((stage)atomic_load(&tracked->stage)) {
    case SILENT:
        return 0;
    case IDLE:
        return 1;
    case SENDING:
        return now - atomic_load(&tracked->since) > READING_MS ? 2 : -1;
    case BUSY:
    case WAITING:
        break;
    }
    return -1;
}

/* The caller holds the lock. Reading all connections takes microseconds. `ending` says whether one
 * was shut down and is not closed yet. */
static tracked_connection *find_idlest(const port_connections *port, bool *ending) {
    tracked_connection *candidate = NULL;
    int lowest = 0;
    int64_t oldest = 0, now = now_ms();
    for (tracked_connection *tracked = port->table->first; tracked != NULL;
         tracked = tracked->next) {
        if (tracked->limit != port->limit || atomic_load(&tracked->shut_down)) {
            *ending = *ending || tracked->limit == port->limit;
            continue;
        }
        int own = eviction_rank(tracked, now);
        if (own < 0 || tracked->exempt) {
            continue;
        }
        int64_t since = atomic_load(&tracked->since);
        if (candidate == NULL || own < lowest || (own == lowest && since < oldest)) {
            candidate = tracked;
            lowest = own;
            oldest = since;
        }
    }
    return candidate;
}

bool connection_table_evict(const port_connections *port) {
    bool ending = false;
    pthread_mutex_lock(&port->table->lock);
    tracked_connection *candidate = find_idlest(port, &ending);
    if (candidate != NULL) {
        shut_down(candidate);
        atomic_fetch_add(&port->table->evicted, 1);
    }
    pthread_mutex_unlock(&port->table->lock);
    return candidate != NULL || ending;
}

unsigned long long connection_table_evicted(connection_table *table) {
    return atomic_load(&table->evicted);
}

size_t connection_table_count(connection_table *table) {
    pthread_mutex_lock(&table->lock);
    size_t count = table->count;
    pthread_mutex_unlock(&table->lock);
    return count;
}
