/* The system's clocks, read in one way everywhere. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Returns the time of a clock of clock_gettime(2) in microseconds. */
int64_t clock_us(clockid_t clock);

/* Returns the time of the steady clock (CLOCK_MONOTONIC) in milliseconds, for durations and
 * deadlines. */
int64_t now_ms(void);

/* Returns the time of that clock, so many milliseconds from now. */
struct timespec clock_deadline(clockid_t clock, long milliseconds);
