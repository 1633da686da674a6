/* Counts requests, in the Prometheus text format (version 0.0.4). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct metrics metrics;

/* Makes the counters for the operations of the contract. NULL when memory is out. */
metrics *metrics_new(void);
void metrics_free(metrics *metrics);

/* Counts a request as in progress, until metrics_count. */
void metrics_begin(metrics *metrics);

/* Counts one answer. `operation` is the operationId's index in the contract, or SIZE_MAX for none.
 */
void metrics_count(metrics *metrics, size_t operation, int status, uint64_t duration_us);

/* Writes all counters. */
void metrics_write(const metrics *metrics, FILE *out);

/* Writes the two lines before the values of a metric. */
void metrics_head(FILE *out, const char *name, const char *type, const char *help);

/* Writes a metric that has one value and no labels. */
void metrics_write_value(FILE *out, const char *name, const char *type, const char *help,
                         double value);
