/* Counts requests, in the Prometheus text format (version 0.0.4). */
#include "service/metrics.h"

#include "service/contract/contract.h"
#include "service/histogram.h"

#include <stdatomic.h>
#include <stdlib.h>

/* The statuses of the contract, then one slot for all others. */
static const int statuses[] = {200, 201, 204, 207, 304, 400, 401, 403, 404, 405, 406,
                               409, 410, 412, 413, 415, 422, 428, 429, 500, 503, 0};
enum { STATUS_COUNT = sizeof statuses / sizeof statuses[0] };

/* In microseconds: from the duration of a cached read to LR_REQUEST_SECONDS. */
static const uint64_t duration_bounds[] = {500,     1000,    2500,    5000,    10000,
                                           25000,   50000,   100000,  250000,  500000,
                                           1000000, 2500000, 5000000, 10000000};
static const histogram_scale durations = {.bounds = duration_bounds,
                                          .count =
                                              sizeof duration_bounds / sizeof duration_bounds[0],
                                          .unit = 1e-6};

typedef struct operation_stats {
    atomic_ullong by_status[STATUS_COUNT];
    histogram duration;
} operation_stats;

struct metrics {
    atomic_llong in_flight;
    size_t count; /* operations, and one row for requests that match none */
    operation_stats rows[];
};

metrics *metrics_new(void) {
    size_t count = contract_operation_count + 1;
    metrics *metrics = calloc(1, sizeof *metrics + count * sizeof(operation_stats));
    if (metrics != NULL) {
        metrics->count = count;
    }
    return metrics;
}

void metrics_free(metrics *metrics) {
    free(metrics);
}

void metrics_begin(metrics *metrics) {
    atomic_fetch_add_explicit(&metrics->in_flight, 1, memory_order_relaxed);
}

void metrics_count(metrics *metrics, size_t operation, int status, uint64_t duration_us) {
    operation_stats *row =
        &metrics->rows[operation < metrics->count ? operation : metrics->count - 1];
    size_t place = 0;
    while (place < STATUS_COUNT - 1 && statuses[place] != status) {
        place++;
    }
    atomic_fetch_add_explicit(&row->by_status[place], 1, memory_order_relaxed);
    histogram_add(&row->duration, &durations, duration_us);
    atomic_fetch_sub_explicit(&metrics->in_flight, 1, memory_order_relaxed);
}

void metrics_head(FILE *out, const char *name, const char *type, const char *help) {
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_write_value(FILE *out, const char *name, const char *type, const char *help,
                         double value) {
    metrics_head(out, name, type, help);
    fprintf(out, "%s %.17g\n", name, value);
}

static const char *row_name(const metrics *metrics, size_t row) {
    return row + 1 == metrics->count ? "none" : contract_operations[row].id;
}

static void write_statuses(const metrics *metrics, FILE *out) {
    metrics_head(out, "http_requests_total", "counter", "Requests answered.");
    for (size_t row = 0; row < metrics->count; row++) {
        for (size_t place = 0; place < STATUS_COUNT; place++) {
            unsigned long long count = atomic_load(&metrics->rows[row].by_status[place]);
            if (count > 0) {
                fprintf(out, "http_requests_total{operation=\"%s\",status=\"%d\"} %llu\n",
                        row_name(metrics, row), statuses[place], count);
            }
        }
    }
}

static void write_durations(const metrics *metrics, FILE *out) {
    const char *name = "http_request_duration_seconds";
    metrics_head(out, name, "histogram", "Time from the whole request to its answer.");
    for (size_t row = 0; row < metrics->count; row++) {
        if (histogram_count(&metrics->rows[row].duration) > 0) {
            char labels[128];
            snprintf(labels, sizeof labels, "operation=\"%s\"", row_name(metrics, row));
            histogram_write(&metrics->rows[row].duration, &durations, name, labels, out);
        }
    }
}

/* Method and route are derived from the operation: one series names them, not every series. */
static void write_operations(FILE *out) {
    metrics_head(out, "http_operation_info", "gauge",
                 "Method and route of each operation of the contract; always 1.");
    for (size_t i = 0; i < contract_operation_count; i++) {
        const contract_operation *each = &contract_operations[i];
        fprintf(out, "http_operation_info{operation=\"%s\",method=\"%s\",route=\"%s\"} 1\n",
                each->id, each->method, each->path);
    }
}

void metrics_write(const metrics *metrics, FILE *out) {
    write_statuses(metrics, out);
    write_durations(metrics, out);
    write_operations(out);
    metrics_write_value(out, "http_requests_in_flight", "gauge",
                        "Requests that are being answered.",
                        (double)atomic_load(&metrics->in_flight));
}
