/* Maintenance of the database that no request asks for: expiry of idempotency keys and events,
 * accesses that begin or end today, and the audit trail. */
#pragma once

#include "service/http/app_context.h"

typedef struct maintenance maintenance;

/* Works once a second from now on, in a thread of its own: a database that stands still holds up
 * neither signals nor requests. `context` has to live until maintenance_stop. NULL when memory or
 * threads are out. */
maintenance *maintenance_start(app_context *context);

/* Ends it after the statement that is under way. NULL is allowed. */
void maintenance_stop(maintenance *maintenance);
