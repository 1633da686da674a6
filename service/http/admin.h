/* The admin port: liveness, readiness and metrics. */
#pragma once

#include <ulfius.h>

/* Callback of ulfius; `context` is the app_context. */
int admin_serve(const struct _u_request *request, struct _u_response *response, void *context);
