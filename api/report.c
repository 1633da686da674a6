/* The report's way from the draft to publication, and how a case ends. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void get_report(exchange *x) {
    exchange_get(x, statement_get_report);
}

void put_report(exchange *x) {
    exchange_submit(x, statement_put_report);
}

void list_ratifications(exchange *x) {
    exchange_get_items(x, statement_list_ratifications);
}

void ratify_report(exchange *x) {
    exchange_submit(x, statement_ratify_report);
}

void consider_plan(exchange *x) {
    exchange_submit(x, statement_consider_plan);
}

void get_publication(exchange *x) {
    exchange_get(x, statement_get_publication);
}

void put_publication(exchange *x) {
    exchange_submit(x, statement_put_publication);
}

void check_anonymisation(exchange *x) {
    exchange_submit(x, statement_check_anonymisation);
}

void list_disseminations(exchange *x) {
    exchange_get_items(x, statement_list_disseminations);
}

void add_dissemination(exchange *x) {
    exchange_submit(x, statement_add_dissemination);
}

void get_evaluation(exchange *x) {
    exchange_get(x, statement_get_evaluation);
}

void put_evaluation(exchange *x) {
    exchange_submit(x, statement_put_evaluation);
}

void get_discontinuation(exchange *x) {
    exchange_get(x, statement_get_discontinuation);
}

void put_discontinuation(exchange *x) {
    exchange_submit(x, statement_put_discontinuation);
}
