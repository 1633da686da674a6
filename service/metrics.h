/* Counters and histograms in the Prometheus text format (version 0.0.4). */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct metrics metrics;

/* Makes the counters for the operations of the contract. NULL when memory is out. */
metrics *metrics_new(void);
void metrics_free(metrics *all);

/* Counts one answer. `operation` is the operationId's index in the contract, or SIZE_MAX for none.
 */
void metrics_count(metrics *all, size_t operation, int status, uint64_t duration_us);

/* Writes every counter of requests as text; the caller frees it. NULL when memory is out. */
char *metrics_render(const metrics *all);
