/* Every figure that the admin port tells an operator. */
#pragma once

#include "service/http/service.h"

#include <stdbool.h>
#include <stdio.h>

/* Whether it can answer requests: database and keys are there and nothing is draining. */
typedef struct readiness {
    bool database, keys, draining, ready;
} readiness;
readiness readiness_read(service *shared);

/* Writes all metrics in the Prometheus text format. */
void figures_write(service *shared, FILE *out);
