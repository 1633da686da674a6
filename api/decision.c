/* The recommendation and the decision on a case, and the decisions of all committees. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void get_recommendation(exchange *x) {
    exchange_get(x, statement_get_recommendation);
}

void put_recommendation(exchange *x) {
    exchange_submit(x, statement_put_recommendation);
}

void get_decision(exchange *x) {
    exchange_get(x, statement_get_decision);
}

void put_decision(exchange *x) {
    exchange_submit(x, statement_put_decision);
}

void list_decisions(exchange *x) {
    exchange_read_page(x, statement_list_decisions);
}
