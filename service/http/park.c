/* Requests that wait for something to happen. */
#include "service/http/park.h"

#include "service/clock.h"
#include "service/http/connection_table.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

typedef struct parked {
    feed_waiter waiter; /* first: the feed knows no more of it */
    request r;          /* the request; what it points to lives in its own memory or until the
                            library is done with the request */
    const void *fallback;
    size_t fallback_size;
    int socket;
    bool answered; /* the body stands in r.answer */
} parked;

/* Runs on the request's own worker, as all that touches the connection but resuming does. */
static void suspend(feed_waiter *self) {
    parked *one = (parked *)(void *)self;
    connection_suspended(one->r.connection);
    MHD_suspend_connection(one->r.connection);
}

static void resume(feed_waiter *self) {
    MHD_resume_connection(((parked *)(void *)self)->r.connection);
}

static bool is_lost(const feed_waiter *self) {
    struct pollfd link = {.fd = ((const parked *)(const void *)self)->socket, .events = POLLRDHUP};
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

static parked *make(request *r, int seconds, const char *topics) {
    parked *one = arena_alloc(r->memory, sizeof *one);
    one->waiter = (feed_waiter){.topics = read_topics(topics, r->memory),
                                .until_ms = r->started_us / 1000 + seconds * INT64_C(1000),
                                .park = suspend,
                                .lost = is_lost,
                                .wake = resume};
    one->socket =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    one->fallback = r->answer;
    one->fallback_size = r->answer_size;
    return one;
}

park_verdict park_request(request *r, int seconds, const char *topics, int64_t seen) {
    bool again = r->parked != NULL;
    if (r->connection == NULL || seconds <= 0 || strcmp(r->raw.method, "GET") != 0 ||
        atomic_load(&r->shared->draining)) {
        return PARK_OVER;
    }
    parked *one = again ? r->parked : make(r, seconds, topics);
    if (one->waiter.until_ms <= now_ms() || is_lost(&one->waiter)) {
        return PARK_OVER; /* a client that left is found out when it is answered */
    }
    if (!again) {
        /* The worker that resumes is this one: it looks at the copy after the handler is done. */
        one->r = *r;
        one->r.parked = one;
    }
    feed_verdict verdict = feed_wait(r->shared->changes, &one->waiter, seen);
    if (verdict == FEED_WAITS) {
        r->parked = one;
        r->status = again ? 0 : r->status; /* once more: there is no answer yet */
        return PARK_WAITS;
    }
    return verdict == FEED_MOVED ? PARK_AGAIN : PARK_OVER;
}

/* Runs the handler once more. Returns whether there is an answer now. */
static bool answer(parked *one) {
    request *r = &one->r;
    connection_resumed(r->connection);
    r->status = 0;
    r->operation->handler(r);
    if (r->status == 0) {
        return false; /* it waits again */
    }
    /* It waits in the request's memory until the client has read it. */
    if (r->status != 200 || !request_hold_memory(r, r->answer_size)) {
        r->answer = one->fallback;
        r->answer_size = one->fallback_size;
        r->status = 200;
    }
    request_record(r);
    connection_response_started(r->connection);
    return true;
}

ssize_t park_read(void *self, uint64_t position, char *out, size_t most) {
    parked *one = self;
    one->answered = one->answered || answer(one);
    if (!one->answered) {
        return 0;
    }
    size_t left = position < one->r.answer_size ? one->r.answer_size - (size_t)position : 0;
    if (left == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t size = left < most ? left : most;
    memcpy(out, (const char *)one->r.answer + position, size);
    return (ssize_t)size;
}

/* The connection broke before there was an answer: it counts with the status that its headers have,
 * as other answers do that do not arrive. */
static void record_lost(request *r) {
    r->status = 200;
    r->answer_size = 0;
    r->reason = "connection_lost";
    request_record(r);
}

void park_free(void *self) {
    parked *one = self;
    if (!one->answered) {
        record_lost(&one->r);
    }
    arena_free(one->r.memory); /* where it lives itself */
}
