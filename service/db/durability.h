/* Checks whether the database keeps committed data even when its machine fails. */
#pragma once

#include <stddef.h>

typedef enum durability_result {
    DURABILITY_KEPT,
    DURABILITY_OFF,    /* a setting that durability depends on is off */
    DURABILITY_UNKNOWN /* the database could not be asked */
} durability_result;

/* Asks the database, as the serving role; writes one sentence to `reason` unless all settings are
 * on. */
durability_result durability_check(const char *conninfo, char *reason, size_t reason_size);
