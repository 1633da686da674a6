/* The HTTP servers: ulfius on libmicrohttpd's epoll workers, with limits, deadlines and an orderly
 * end. */
#pragma once

#include "service/http/app_context.h"

#include <stdbool.h>
#include <stddef.h>

enum { ADMIN_CONNECTIONS = 64 };

typedef struct server server;

/* Starts the API's server (TLS when configured) and the admin server with /livez, /readyz and
 * /metrics. Returns NULL with one sentence in `reason` that names the setting at fault. */
server *server_start(app_context *context, char *reason, size_t reason_size);

/* Closes connections whose request takes longer than its deadline. Call once a second. */
void server_close_expired(server *server);

/* Stops the servers: readiness fails at once, after the grace time no connection is accepted, and
 * current requests get their answer (at most for the drain time). Frees the server. */
void server_stop(server *server);
