/* The page /metrics of the admin port. */
#pragma once

#include "service/http/app_context.h"

#include <stdbool.h>
#include <stdio.h>

/* The conditions of readiness: database and keys are available and the service is not draining. */
typedef struct readiness {
    bool database, keys, draining, ready;
} readiness;
readiness readiness_read(app_context *context);

/* Writes all metrics in the Prometheus text format. */
void metrics_page_write(app_context *context, FILE *out);
