/* The recommendation and the decision on a case, and the decisions of all committees. */
#include "contract_handlers.h"
#include "service/http/request.h"

void get_recommendation(request *r) {
    handle_get(r, statement_get_recommendation);
}

void put_recommendation(request *r) {
    handle_submit(r, statement_put_recommendation);
}

void get_decision(request *r) {
    handle_get(r, statement_get_decision);
}

void put_decision(request *r) {
    handle_submit(r, statement_put_decision);
}

void list_decisions(request *r) {
    handle_page(r, statement_list_decisions);
}
