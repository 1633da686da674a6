/* The recommendation and the decision on a case, and the decisions of all committees. */
#include "api/case_part.h"
#include "contract_handlers.h"
#include "service/http/exchange.h"

void get_recommendation(exchange *x) {
    exchange_read(x, statement_get_recommendation, (const char *[]){exchange_path_value(x, "id")});
}

void put_recommendation(exchange *x) {
    case_replace_part(x, statement_put_recommendation);
}

void get_decision(exchange *x) {
    exchange_read(x, statement_get_decision, (const char *[]){exchange_path_value(x, "id")});
}

void put_decision(exchange *x) {
    case_replace_part(x, statement_put_decision);
}

void list_decisions(exchange *x) {
    exchange_read_page(x, statement_list_decisions);
}
