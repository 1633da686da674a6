/* The admin port: liveness, readiness and metrics. */
#include "service/http/admin.h"

#include "service/http/metrics_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(struct _u_response *response, unsigned int status, const char *type,
                   const char *text) {
    u_map_put(response->map_header, "Content-Type", type);
    u_map_put(response->map_header, "Cache-Control", "no-store");
    ulfius_set_binary_body_response(response, status, text, strlen(text));
}

/* Names each missing part, so that an operator need not guess. */
static void answer_ready(app_context *context, struct _u_response *response) {
    char text[256];
    readiness now = readiness_read(context);
    snprintf(text, sizeof text, "{\"ready\":%s,\"database\":%s,\"keys\":%s,\"draining\":%s}\n",
             now.ready ? "true" : "false", now.database ? "true" : "false",
             now.keys ? "true" : "false", now.draining ? "true" : "false");
    answer(response, now.ready ? 200 : 503, "application/json", text);
}

static void answer_metrics(app_context *context, struct _u_response *response) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        metrics_page_write(context, out);
    }
    bool complete = out != NULL && fclose(out) == 0;
    answer(response, complete ? 200 : 503, "text/plain; version=0.0.4; charset=utf-8",
           complete ? text : "");
    free(text);
}

int admin_serve(const struct _u_request *request, struct _u_response *response, void *context) {
    const char *path = request->url_path;
    if (strcmp(path, "/livez") == 0) {
        answer(response, 200, "application/json", "{\"alive\":true}\n");
    } else if (strcmp(path, "/readyz") == 0) {
        answer_ready(context, response);
    } else if (strcmp(path, "/metrics") == 0) {
        answer_metrics(context, response);
    } else {
        answer(response, 404, "application/json",
               "{\"paths\":[\"/livez\",\"/readyz\",\"/metrics\"]}\n");
    }
    return U_CALLBACK_COMPLETE;
}
