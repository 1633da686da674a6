/* Cases: what a read contains, and the references of children. */
#include "api/pseudonym.h"
#include "api/referral_input.h"
#include "contract_handlers.h"

#include <string.h>

/* The children of a case that a committee opens itself come from its own system, called by this
 * name. */
static const char *const own_system = "committee";

/* An organisation's code ends with the code of its committee (CPC-GLA). */
static const char *own_committee(request *r) {
    const char *code = request_principal(r)->organisation;
    const char *dash = strrchr(code, '-');
    return dash == NULL ? code : dash + 1;
}

void handle_open_case(request *r) {
    if (referral_hide_children(r, request_body(r), own_committee(r), own_system)) {
        respond_submit(r, statement_open_case);
    }
}

void handle_get_case(request *r) {
    const char *expand = request_query_value(r, "expand");
    respond_read(r, statement_get_case,
                 (const char *[]){request_path_value(r, "id"), expand == NULL ? "" : expand});
}

void handle_add_child(request *r) {
    if (pseudonym_replace(r, request_body(r), own_committee(r), own_system)) {
        respond_submit(r, statement_add_child);
    }
}
