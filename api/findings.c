/* The findings of a review and the strategies that it suggests. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_findings(request *r) {
    handle_list(r, statement_list_findings);
}

void add_finding(request *r) {
    handle_submit(r, statement_add_finding);
}

void get_finding(request *r) {
    handle_get(r, statement_get_finding);
}

void change_finding(request *r) {
    handle_submit(r, statement_change_finding);
}

void list_strategies(request *r) {
    handle_list(r, statement_list_strategies);
}

void add_strategy(request *r) {
    handle_submit(r, statement_add_strategy);
}

void get_strategy(request *r) {
    handle_get(r, statement_get_strategy);
}

void change_strategy(request *r) {
    handle_submit(r, statement_change_strategy);
}
