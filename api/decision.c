/* The recommendation and the decision on a case, and the decisions of all committees. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_get_recommendation(request *r) {
    respond_get(r, statement_get_recommendation);
}

void handle_put_recommendation(request *r) {
    respond_submit(r, statement_put_recommendation);
}

void handle_get_decision(request *r) {
    respond_get(r, statement_get_decision);
}

void handle_put_decision(request *r) {
    respond_submit(r, statement_put_decision);
}

void handle_list_decisions(request *r) {
    respond_page(r, statement_list_decisions);
}
