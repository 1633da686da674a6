/* The admin port: is it alive, is it ready, what are its metrics. */
#pragma once

#include <ulfius.h>

/* ulfius callback; `context` is the service. */
int admin_serve(const struct _u_request *request, struct _u_response *response, void *context);
