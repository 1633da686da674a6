/* Tests of the metrics of the process itself. */
#include "service/process.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double figure(const char *text, const char *name) {
    char line[128];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    cr_assert_not_null(at, "%s", name);
    return strtod(at + strlen(line), NULL);
}

static char *stats(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    process_write(out);
    fclose(out);
    return text;
}

Test(process, the_metrics_of_a_process_are_plausible) {
    char *text = stats();
    double started = figure(text, "process_start_time_seconds");
    cr_expect_gt(started, (double)time(NULL) - 3600); /* clock: a plausible value */
    cr_expect_leq(started, (double)time(NULL) + 1);   /* clock: a plausible value */
    cr_expect_gt(figure(text, "process_resident_memory_bytes"), 1 << 20);
    cr_expect_gt(figure(text, "process_virtual_memory_bytes"),
                 figure(text, "process_resident_memory_bytes"));
    cr_expect_geq(figure(text, "process_threads"), 1);
    cr_expect_gt(figure(text, "process_cpu_seconds_total"), 0);
    cr_expect_gt(figure(text, "process_max_fds"), figure(text, "process_open_fds"));
    free(text);
}

Test(process, an_opened_file_is_counted) {
    char *before = stats();
    int extra = dup(STDERR_FILENO);
    char *after = stats();
    cr_expect_eq(figure(after, "process_open_fds"), figure(before, "process_open_fds") + 1);
    close(extra);
    free(before);
    free(after);
}
