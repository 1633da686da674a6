/* Starts ulfius with a handler of our own in front of its own.
 *
 * Why: libmicrohttpd calls its access handler once when the headers of a request are complete, then
 * for each piece of the body, then once at the end. It sends an answer that is queued in the first
 * call at once, and never reads the body. So a request without a token is refused before its body
 * costs memory. ulfius handles the first two kinds of calls itself: it copies the headers in the
 * first one, appends every piece to a buffer, and calls the application at the end, when the body
 * is in memory. ulfius 2.7.13 has no setting or callback for the moment between:
 *
 * - its endpoints, also those with priorities or U_CALLBACK_CONTINUE, run in the last call only;
 * - file_upload_callback gets the pieces of multipart forms only, and cannot answer;
 * - max_post_body_size is one number for all requests, and cuts the body off instead of refusing;
 * - libmicrohttpd's own callbacks come too early (the request line) or cannot answer (a
 *   connection);
 * - the handler is fixed when the daemon starts, and ulfius passes a static function of its own.
 *
 * Running libmicrohttpd without ulfius would work, but would give up requests and answers as ulfius
 * structures. A copy of ulfius's source would need maintenance.
 *
 * How: ulfius calls MHD_start_daemon through the dynamic linker, which uses the first definition
 * that it finds, the program's before the library's. The function below has that name. It replaces
 * the handler in the arguments while intercept_start runs on the same thread, and otherwise changes
 * nothing. libmicrohttpd exports MHD_start_daemon_va, which does the work, so the function need not
 * look up a symbol. The linker exports the function from the program because libulfius, which is
 * linked with it, refers to the name. If that ever fails (a static ulfius, another way to start),
 * `inner` stays empty, and intercept_start reports failure instead of serving without the checks.
 *
 * The order of calls that ulfius expects does not change: first call, last call, completion. */
#include "service/http/intercept.h"

#include <stdarg.h>

typedef struct interception {
    mhd_handler outer;
    mhd_handler *inner;
} interception;

static _Thread_local interception *under_way;

struct MHD_Daemon *MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc,
                                    void *apc_cls, MHD_AccessHandlerCallback dh, void *dh_cls,
                                    ...) {
    if (under_way != NULL) {
        *under_way->inner = (mhd_handler){dh, dh_cls};
        dh = under_way->outer.call;
        dh_cls = under_way->outer.argument;
    }
    va_list options;
    va_start(options, dh_cls);
    struct MHD_Daemon *started =
        MHD_start_daemon_va(flags, port, apc, apc_cls, dh, dh_cls, options);
    va_end(options);
    return started;
}

bool intercept_start(struct _u_instance *instance, unsigned int flags,
                     struct MHD_OptionItem *options, mhd_handler outer, mhd_handler *inner) {
    interception mine = {.outer = outer, .inner = inner};
    *inner = (mhd_handler){NULL, NULL};
    under_way = &mine;
    bool started = ulfius_start_framework_with_mhd_options(instance, flags, options) == U_OK;
    under_way = NULL;
    if (started && inner->call == NULL) {
        ulfius_stop_framework(instance);
        started = false;
    }
    return started;
}
