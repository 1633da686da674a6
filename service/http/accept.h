/* Accepts connections and deals them out to the workers one by one. Left to itself the HTTP library
 * lets the worker that wakes first take up to ten at a time: then some have a queue while others
 * idle. */
#pragma once

#include "service/http/watch.h"

#include <microhttpd.h>
#include <netdb.h>

typedef struct acceptor acceptor;

/* Listens on the address and starts a thread that hands each connection to the daemon (started with
 * MHD_USE_NO_LISTEN_SOCKET and MHD_USE_ITC), which has to outlive the acceptor, as has `door`: its
 * peers say who is let in, and its watch makes room near their limits. Who is not let in is closed
 * at once. NULL when the address is taken or threads are out; errno says which. */
acceptor *acceptor_new(const struct addrinfo *address, struct MHD_Daemon *daemon,
                       const watch_door *door);

/* Stops listening: nobody is accepted any more, those who are connected stay. NULL is allowed. */
void acceptor_free(acceptor *running);
