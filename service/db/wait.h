/* Waits for PostgreSQL with a time limit: no call of libpq that blocks. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <time.h>

/* Sends all pending data and waits until PQgetResult does not block. The connection must be
 * non-blocking (PQsetnonblocking): in blocking mode libpq waits indefinitely to send to a server
 * that hangs. Returns false when the connection broke, or was silent for eight seconds. Then its
 * socket is shut down, so that the next call on it fails at once. */
bool db_wait(PGconn *link);
