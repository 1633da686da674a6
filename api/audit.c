/* The audit trail, for auditors and for the committees that it concerns. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_audit(request *r) {
    handle_page(r, statement_list_audit);
}

void get_audit_head(request *r) {
    handle_get(r, statement_get_audit_head);
}
