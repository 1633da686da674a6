/* The audit trail, for auditors and for the committees that it concerns. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_audit(exchange *x) {
    exchange_read_page(x, statement_list_audit);
}

void get_audit_head(exchange *x) {
    exchange_get(x, statement_get_audit_head);
}
