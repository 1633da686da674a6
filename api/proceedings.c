/* Proceedings parallel to a review, and holds because of them or for other reasons. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_case_proceedings(exchange *x) {
    exchange_get_items(x, statement_list_case_proceedings);
}

void add_proceeding(exchange *x) {
    exchange_submit(x, statement_add_proceeding);
}

void get_case_proceeding(exchange *x) {
    exchange_get(x, statement_get_case_proceeding);
}

void change_case_proceeding(exchange *x) {
    exchange_submit(x, statement_change_case_proceeding);
}

void list_proceedings(exchange *x) {
    exchange_read_page(x, statement_list_proceedings);
}

void get_proceeding(exchange *x) {
    exchange_get(x, statement_get_proceeding);
}

void change_proceeding(exchange *x) {
    exchange_submit(x, statement_change_proceeding);
}

void list_holds(exchange *x) {
    exchange_get_items(x, statement_list_holds);
}

void add_hold(exchange *x) {
    exchange_submit(x, statement_add_hold);
}

void get_hold(exchange *x) {
    exchange_get(x, statement_get_hold);
}

void change_hold(exchange *x) {
    exchange_submit(x, statement_change_hold);
}
