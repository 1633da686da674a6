/* One request's way through the HTTP library: what is decided at its headers, where its body is
 * kept, and how its answer goes back. */
#pragma once

#include "service/http/app_context.h"
#include "service/http/intercept.h"

/* What the requests of one port need. */
typedef struct admission {
    app_context *context; /* NULL: the admin port, whose requests have neither rules nor bodies */
    mhd_handler inner;    /* ulfius, filled by intercept_start */
} admission;

/* For MHD_OPTION_URI_LOG_CALLBACK: a request line came. Returns what admission_handle finds. */
void *admission_begin(void *cls, const char *uri, struct MHD_Connection *connection);

/* The handler of libmicrohttpd, with an admission as its argument. */
enum MHD_Result admission_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *piece,
                                 size_t *piece_size, void **context);

/* The endpoint of ulfius for the requests of the API. */
int admission_serve(const struct _u_request *ulfius_request, struct _u_response *response,
                    void *unused);

/* For MHD_OPTION_NOTIFY_COMPLETED: the answer went out, or the connection broke. */
void admission_end(void *cls, struct MHD_Connection *connection, void **context,
                   enum MHD_RequestTerminationCode code);

/* Frees a request that the library began and forgot. */
void admission_drop(void *request);
