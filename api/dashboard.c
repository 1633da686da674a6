/* The dashboard: a page, its script and its style, which use nothing but the public interface. */
#include "api/dashboard.h"

#include "contract_handlers.h"
#include "service/http/exchange.h"

/* Nothing from elsewhere, nothing inline, nothing sent anywhere but here. */
static const char *const policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void answer_file(exchange *x, const char *type, const void *bytes, size_t size) {
    exchange_set_header(x, "Cache-Control", "no-cache");
    exchange_set_header(x, "Content-Security-Policy", policy);
    exchange_set_header(x, "Referrer-Policy", "no-referrer");
    exchange_answer_bytes(x, type, bytes, size);
}

void get_dashboard(exchange *x) {
    answer_file(x, "text/html; charset=utf-8", dashboard_page, dashboard_page_size);
}

void get_dashboard_script(exchange *x) {
    answer_file(x, "text/javascript; charset=utf-8", dashboard_script, dashboard_script_size);
}

void get_dashboard_style(exchange *x) {
    answer_file(x, "text/css; charset=utf-8", dashboard_style, dashboard_style_size);
}
