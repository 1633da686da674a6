/* Requests that wait until something happens. */
#include "service/http/long_poll.h"

#include "service/clock.h"
#include "service/http/connection_table.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

typedef struct long_poll {
    feed_waiter waiter; /* first member: the feed has a pointer to it */
    request r; /* all that it points to lives in its own memory, or until the library is done with
                  the request */
    const void *fallback;
    size_t fallback_size;
    int socket;
    bool answered; /* r.response is the body */
} long_poll;

/* Runs on the request's own worker, like everything that touches the connection except resuming. */
static void suspend_connection(feed_waiter *self) {
    long_poll *waiting = (long_poll *)(void *)self;
    connection_suspended(waiting->r.connection);
    MHD_suspend_connection(waiting->r.connection);
}

static void resume_connection(feed_waiter *self) {
    MHD_resume_connection(((long_poll *)(void *)self)->r.connection);
}

static bool is_lost(const feed_waiter *self) {
    struct pollfd link = {.fd = ((const long_poll *)(const void *)self)->socket,
                          .events = POLLRDHUP};
    return poll(&link, 1, 0) > 0;
}

static const char *const *read_topics(const char *text, arena *memory) {
    json_t *list = json_loads(text, 0, NULL);
    const char **topics = arena_alloc(memory, (json_array_size(list) + 1) * sizeof *topics);
    size_t index;
    json_t *each;
    json_array_foreach (list, index, each) {
        topics[index] = arena_strdup(memory, json_string_value(each));
    }
    json_decref(list);
    return topics;
}

static long_poll *make_long_poll(request *r, int seconds, const char *topics) {
    long_poll *waiting = arena_alloc(r->memory, sizeof *waiting);
    waiting->waiter = (feed_waiter){.topics = read_topics(topics, r->memory),
                                    .until_ms = r->started_us / 1000 + seconds * INT64_C(1000),
                                    .suspend = suspend_connection,
                                    .lost = is_lost,
                                    .wake = resume_connection};
    waiting->socket =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    waiting->fallback = r->response;
    waiting->fallback_size = r->response_size;
    return waiting;
}

long_poll_result long_poll_wait(request *r, int seconds, const char *topics, int64_t seen) {
    bool again = r->long_poll != NULL;
    if (r->connection == NULL || seconds <= 0 || strcmp(r->raw.method, "GET") != 0 ||
        atomic_load(&r->context->draining)) {
        return LONG_POLL_OVER;
    }
    long_poll *waiting = again ? r->long_poll : make_long_poll(r, seconds, topics);
    if (waiting->waiter.until_ms <= now_ms() || is_lost(&waiting->waiter)) {
        return LONG_POLL_OVER; /* the answer will find out whether the client has left */
    }
    if (!again) {
        /* The worker that resumes is this one: it reads the copy after the handler is done. */
        waiting->r = *r;
        waiting->r.long_poll = waiting;
    }
    feed_result result = feed_wait(r->context->changes, &waiting->waiter, seen);
    if (result == FEED_WAITS) {
        r->long_poll = waiting;
        r->status = again ? 0 : r->status; /* second wait: there is no answer yet */
        return LONG_POLL_WAITS;
    }
    return result == FEED_MOVED ? LONG_POLL_READ_AGAIN : LONG_POLL_OVER;
}

/* Runs the handler once more. Returns whether there is an answer now. */
static bool run_handler(long_poll *waiting) {
    request *r = &waiting->r;
    connection_resumed(r->connection);
    r->status = 0;
    r->operation->handler(r);
    if (r->status == 0) {
        return false; /* it waits again */
    }
    /* The answer stays in the request's memory until the client has read it. */
    if (r->status != 200 || !request_hold_memory(r, r->response_size)) {
        r->response = waiting->fallback;
        r->response_size = waiting->fallback_size;
        r->status = 200;
    }
    request_record(r);
    connection_response_started(r->connection);
    return true;
}

ssize_t long_poll_read(void *self, uint64_t position, char *out, size_t max) {
    long_poll *waiting = self;
    waiting->answered = waiting->answered || run_handler(waiting);
    if (!waiting->answered) {
        return 0;
    }
    size_t left =
        position < waiting->r.response_size ? waiting->r.response_size - (size_t)position : 0;
    if (left == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t size = left < max ? left : max;
    memcpy(out, (const char *)waiting->r.response + position, size);
    return (ssize_t)size;
}

/* The connection broke before there was an answer. The request counts with the status of its
 * headers, like other answers that do not arrive. */
static void record_lost(request *r) {
    r->status = 200;
    r->response_size = 0;
    r->reason = "connection_lost";
    request_record(r);
}

void long_poll_free(void *self) {
    long_poll *waiting = self;
    if (!waiting->answered) {
        record_lost(&waiting->r);
    }
    arena_free(waiting->r.memory); /* `waiting` lives there, too */
}
