/* Open connections and how far each one's request is: the library's own timeout counts inactivity
 * only.
 *
 * A connection is silent until the headers of its first request are complete, then busy until the
 * answer is sent, then idle until the next request line, then silent until its headers are
 * complete. Each of these has a deadline of its own. Where connections get short, those that are
 * not busy make room, and those whose client does not read its answer. */
#pragma once

#include "service/http/connection_limit.h"
#include "service/http/discard.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct connection_table connection_table;

typedef struct connection_timeouts {
    int header_seconds;  /* until the headers of a request are complete, or nothing came at all */
    int request_seconds; /* from then on, until the body has come and the answer is sent */
    int idle_seconds;    /* between two requests */
} connection_timeouts;

/* `drop` frees what is kept for a request that never came to its end: the library forgets it when
 * it has no room for the parameters of a query. `unread` (borrowed) takes over connections whose
 * request was refused before its body was read. */
connection_table *connection_table_new(const connection_timeouts *timeouts, discarder *unread,
                                       void (*drop)(void *request));
void connection_table_free(connection_table *table);

/* The connections of one port: the table that all ports share, and the limit of this one; both
 * borrowed. */
typedef struct port_connections {
    connection_table *table;
    connection_limit *limit;
} port_connections;

/* For MHD_OPTION_NOTIFY_CONNECTION, with a port_connections as its argument. */
void connection_table_notify(void *port, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode code);

/* A request's first line came, and `request` is kept for it; its headers are complete; its answer
 * is there and goes out; it went out or its connection broke, and whoever calls frees what was
 * kept.
 */
void connection_request_started(struct MHD_Connection *connection, void *request);
void connection_headers_complete(struct MHD_Connection *connection);
void connection_response_started(struct MHD_Connection *connection);
void connection_request_completed(struct MHD_Connection *connection);

/* The request is answered without reading its body: the connection ends with the answer, and what
 * still comes is discarded. */
void connection_discard_body(struct MHD_Connection *connection);

/* The request waits for something to happen: its time stands still; it goes on and its time begins
 * again. */
void connection_suspended(struct MHD_Connection *connection);
void connection_resumed(struct MHD_Connection *connection);

/* Shuts the connections down whose request or idleness takes too long; the library then closes
 * them. */
void connection_table_close_expired(connection_table *table);

/* Shuts the connections down that have been without a request for a second: for draining. */
void connection_table_close_idle(connection_table *table);

/* Makes room for a new connection: shuts one connection down, of no proxy: the one that has been
 * silent the longest; if there is none, idle the longest; if there is none, that has not read its
 * answer for the longest time. Returns whether room is coming: false when all are at work. */
bool connection_table_evict(const port_connections *port);

/* Open connections, and those that were shut down to make room so far. */
size_t connection_table_count(connection_table *table);
unsigned long long connection_table_evicted(connection_table *table);
