/* Accepts connections and deals them out to the workers one by one. Without it, the HTTP library
 * lets the worker that wakes first take up to ten at a time: then some workers have a queue while
 * others idle. */
#pragma once

#include "service/http/connection_table.h"

#include <microhttpd.h>
#include <netdb.h>

typedef struct listener listener;

/* Listens on the address and starts a thread that hands each connection to the daemon (started with
 * MHD_USE_NO_LISTEN_SOCKET and MHD_USE_ITC). The daemon and `port` must outlive the listener. The
 * port's connection limit decides whether a connection is accepted, and its table makes room near
 * the limit. A refused connection is closed at once. Returns NULL when the address is taken or
 * threads are out; errno says which. */
listener *listener_new(const struct addrinfo *address, struct MHD_Daemon *daemon,
                       const port_connections *port);

/* Stops listening: accepts no new connection and keeps the open ones. NULL is allowed. */
void listener_free(listener *listener);
