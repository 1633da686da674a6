/* Starts ulfius with a handler of our own in front of its own. */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <ulfius.h>

/* A handler of libmicrohttpd and its argument. */
typedef struct mhd_handler {
    MHD_AccessHandlerCallback call;
    void *argument;
} mhd_handler;

/* Starts the instance like ulfius_start_framework_with_mhd_options, but libmicrohttpd calls
 * `outer`. Writes ulfius's handler into `inner`, which the outer one calls for what it leaves to
 * ulfius. `inner` is complete before the first call of `outer`. Returns whether it started. */
bool intercept_start(struct _u_instance *instance, unsigned int flags,
                     struct MHD_OptionItem *options, mhd_handler outer, mhd_handler *inner);
