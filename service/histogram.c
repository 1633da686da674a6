/* A Prometheus histogram: counts values by upper bound. Any number of threads may add to it. */
#include "service/histogram.h"

void histogram_add(histogram *histogram, const histogram_scale *scale, uint64_t value) {
    size_t place = 0;
    while (place < scale->count && value > scale->bounds[place]) {
        place++;
    }
    atomic_fetch_add_explicit(&histogram->by_bound[place], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->total, value, memory_order_relaxed);
}

unsigned long long histogram_count(const histogram *histogram) {
    unsigned long long count = 0;
    for (size_t place = 0; place <= HISTOGRAM_BOUNDS_MAX; place++) {
        count += atomic_load_explicit(&histogram->by_bound[place], memory_order_relaxed);
    }
    return count;
}

void histogram_write(const histogram *histogram, const histogram_scale *scale, const char *name,
                     const char *labels, FILE *out) {
    const char *comma = *labels == '\0' ? "" : ",";
    const char *open = *labels == '\0' ? "" : "{";
    const char *close = *labels == '\0' ? "" : "}";
    unsigned long long so_far = 0;
    for (size_t place = 0; place < scale->count; place++) {
        so_far += atomic_load_explicit(&histogram->by_bound[place], memory_order_relaxed);
        fprintf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma,
                (double)scale->bounds[place] * scale->unit, so_far);
    }
    /* Read once: +Inf and count must be the same number. */
    so_far += atomic_load_explicit(&histogram->by_bound[scale->count], memory_order_relaxed);
    fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, so_far);
    fprintf(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close,
            (double)atomic_load_explicit(&histogram->total, memory_order_relaxed) * scale->unit);
    fprintf(out, "%s_count%s%s%s %llu\n", name, open, labels, close, so_far);
}
