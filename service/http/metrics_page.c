/* The page /metrics of the admin port. */
#include "service/http/metrics_page.h"

#include "service/contract/contract.h"
#include "service/http/connection_limit.h"
#include "service/http/connection_table.h"
#include "service/process.h"

readiness readiness_read(app_context *context) {
    keys_stats known = keys_stats_read(context->keys);
    readiness now = {.database =
                         pool_is_connected(context->connections) &&
                         group_commit_stats_read(context->pushes).connections.connected > 0 &&
                         feed_safe(context->changes) >= 0,
                     .keys = known.count > 0 && known.accepted,
                     .draining = atomic_load(&context->draining)};
    now.ready = now.database && now.keys && !now.draining;
    return now;
}

static void write_service(app_context *context, FILE *out) {
    readiness now = readiness_read(context);
    metrics_head(out, "learning_reviews_build_info", "gauge",
                 "Versions of program and contract; always 1.");
    fprintf(out, "learning_reviews_build_info{version=\"%s\",contract=\"%s\"} 1\n", PROGRAM_VERSION,
            contract_version);
    metrics_write_value(out, "service_ready", "gauge", "Whether /readyz answers 200.", now.ready);
    metrics_write_value(out, "service_draining", "gauge", "Whether the service is about to end.",
                        now.draining);
    metrics_write_value(out, "http_connections", "gauge",
                        "Open connections of clients, those to the admin port among them.",
                        (double)connection_table_count(context->connections_open));
    metrics_write_value(out, "http_connections_limit", "gauge",
                        "Connections that may be open (LR_CONNECTION_LIMIT).",
                        context->settings->connections_max);
    metrics_write_value(out, "http_connections_refused_total", "counter",
                        "Connections closed at once because there were too many "
                        "(LR_CONNECTION_LIMIT, LR_ADDRESS_CONNECTION_LIMIT).",
                        (double)connection_limit_refused(context->connection_limit));
    metrics_write_value(out, "http_connections_evicted_total", "counter",
                        "Connections without a request that were closed to make room for others.",
                        (double)connection_table_evicted(context->connections_open));
}

static void write_memory(app_context *context, FILE *out) {
    budget_stats memory = budget_stats_read(context->memory);
    metrics_write_value(out, "http_body_memory_bytes", "gauge",
                        "Memory that requests hold for bodies, documents and answers.",
                        (double)memory.taken);
    metrics_write_value(out, "http_body_memory_limit_bytes", "gauge",
                        "Memory that they may hold (LR_BODY_MEMORY_MIB).", (double)memory.max);
    metrics_write_value(out, "http_body_memory_refused_total", "counter",
                        "Times that a request needed more than was left of it.",
                        (double)memory.refused);
}

typedef struct pool_row {
    const char *name;
    pool_stats stats;
} pool_row;

enum { POOLS_MAX = 4 };

typedef struct pool_rows {
    pool_row row[POOLS_MAX];
    size_t count;
} pool_rows;

static void write_pool_gauge(const pool_rows *pools, const char *name, const char *help,
                             size_t (*value)(const pool_stats *), FILE *out) {
    metrics_head(out, name, "gauge", help);
    for (size_t i = 0; i < pools->count; i++) {
        fprintf(out, "%s{pool=\"%s\"} %zu\n", name, pools->row[i].name,
                value(&pools->row[i].stats));
    }
}

static size_t pool_size(const pool_stats *of) {
    return of->size;
}

static size_t pool_connected(const pool_stats *of) {
    return of->connected;
}

static size_t pool_busy(const pool_stats *of) {
    return of->connected - of->idle;
}

static size_t pool_waiting(const pool_stats *of) {
    return of->waiting;
}

static void write_pools(app_context *context, FILE *out) {
    replica_router_stats reads = replica_router_stats_read(context->replicas);
    const pool_rows pools = {
        .row = {{"requests", pool_stats_read(context->connections)},
                {"pushes", group_commit_stats_read(context->pushes).connections},
                {"audit", audited_reads_stats(context->reads).connections},
                {"reads", reads.standby}},
        .count = reads.configured ? POOLS_MAX : POOLS_MAX - 1};
    write_pool_gauge(&pools, "database_pool_size", "Database connections configured.", pool_size,
                     out);
    write_pool_gauge(&pools, "database_pool_connected", "Database connections that stand.",
                     pool_connected, out);
    write_pool_gauge(&pools, "database_pool_busy", "Database connections in use.", pool_busy, out);
    write_pool_gauge(&pools, "database_pool_waiting", "Requests that wait for a connection.",
                     pool_waiting, out);
    metrics_head(out, "database_pool_wait_seconds", "histogram",
                 "Time until a connection was free, or until the wait was given up.");
    for (size_t i = 0; i < pools.count; i++) {
        char labels[64];
        snprintf(labels, sizeof labels, "pool=\"%s\"", pools.row[i].name);
        histogram_write(pools.row[i].stats.waits, &pool_wait_scale, "database_pool_wait_seconds",
                        labels, out);
    }
    metrics_head(out, "database_pool_timeouts_total", "counter",
                 "Waits for a connection that were given up.");
    for (size_t i = 0; i < pools.count; i++) {
        fprintf(out, "database_pool_timeouts_total{pool=\"%s\"} %llu\n", pools.row[i].name,
                pools.row[i].stats.timeouts);
    }
    metrics_head(out, "database_pool_connects_total", "counter",
                 "Connections made, the first ones among them.");
    for (size_t i = 0; i < pools.count; i++) {
        fprintf(out, "database_pool_connects_total{pool=\"%s\"} %llu\n", pools.row[i].name,
                pools.row[i].stats.reconnects);
    }
}

static void write_reads(app_context *context, FILE *out) {
    replica_router_stats reads = replica_router_stats_read(context->replicas);
    if (!reads.configured) {
        return;
    }
    metrics_head(out, "standby_reads_total", "counter",
                 "Reads that a standby may answer, by whether it did or the primary had to.");
    fprintf(out, "standby_reads_total{answered_by=\"standby\"} %llu\n", reads.by_standby);
    fprintf(out, "standby_reads_total{answered_by=\"primary\"} %llu\n", reads.by_primary);
}

static void write_slow(app_context *context, FILE *out) {
    slow_work_stats slow = slow_work_stats_read(context->slow);
    metrics_write_value(out, "slow_requests_running", "gauge",
                        "Batches and large pages that threads of their own are serving.",
                        (double)slow.running);
    metrics_write_value(out, "slow_requests_waiting", "gauge",
                        "Batches and large pages that wait for such a thread.",
                        (double)slow.waiting);
    metrics_write_value(out, "slow_requests_refused_total", "counter",
                        "Batches and large pages refused because too many waited.",
                        (double)slow.refused);
}

static void write_pushes(app_context *context, FILE *out) {
    group_commit_stats pushes = group_commit_stats_read(context->pushes);
    metrics_write_value(out, "push_queue_length", "gauge",
                        "Single pushes that wait for a commit to gather them.",
                        (double)pushes.queued);
    metrics_head(out, "push_batch_size", "histogram", "Single pushes that shared one commit.");
    histogram_write(pushes.sizes, &group_commit_size_scale, "push_batch_size", "", out);
    metrics_write_value(out, "push_alone_total", "counter",
                        "Pushes sent by themselves: nobody else came, or a neighbour failed.",
                        (double)pushes.singles);
}

static void write_feed(app_context *context, FILE *out) {
    feed_stats changes = feed_stats_read(context->changes);
    metrics_write_value(out, "feed_events_unfinished", "gauge",
                        "Events that wait for a transaction that began before them.",
                        (double)(changes.newest - changes.safe));
    metrics_write_value(out, "feed_behind_seconds", "gauge",
                        "Time since the feed was complete up to its newest event.",
                        (double)changes.behind_ms / 1000);
    metrics_write_value(out, "feed_waiting_requests", "gauge",
                        "Long polls that wait for something to happen.", (double)changes.waiting);
    metrics_write_value(out, "feed_position", "gauge",
                        "Number of the newest event that readers of the feed get; -1 before the "
                        "first look.",
                        (double)changes.safe);
    metrics_head(out, "feed_looks_total", "counter",
                 "Looks for new events, by cause: a commit of this instance, a "
                 "notification, or half a second.");
    static const char *const causes[FEED_CAUSES] = {"commit", "notification", "interval"};
    for (int cause = 0; cause < FEED_CAUSES; cause++) {
        fprintf(out, "feed_looks_total{cause=\"%s\"} %llu\n", causes[cause],
                (unsigned long long)changes.looks[cause]);
    }
    shared_reads_stats pages = shared_reads_stats_read(context->feed_pages);
    metrics_head(
        out, "feed_pages_total", "counter",
        "Pages of the feed, by source: the database, or an equal page of the same moment.");
    fprintf(out, "feed_pages_total{source=\"database\"} %llu\n", (unsigned long long)pages.queries);
    fprintf(out, "feed_pages_total{source=\"shared\"} %llu\n", (unsigned long long)pages.shared);
}

static void write_statistics(app_context *context, FILE *out) {
    change_version_stats of = change_version_stats_read(context->change_version);
    metrics_write_value(out, "statistics_pending", "gauge",
                        "Changes that are not in the statistics yet, as last seen.",
                        (double)of.pending);
    metrics_write_value(out, "statistics_behind_seconds", "gauge",
                        "Age of the oldest change that is not in the statistics yet.",
                        of.behind_seconds);
    metrics_write_value(out, "statistics_not_included", "gauge",
                        "Cases whose facts cannot be computed: the statistics leave them out.",
                        (double)of.not_included);
    metrics_write_value(out, "statistics_release_failed", "gauge",
                        "Whether a release of statistics is due and cannot be made.",
                        of.release_failed);
    metrics_write_value(out, "statistics_subjects_counted_total", "counter",
                        "Changed cases that this instance has counted.", (double)of.counted);
    metrics_write_value(out, "statistics_steps_total", "counter", "Steps in which it counted them.",
                        (double)of.steps);
    metrics_write_value(out, "statistics_step_subjects_most", "gauge",
                        "Cases of the largest of these steps.", (double)of.step_max);
}

static void write_audit(app_context *context, FILE *out) {
    metrics_write_value(out, "audit_entries_sealed", "gauge",
                        "Entries of the audit trail in the chain of hashes, as last seen.",
                        (double)atomic_load(&context->audited.sealed));
    metrics_write_value(out, "audit_behind_seconds", "gauge",
                        "Age of the oldest entry of the audit trail that waits to be sealed.",
                        (double)atomic_load(&context->audited.behind_ms) / 1000);
    metrics_head(out, "audit_trail_faults", "gauge",
                 "Whether the audit trail is at fault, by kind; the log says where.");
    for (int i = 0; i < AUDIT_FAULTS; i++) {
        fprintf(out, "audit_trail_faults{fault=\"%s\"} %d\n", audit_fault_names[i],
                atomic_load(&context->audited.faults[i]));
    }
    group_commit_stats reads = audited_reads_stats(context->reads);
    metrics_head(out, "audit_batch_size", "histogram", "Entries of reads that shared one commit.");
    histogram_write(reads.sizes, &group_commit_size_scale, "audit_batch_size", "", out);
    metrics_write_value(out, "audit_anchor_failures_total", "counter",
                        "Anchors of the audit trail that could not be written to their file.",
                        (double)atomic_load(&context->audited.anchor_failures));
}

static void write_tokens(app_context *context, FILE *out) {
    token_stats tokens = token_stats_read(context->verifier);
    keys_stats known = keys_stats_read(context->keys);
    metrics_write_value(out, "token_cache_hits_total", "counter",
                        "Tokens that had been verified a moment before.",
                        (double)tokens.cache_hits);
    metrics_write_value(out, "token_cache_misses_total", "counter",
                        "Tokens that were verified in full.", (double)tokens.cache_misses);
    metrics_write_value(out, "token_cache_entries", "gauge", "Verified tokens that are remembered.",
                        (double)tokens.cache_entries);
    metrics_write_value(out, "tokens_refused_total", "counter", "Rejected tokens.",
                        (double)tokens.refused);
    metrics_write_value(out, "token_keys", "gauge",
                        "Keys that tokens are verified with; none when they are too old.",
                        known.accepted ? (double)known.count : 0);
    metrics_write_value(out, "token_keys_accepted_seconds", "gauge",
                        "How long keys are accepted after they were read (LR_JWKS_ACCEPT_SECONDS); "
                        "0 for a file.",
                        known.accept_seconds);
    metrics_write_value(out, "token_keys_loaded_timestamp_seconds", "gauge",
                        "When the keys were last read without a fault, in seconds since 1970.",
                        (double)known.loaded_at);
    metrics_write_value(out, "token_keys_failures_total", "counter",
                        "Readings of the keys that failed.", (double)known.failures);
    metrics_head(out, "token_keys_source_info", "gauge",
                 "Where the keys come from: an address is read again and again, a file when it "
                 "changes; always 1.");
    fprintf(out, "token_keys_source_info{source=\"%s\"} 1\n", known.source);
}

void metrics_page_write(app_context *context, FILE *out) {
    metrics_write(context->metrics, out);
    write_service(context, out);
    write_memory(context, out);
    write_pools(context, out);
    write_reads(context, out);
    write_slow(context, out);
    write_pushes(context, out);
    write_feed(context, out);
    deliverer_write(context->webhooks, out);
    write_statistics(context, out);
    write_audit(context, out);
    write_tokens(context, out);
    process_write(out);
}
