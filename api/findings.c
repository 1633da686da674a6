/* The findings of a review and the strategies that it suggests. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_findings(exchange *x) {
    exchange_get_items(x, statement_list_findings);
}

void add_finding(exchange *x) {
    exchange_submit(x, statement_add_finding);
}

void get_finding(exchange *x) {
    exchange_get(x, statement_get_finding);
}

void change_finding(exchange *x) {
    exchange_submit(x, statement_change_finding);
}

void list_strategies(exchange *x) {
    exchange_get_items(x, statement_list_strategies);
}

void add_strategy(exchange *x) {
    exchange_submit(x, statement_add_strategy);
}

void get_strategy(exchange *x) {
    exchange_get(x, statement_get_strategy);
}

void change_strategy(exchange *x) {
    exchange_submit(x, statement_change_strategy);
}
