/* Maintenance of the audit trail, independent of requests: sealing, removing expired entries, and
 * checking that the trail only grows. */
#pragma once

#include "service/db/audit_watch.h"

/* Call once a second with the number of the call. Several instances may call it: the database lets
 * one of them seal and remove at a time, and each instance watches by itself. Writes an anchor of
 * the chain (for `check audit --anchor`) at the first call and every `anchor_seconds`, if the chain
 * has grown. */
void audit_maintain(pool *connections, audit_watch *watch, audit_stats *stats, long tick,
                    int anchor_seconds);
