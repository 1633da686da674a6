/* Closes connections whose client is still sending a body that nobody will read. */
#pragma once

#include "service/http/connection_limit.h"

#include <stddef.h>

typedef struct discarder discarder;

/* Starts a thread that reads and discards what comes on such connections, of each for `seconds` and
 * 8 MiB at most, of `max` connections at a time. Returns NULL when threads or descriptors are out.
 */
discarder *discarder_new(size_t max, int seconds);

/* Closes all of them and ends the thread. NULL is allowed. */
void discarder_free(discarder *discarder);

/* Takes over a socket that is shut down for writing, and its slot of the connection limit, which is
 * released when the client is done. Beyond `max` the oldest one is closed. */
void discarder_take(discarder *discarder, connection_limit *limit, int socket);

/* Connections that are being read to their end. */
size_t discarder_count(discarder *discarder);
