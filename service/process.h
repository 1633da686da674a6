/* What the operating system says of this process. */
#pragma once

#include <stdio.h>

/* Writes memory, open files, processor time, threads and start in the Prometheus text format, under
 * the names that all its client libraries use. What the system does not tell is left out. */
void process_write(FILE *out);
