/* The context of every request: made once at the start, shared by all workers, never changed. */
#pragma once

#include "service/answer_cache.h"
#include "service/auth/keys.h"
#include "service/auth/token.h"
#include "service/config.h"
#include "service/db/audit_maintenance.h"
#include "service/db/audited_read.h"
#include "service/db/change_version.h"
#include "service/db/feed.h"
#include "service/db/group_commit.h"
#include "service/db/pool.h"
#include "service/db/replica_router.h"
#include "service/db/shared_read.h"
#include "service/http/budget.h"
#include "service/http/rate.h"
#include "service/http/slow_work.h"
#include "service/metrics.h"
#include "service/webhook/deliver.h"

#include <stdatomic.h>

enum { SECRET_SIZE = 32 };

typedef struct app_context {
    const config *settings;
    pool *connections;
    replica_router *replicas; /* reads that a standby may answer */
    audited_reads *reads;     /* reads with an entry in the audit trail */
    group_commit *pushes;
    feed *changes;
    shared_reads *feed_pages;       /* pages of the feed */
    change_version *change_version; /* versions of the data from which statistics are made */
    answer_cache *answers;          /* of statistics */
    targets *webhook_targets;       /* the allowed targets of webhooks; NULL: webhooks are off */
    deliverer *webhooks;            /* NULL: webhooks are off */
    audit_stats audited;
    keys *keys;
    token_verifier *verifier;
    rate_limiter *rates;
    budget *memory; /* for memory held by requests */
    slow_work *slow;
    metrics *metrics;
    struct served_contract *contract;
    struct connection_table *connections_open; /* connections of clients; set by server_start */
    struct connection_limit
        *connection_limit; /* limits of the addresses they come from; set by server_start */
    unsigned char cursor_key[SECRET_SIZE];
    unsigned char pseudonym_key[SECRET_SIZE];
    unsigned char webhook_key[WEBHOOK_KEY_SIZE];
    const char *(*scan_text)(
        const char *text); /* returns the kind of personal identifier in a text, or NULL */
    const char *(*scan_identifier)(
        const char *text); /* the same for a reference or key chosen by a system */
    atomic_bool draining;
} app_context;
