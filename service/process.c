/* Limits and metrics of this process, from the operating system. */
#include "service/process.h"

#include "service/clock.h"
#include "service/metrics.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Indexes in /proc/self/stat (proc(5)), counted from the state, which is field 3. */
enum {
    FIELD_THREADS = 20 - 3,
    FIELD_START = 22 - 3,
    FIELD_MEMORY = 23 - 3,
    FIELD_RESIDENT = 24 - 3
};
enum { FIELDS = FIELD_RESIDENT + 1 };

/* The program's name before the fields may contain anything, but no later field contains a
 * parenthesis. */
static bool read_stat(double *fields) {
    char text[1024] = "";
    FILE *in = fopen("/proc/self/stat", "re");
    if (in == NULL) {
        return false;
    }
    size_t size = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[size] = '\0';
    char *at = strrchr(text, ')');
    char *rest = NULL;
    at = at == NULL ? NULL : strtok_r(at + 1, " ", &rest);
    size_t count = 0;
    for (; at != NULL && count < FIELDS; at = strtok_r(NULL, " ", &rest)) {
        fields[count++] = strtod(at, NULL);
    }
    return count == FIELDS;
}

static void write_stat(FILE *out) {
    double fields[FIELDS];
    if (!read_stat(fields)) {
        return;
    }
    double running =
        (double)clock_us(CLOCK_BOOTTIME) / 1e6 - fields[FIELD_START] / (double)sysconf(_SC_CLK_TCK);
    metrics_write_value(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                        fields[FIELD_RESIDENT] * (double)sysconf(_SC_PAGESIZE));
    metrics_write_value(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
                        fields[FIELD_MEMORY]);
    metrics_write_value(out, "process_threads", "gauge", "Threads.", fields[FIELD_THREADS]);
    metrics_write_value(out, "process_start_time_seconds", "gauge",
                        "When the process started, in seconds since 1970.",
                        (double)(int64_t)((double)clock_us(CLOCK_REALTIME) / 1e6 - running));
}

static void write_files(FILE *out) {
    DIR *files = opendir("/proc/self/fd");
    if (files == NULL) {
        return;
    }
    double count = -3; /* `.`, `..` and the folder itself */
    while (readdir(files) != NULL) {
        count++;
    }
    closedir(files);
    struct rlimit max;
    metrics_write_value(out, "process_open_fds", "gauge", "Open file descriptors.", count);
    if (getrlimit(RLIMIT_NOFILE, &max) == 0) {
        metrics_write_value(out, "process_max_fds", "gauge", "File descriptors that may be open.",
                            (double)max.rlim_cur);
    }
}

bool process_allow_files(size_t count, char *reason, size_t reason_size) {
    struct rlimit max;
    if (getrlimit(RLIMIT_NOFILE, &max) != 0 || max.rlim_cur >= count) {
        return true;
    }
    if (max.rlim_max < count) {
        snprintf(reason, reason_size,
                 "The settings need %zu file descriptors, but the limit is %llu: raise it "
                 "(LimitNOFILE of systemd, ulimit -Hn), or lower LR_CONNECTION_LIMIT.",
                 count, (unsigned long long)max.rlim_max);
        return false;
    }
    max.rlim_cur = count;
    if (setrlimit(RLIMIT_NOFILE, &max) != 0) {
        snprintf(reason, reason_size, "The limit of file descriptors cannot be raised to %zu: %s.",
                 count, strerror(errno));
        return false;
    }
    return true;
}

void process_write(FILE *out) {
    write_stat(out);
    write_files(out);
    metrics_write_value(out, "process_cpu_seconds_total", "counter", "Processor time used.",
                        (double)clock_us(CLOCK_PROCESS_CPUTIME_ID) / 1e6);
}
