/* The documentation: pages, style, scripts and search index, which the build writes
 * (service/contract/documentation). */
#include "api/documentation.h"

#include "contract_handlers.h"

#include <string.h>

static const char *const policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void set_page_headers(request *r) {
    response_set_header(r, "Cache-Control", "no-cache");
    response_set_header(r, "Content-Security-Policy", policy);
    response_set_header(r, "Referrer-Policy", "no-referrer");
}

static void answer_file(request *r, const char *address) {
    for (size_t i = 0; i < documentation_file_count; i++) {
        if (strcmp(documentation_files[i].address, address) == 0) {
            set_page_headers(r);
            respond_asset(r, &documentation_files[i].asset);
            return;
        }
    }
    respond_problem(r, "not_found", NULL);
}

bool respond_page_to_browser(request *r, const char *address) {
    if (strcmp(request_media_type(r), "text/html") != 0) {
        return false;
    }
    answer_file(r, address);
    return true;
}

void handle_get_documentation(request *r) {
    answer_file(r, "/docs");
}

void handle_get_documentation_page(request *r) {
    answer_file(r, arena_printf(request_memory(r), "/docs/%s", request_path_value(r, "page")));
}

/* Only in development mode the script has the form that sends requests. */
void handle_get_documentation_script(request *r) {
    answer_file(r, request_context(r)->settings->dev ? "/docs/script.js+development"
                                                     : "/docs/script.js");
}

void handle_get_documentation_style(request *r) {
    answer_file(r, "/docs/style.css");
}

void handle_get_documentation_index(request *r) {
    answer_file(r, "/docs/search.json");
}
