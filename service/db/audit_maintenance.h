/* Maintenance of the audit trail next to the requests: sealing, removing what has been kept long
 * enough, and watching that it only grows. */
#pragma once

#include "service/db/audit_watch.h"

/* Call once a second with the count of calls. Several instances may: the database lets one of them
 * seal and remove at a time, and each watches for itself. Writes an anchor of the chain (for `check
 * audit --anchor`) at the first call and every `anchor_seconds`, when the chain has grown. */
void audit_maintain(pool *connections, audit_watch *watch, audit_stats *stats, long tick,
                    int anchor_seconds);
