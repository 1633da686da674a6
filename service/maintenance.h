/* Maintenance of the database that no request asks for: expiry of idempotency keys and events,
 * accesses that begin or end today, and the audit trail. */
#pragma once

#include "service/http/app_context.h"

typedef struct maintenance maintenance;

/* Starts a thread that works once a second. It has its own thread so that a database that hangs
 * delays neither signals nor requests. `context` must live until maintenance_stop. Returns NULL
 * when memory or threads are out. */
maintenance *maintenance_start(app_context *context);

/* Ends the thread after its current statement. NULL is allowed. */
void maintenance_stop(maintenance *maintenance);
