/* Limits and metrics of this process, from the operating system. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Raises the soft limit of file descriptors to `count` if it is lower. Returns false with one
 * sentence in `reason` when the hard limit forbids it. */
bool process_allow_files(size_t count, char *reason, size_t reason_size);

/* Writes memory, open files, processor time, threads and start time in the Prometheus text format,
 * under the names that all its client libraries use. Omits values that the system lacks. */
void process_write(FILE *out);
