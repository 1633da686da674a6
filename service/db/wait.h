/* Waiting for PostgreSQL with an end: no call of libpq that blocks. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <time.h>

/* Sends what is still to be sent and waits until PQgetResult does not block. The connection has to
 * be non-blocking (PQsetnonblocking): in blocking mode libpq waits for ever to send to a server
 * that stands still. Returns false when the connection broke, or was silent for eight seconds: then
 * its socket is shut down, so that whatever is tried on it next fails at once. */
bool db_wait(PGconn *link);
