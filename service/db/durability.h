/* Whether the database keeps what it says it committed, even when its machine fails. */
#pragma once

#include <stddef.h>

typedef enum durability_result {
    DURABILITY_KEPT,
    DURABILITY_OFF,    /* a setting that it rests on is off */
    DURABILITY_UNKNOWN /* the database could not be asked */
} durability_result;

/* Asks the database, as the role that serves; writes one sentence to `reason` unless all is on. */
durability_result durability_check(const char *conninfo, char *reason, size_t reason_size);
