/* The admin port: is it alive, is it ready, what are its figures. */
#include "service/http/admin.h"

#include "service/http/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(struct _u_response *response, unsigned int status, const char *type,
                   const char *text) {
    u_map_put(response->map_header, "Content-Type", type);
    u_map_put(response->map_header, "Cache-Control", "no-store");
    ulfius_set_binary_body_response(response, status, text, strlen(text));
}

/* Names what is missing, so that an operator need not guess. */
static void answer_ready(service *shared, struct _u_response *response) {
    char text[256];
    bool database = pool_is_connected(shared->connections) && feed_safe(shared->changes) >= 0;
    bool has_keys = keys_figures_read(shared->keys).count > 0;
    bool draining = atomic_load(&shared->draining);
    snprintf(text, sizeof text, "{\"ready\":%s,\"database\":%s,\"keys\":%s,\"draining\":%s}\n",
             database && has_keys && !draining ? "true" : "false", database ? "true" : "false",
             has_keys ? "true" : "false", draining ? "true" : "false");
    answer(response, database && has_keys && !draining ? 200 : 503, "application/json", text);
}

static void render_parts(service *shared, FILE *out) {
    pool_figures pool = pool_figures_read(shared->connections);
    combiner_figures pushes = combiner_figures_read(shared->pushes);
    feed_figures changes = feed_figures_read(shared->changes);
    token_figures tokens = token_figures_read(shared->verifier);
    keys_figures known = keys_figures_read(shared->keys);
    fprintf(
        out,
        "# TYPE database_connections gauge\n"
        "database_connections{state=\"idle\"} %zu\ndatabase_connections{state=\"connected\"} %zu\n"
        "database_connections{state=\"configured\"} %zu\n"
        "# TYPE database_waiting_requests gauge\ndatabase_waiting_requests %zu\n"
        "# TYPE database_timeouts_total counter\ndatabase_timeouts_total %llu\n"
        "# TYPE database_reconnects_total counter\ndatabase_reconnects_total %llu\n",
        pool.idle, pool.connected, pool.size, pool.waiting, pool.timeouts, pool.reconnects);
    fprintf(out,
            "# TYPE push_items_total counter\npush_items_total %llu\n"
            "# TYPE push_commits_total counter\npush_commits_total %llu\n"
            "# TYPE push_alone_total counter\npush_alone_total %llu\n"
            "# TYPE push_queue_length gauge\npush_queue_length %zu\n",
            pushes.items, pushes.commits, pushes.alone, pushes.queued);
    fprintf(out,
            "# TYPE feed_events_unfinished gauge\nfeed_events_unfinished %lld\n"
            "# TYPE feed_behind_seconds gauge\nfeed_behind_seconds %.3f\n"
            "# TYPE feed_waiting_requests gauge\nfeed_waiting_requests %zu\n",
            (long long)(changes.newest - changes.safe), (double)changes.behind_ms / 1000,
            changes.waiting);
    fprintf(out,
            "# TYPE token_cache_hits_total counter\ntoken_cache_hits_total %llu\n"
            "# TYPE token_cache_misses_total counter\ntoken_cache_misses_total %llu\n"
            "# TYPE tokens_refused_total counter\ntokens_refused_total %llu\n"
            "# TYPE token_keys gauge\ntoken_keys %zu\n"
            "# TYPE token_keys_loaded_timestamp_seconds gauge\ntoken_keys_loaded_timestamp_seconds "
            "%lld\n"
            "# TYPE token_keys_failures_total counter\ntoken_keys_failures_total %llu\n",
            tokens.cache_hits, tokens.cache_misses, tokens.refused, known.count,
            (long long)known.loaded_at, known.failures);
}

static void answer_metrics(service *shared, struct _u_response *response) {
    char *requests = metrics_render(shared->figures);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (requests != NULL && out != NULL) {
        fputs(requests, out);
        render_parts(shared, out);
    }
    bool complete = out != NULL && fclose(out) == 0 && requests != NULL;
    answer(response, complete ? 200 : 503, "text/plain; version=0.0.4; charset=utf-8",
           complete ? text : "");
    free(requests);
    free(text);
}

int admin_serve(const struct _u_request *request, struct _u_response *response, void *shared) {
    const char *path = request->url_path;
    if (strcmp(path, "/livez") == 0) {
        answer(response, 200, "application/json", "{\"alive\":true}\n");
    } else if (strcmp(path, "/readyz") == 0) {
        answer_ready(shared, response);
    } else if (strcmp(path, "/metrics") == 0) {
        answer_metrics(shared, response);
    } else {
        answer(response, 404, "application/json",
               "{\"paths\":[\"/livez\",\"/readyz\",\"/metrics\"]}\n");
    }
    return U_CALLBACK_COMPLETE;
}
