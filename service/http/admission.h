/* How one request passes through the HTTP library: what is decided at its headers, where its body
 * is stored, and how its answer is sent. */
#pragma once

#include "service/http/app_context.h"
#include "service/http/intercept.h"

/* The context of the requests of one port. */
typedef struct admission {
    app_context *context; /* NULL: the admin port, whose requests have no rules and no bodies */
    mhd_handler inner;    /* ulfius, filled by intercept_start */
} admission;

/* For MHD_OPTION_URI_LOG_CALLBACK: a request line arrived. Returns the argument of
 * admission_handle. */
void *admission_begin(void *cls, const char *uri, struct MHD_Connection *connection);

/* Handler for libmicrohttpd, with an admission as its argument. */
enum MHD_Result admission_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *piece,
                                 size_t *piece_size, void **context);

/* Endpoint of ulfius for the requests of the API. */
int admission_serve(const struct _u_request *ulfius_request, struct _u_response *response,
                    void *unused);

/* For MHD_OPTION_NOTIFY_COMPLETED: the answer was sent, or the connection broke. */
void admission_end(void *cls, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code);

/* Frees a request that the library began and forgot. */
void admission_drop(void *request);
