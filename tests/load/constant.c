/* The reference for cached answers: ulfius, started as the service starts it, and a constant. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <ulfius.h>
#include <unistd.h>

static int answer(const struct _u_request *request, struct _u_response *response, void *unused) {
    (void)request;
    (void)unused;
    ulfius_set_string_body_response(response, 200, "{\"items\":[],\"next\":null}");
    return U_CALLBACK_COMPLETE;
}

int main(int count, char **words) {
    struct _u_instance instance;
    if (count != 3 ||
        ulfius_init_instance(&instance, (unsigned int)atoi(words[1]), NULL, NULL) != U_OK ||
        ulfius_set_default_endpoint(&instance, answer, NULL) != U_OK) {
        return 1;
    }
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, atoi(words[2]), NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)mhd_request_completed, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)ulfius_uri_logger, NULL},
        {MHD_OPTION_END, 0, NULL}};
    if (ulfius_start_framework_with_mhd_options(
            &instance, MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, options) != U_OK) {
        return 1;
    }
    pause();
    return 0;
}
