/* The findings of a review and the strategies that it suggests. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_findings(request *r) {
    respond_list(r, statement_list_findings);
}

void handle_add_finding(request *r) {
    respond_submit(r, statement_add_finding);
}

void handle_get_finding(request *r) {
    respond_get(r, statement_get_finding);
}

void handle_change_finding(request *r) {
    respond_submit(r, statement_change_finding);
}

void handle_list_strategies(request *r) {
    respond_list(r, statement_list_strategies);
}

void handle_add_strategy(request *r) {
    respond_submit(r, statement_add_strategy);
}

void handle_get_strategy(request *r) {
    respond_get(r, statement_get_strategy);
}

void handle_change_strategy(request *r) {
    respond_submit(r, statement_change_strategy);
}
