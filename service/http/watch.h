/* Open connections and how far each one's request is: the library's own timeout counts inactivity
 * only.
 *
 * A connection is silent until the headers of its first request are complete, then busy until the
 * answer is sent, then idle until the next request line, then silent until its headers are
 * complete. Each of these has a deadline of its own. Where connections get short, those that are
 * not busy make room, and those whose client does not read its answer. */
#pragma once

#include "service/http/discard.h"
#include "service/http/peers.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct watch watch;

typedef struct watch_limits {
    int header_seconds;  /* until the headers of a request are complete, or nothing came at all */
    int request_seconds; /* from then on, until the body has come and the answer is sent */
    int idle_seconds;    /* between two requests */
} watch_limits;

/* `drop` frees what is kept for a request that never came to its end: the library forgets it when
 * it has no room for the parameters of a query. `unread` (borrowed) takes over connections whose
 * request was refused before its body was read. */
watch *watch_new(const watch_limits *limits, discarder *unread, void (*drop)(void *request));
void watch_free(watch *all);

/* Where connections come in: who watches them, and who is told when one ends; both borrowed. */
typedef struct watch_door {
    watch *all;
    peers *seats;
} watch_door;

/* For MHD_OPTION_NOTIFY_CONNECTION, with a watch_door as its argument. */
void watch_notify(void *door, struct MHD_Connection *connection, void **socket_context,
                  enum MHD_ConnectionNotificationCode code);

/* A request's first line came, and `request` is kept for it; its headers are complete; its answer
 * is there and goes out; it went out or its connection broke, and whoever calls frees what was
 * kept.
 */
void watch_begin(struct MHD_Connection *connection, void *request);
void watch_headers(struct MHD_Connection *connection);
void watch_answer(struct MHD_Connection *connection);
void watch_end(struct MHD_Connection *connection);

/* The request is answered without reading its body: the connection ends with the answer, and what
 * still comes is discarded. */
void watch_leave_unread(struct MHD_Connection *connection);

/* The request waits for something to happen: its time stands still; it goes on and its time begins
 * anew. */
void watch_wait(struct MHD_Connection *connection);
void watch_resume(struct MHD_Connection *connection);

/* Shuts the connections down whose request or idleness takes too long; the library then closes
 * them. */
void watch_close_late(watch *all);

/* Shuts the connections down that have been without a request for a second: for draining. */
void watch_close_idle(watch *all);

/* Makes room at the door: shuts one connection down, of no proxy: the one that has been silent the
 * longest; if there is none, idle the longest; if there is none, that has not read its answer for
 * the longest time. Returns whether room is coming: false when all are at work. */
bool watch_make_room(const watch_door *door);

/* Open connections, and those that were shut down to make room so far. */
size_t watch_count(watch *all);
unsigned long long watch_evicted(watch *all);
