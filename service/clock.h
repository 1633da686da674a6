/* The clocks of the system, read in one way everywhere. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Microseconds of a clock of clock_gettime(2). */
int64_t clock_us(clockid_t clock);

/* Milliseconds of the steady clock (CLOCK_MONOTONIC), for durations and deadlines. */
int64_t now_ms(void);

/* The moment that is so many milliseconds from now by that clock. */
struct timespec clock_deadline(clockid_t clock, long milliseconds);
