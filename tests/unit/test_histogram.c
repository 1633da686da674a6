/* Tests of histograms: in which bucket a value counts, and how it is written. */
#include "service/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const uint64_t bounds[] = {10, 100};
static const histogram_scale scale = {.bounds = bounds, .count = 2, .unit = 0.5};

static void expect_text(const histogram *histogram, const char *labels, const char *expected) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    histogram_write(histogram, &scale, "x", labels, out);
    fclose(out);
    cr_expect_str_eq(text, expected);
    free(text);
}

Test(histogram, an_empty_histogram_has_empty_buckets) {
    histogram histogram = {0};
    cr_expect_eq(histogram_count(&histogram), 0);
    expect_text(&histogram, "",
                "x_bucket{le=\"5\"} 0\nx_bucket{le=\"50\"} 0\nx_bucket{le=\"+Inf\"} 0\n"
                "x_sum 0.000000\nx_count 0\n");
}

Test(histogram, buckets_are_cumulative) {
    histogram histogram = {0};
    static const uint64_t values[] = {0, 10, 11, 100, 101};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        histogram_add(&histogram, &scale, values[i]);
    }
    cr_expect_eq(histogram_count(&histogram), 5);
    expect_text(&histogram, "a=\"b\"",
                "x_bucket{a=\"b\",le=\"5\"} 2\nx_bucket{a=\"b\",le=\"50\"} 4\n"
                "x_bucket{a=\"b\",le=\"+Inf\"} 5\nx_sum{a=\"b\"} 111.000000\nx_count{a=\"b\"} 5\n");
}
