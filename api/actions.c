/* Actions: the printable plan of a case. */
#include "api/documentation.h"
#include "contract_handlers.h"

#include <string.h>

void handle_get_action_plan(request *r) {
    const char *const parameters[] = {request_path_value(r, "id")};
    if (strcmp(request_media_type(r), "text/html") != 0) {
        respond_read(r, statement_get_action_plan, parameters);
    } else if (respond_read_page(r, statement_get_action_plan_page, parameters)) {
        set_page_headers(r);
        response_set_header(r, "Cache-Control", "no-store"); // unlike the documentation
    }
}
