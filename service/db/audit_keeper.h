/* What keeps the audit trail going beside the requests: sealing, removing what has been kept long
 * enough, and saying how far it goes. */
#pragma once

#include "service/db/pool.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct audit_figures {
    _Atomic(int64_t) sealed;    /* entries in the chain */
    _Atomic(int64_t) behind_ms; /* since when one waits to be sealed */
} audit_figures;

/* Call once a second with the count of calls. Several instances may: the database lets one of them
 * work at a time. Writes the anchor of the chain (for `check audit --anchor`) to the log at the
 * first call and once an hour. */
void audit_keep(pool *connections, audit_figures *figures, long tick);
