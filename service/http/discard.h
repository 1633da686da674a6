/* Closes connections whose client is still sending a body that the service will not read. */
#pragma once

#include "service/http/connection_limit.h"

#include <stddef.h>

typedef struct discarder discarder;

/* Starts a thread that reads and discards the bodies on such connections: `max` connections at a
 * time, each for at most `seconds` and 8 MiB. Returns NULL when threads or descriptors are out. */
discarder *discarder_new(size_t max, int seconds);

/* Closes all of them and ends the thread. NULL is allowed. */
void discarder_free(discarder *discarder);

/* Takes over a socket that is shut down for writing, and its slot of the connection limit. The slot
 * is released when the client is done. Beyond `max` the oldest one is closed. */
void discarder_take(discarder *discarder, connection_limit *limit, int socket);

/* Returns the number of connections whose body is being discarded. */
size_t discarder_count(discarder *discarder);
