/* What the operating system says of this process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Raises the soft limit of file descriptors to `count` where it is lower. Returns false, with one
 * sentence in `reason`, when the hard limit forbids it. */
bool process_allow_files(size_t count, char *reason, size_t reason_size);

/* Writes memory, open files, processor time, threads and start in the Prometheus text format, under
 * the names that all its client libraries use. What the system does not tell is left out. */
void process_write(FILE *out);
