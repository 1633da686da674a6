/* Open connections and the stage of each one's request: the library's own timeout measures
 * inactivity only.
 *
 * A connection is silent until the headers of its first request are complete, then busy until the
 * answer is sent, then idle until the next request line, then silent until its headers are
 * complete. Each stage has a deadline of its own. When connections are short, the table evicts
 * connections that are not busy, and those whose client does not read its answer. */
#pragma once

#include "service/http/connection_limit.h"
#include "service/http/discard.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct connection_table connection_table;

typedef struct connection_timeouts {
    int header_seconds; /* until the headers of a request are complete; also when nothing arrives at
                           all */
    int request_seconds; /* from then until the body has arrived and the answer is sent */
    int idle_seconds;    /* between two requests */
} connection_timeouts;

/* `drop` frees the data of a request that never reached its end: the library forgets it when it has
 * no memory for the parameters of a query. `unread` (borrowed) takes over connections whose request
 * was refused before its body was read. */
connection_table *connection_table_new(const connection_timeouts *timeouts, discarder *unread,
                                       void (*drop)(void *request));
void connection_table_free(connection_table *table);

/* The connections of one port: the table that all ports share, and this port's limit; both
 * borrowed. */
typedef struct port_connections {
    connection_table *table;
    connection_limit *limit;
} port_connections;

/* Callback for MHD_OPTION_NOTIFY_CONNECTION, with a port_connections as its argument. */
void connection_table_notify(void *port, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode code);

/* The stages of a request: its first line arrived, and `request` stores its data; its headers are
 * complete; its answer is being sent; its answer was sent or the connection broke, and the caller
 * frees its data. */
void connection_request_started(struct MHD_Connection *connection, void *request);
void connection_headers_complete(struct MHD_Connection *connection);
void connection_response_started(struct MHD_Connection *connection);
void connection_request_completed(struct MHD_Connection *connection);

/* The request is answered without reading its body: the connection ends with the answer, and the
 * rest of the body is discarded. */
void connection_discard_body(struct MHD_Connection *connection);

/* The request waits for an event, and its time stops; it continues, and its time begins again. */
void connection_suspended(struct MHD_Connection *connection);
void connection_resumed(struct MHD_Connection *connection);

/* Shuts down the connections whose request or idleness takes too long; the library then closes
 * them. */
void connection_table_close_expired(connection_table *table);

/* Shuts down the connections that have been without a request for a second: for draining. */
void connection_table_close_idle(connection_table *table);

/* Makes room for a new connection by shutting down one that does not belong to a proxy: the longest
 * silent one, else the longest idle one, else the one that has not read its answer for the longest
 * time. Returns true when one is about to close, false when all are at work. */
bool connection_table_evict(const port_connections *port);

/* Open connections, and those that were evicted so far. */
size_t connection_table_count(connection_table *table);
unsigned long long connection_table_evicted(connection_table *table);
