/* The plan of the failing calls: shared between a test and the tested program. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum { FAULT_NONE, FAULT_MEMORY, FAULT_REFUSED, FAULT_CUT };

typedef struct fault_plan {
    _Atomic int64_t seen;        /* calls since the plan was made */
    _Atomic int64_t first, last; /* the calls that fail, from 1 */
    _Atomic int64_t failed;      /* number of failed calls */
    _Atomic int32_t kind;        /* set last */
} fault_plan;
