/* The dashboard: a page, its script and its style, which use nothing but the public interface. */
#include "api/dashboard.h"

#include "api/documentation.h"
#include "contract_handlers.h"

static void answer_file(request *r, const char *type, const void *bytes, size_t size) {
    set_page_headers(r);
    respond_bytes(r, type, bytes, size);
}

void handle_get_dashboard(request *r) {
    answer_file(r, "text/html; charset=utf-8", dashboard_page, dashboard_page_size);
}

void handle_get_dashboard_script(request *r) {
    answer_file(r, "text/javascript; charset=utf-8", dashboard_script, dashboard_script_size);
}

void handle_get_dashboard_style(request *r) {
    answer_file(r, "text/css; charset=utf-8", dashboard_style, dashboard_style_size);
}
