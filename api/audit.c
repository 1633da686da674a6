/* The audit trail, for auditors and for the committees that it concerns. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_audit(request *r) {
    respond_page(r, statement_list_audit);
}

void handle_get_audit_head(request *r) {
    respond_get(r, statement_get_audit_head);
}
