/* Counters and histograms in the Prometheus text format (version 0.0.4). */
#include "service/metrics.h"

#include "service/contract/contract.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Statuses of the contract, then one place for whatever else. */
static const int statuses[] = {200, 201, 204, 207, 304, 400, 401, 403, 404, 405, 406,
                               409, 410, 412, 413, 415, 422, 428, 429, 500, 503, 0};
enum { STATUS_COUNT = sizeof statuses / sizeof statuses[0] };

/* Upper bounds in microseconds. */
static const uint64_t bounds[] = {500,   1000,   2500,   5000,    10000,  25000,
                                  50000, 100000, 250000, 1000000, 5000000};
enum { BOUND_COUNT = sizeof bounds / sizeof bounds[0] };

typedef struct operation_figures {
    atomic_ullong by_status[STATUS_COUNT];
    atomic_ullong by_bound[BOUND_COUNT + 1];
    atomic_ullong total_us;
} operation_figures;

struct metrics {
    size_t count; /* operations, and one row for what matched none */
    operation_figures rows[];
};

metrics *metrics_new(void) {
    size_t count = contract_operation_count + 1;
    metrics *all = calloc(1, sizeof *all + count * sizeof(operation_figures));
    if (all != NULL) {
        all->count = count;
    }
    return all;
}

void metrics_free(metrics *all) {
    free(all);
}

void metrics_count(metrics *all, size_t operation, int status, uint64_t duration_us) {
    operation_figures *row = &all->rows[operation < all->count ? operation : all->count - 1];
    size_t place = 0;
    while (place < STATUS_COUNT - 1 && statuses[place] != status) {
        place++;
    }
    size_t bound = 0;
    while (bound < BOUND_COUNT && duration_us > bounds[bound]) {
        bound++;
    }
    atomic_fetch_add_explicit(&row->by_status[place], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->by_bound[bound], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&row->total_us, duration_us, memory_order_relaxed);
}

static const char *row_name(const metrics *all, size_t row) {
    return row + 1 == all->count ? "none" : contract_operations[row].id;
}

static void render_statuses(const metrics *all, FILE *out) {
    fputs("# HELP http_requests_total Requests answered.\n# TYPE http_requests_total counter\n",
          out);
    for (size_t row = 0; row < all->count; row++) {
        for (size_t place = 0; place < STATUS_COUNT; place++) {
            unsigned long long count = atomic_load(&all->rows[row].by_status[place]);
            if (count > 0) {
                fprintf(out, "http_requests_total{operation=\"%s\",status=\"%d\"} %llu\n",
                        row_name(all, row), statuses[place], count);
            }
        }
    }
}

static void render_durations(const metrics *all, FILE *out) {
    fputs("# HELP http_request_duration_seconds Time from the whole request to its answer.\n"
          "# TYPE http_request_duration_seconds histogram\n",
          out);
    for (size_t row = 0; row < all->count; row++) {
        unsigned long long sum = 0;
        for (size_t bound = 0; bound <= BOUND_COUNT; bound++) {
            sum += atomic_load(&all->rows[row].by_bound[bound]);
        }
        if (sum == 0) {
            continue;
        }
        unsigned long long so_far = 0;
        for (size_t bound = 0; bound < BOUND_COUNT; bound++) {
            so_far += atomic_load(&all->rows[row].by_bound[bound]);
            fprintf(out, "http_request_duration_seconds_bucket{operation=\"%s\",le=\"%g\"} %llu\n",
                    row_name(all, row), (double)bounds[bound] / 1e6, so_far);
        }
        fprintf(out,
                "http_request_duration_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n"
                "http_request_duration_seconds_sum{operation=\"%s\"} %.6f\n"
                "http_request_duration_seconds_count{operation=\"%s\"} %llu\n",
                row_name(all, row), sum, row_name(all, row),
                (double)atomic_load(&all->rows[row].total_us) / 1e6, row_name(all, row), sum);
    }
}

char *metrics_render(const metrics *all) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    render_statuses(all, out);
    render_durations(all, out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
