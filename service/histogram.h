/* A Prometheus histogram: counts values by upper bound. Any number of threads may add to it. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { HISTOGRAM_BOUNDS_MAX = 16 };

/* The upper bounds of the values, in rising order. `unit` converts a value to the unit of the
 * metric: 1e-6 for microseconds that are served as seconds. */
typedef struct histogram_scale {
    const uint64_t *bounds;
    size_t count;
    double unit;
} histogram_scale;

/* All zero means empty. */
typedef struct histogram {
    atomic_ullong by_bound[HISTOGRAM_BOUNDS_MAX + 1];
    atomic_ullong total;
} histogram;

void histogram_add(histogram *histogram, const histogram_scale *scale, uint64_t value);

/* Returns how many values were added. */
unsigned long long histogram_count(const histogram *histogram);

/* Writes buckets, sum and count; `labels` is `name="value",...` or "". */
void histogram_write(const histogram *histogram, const histogram_scale *scale, const char *name,
                     const char *labels, FILE *out);
