/* Notices of a committee to others, and the observations of the inspectorate. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_case_notices(exchange *x) {
    exchange_get_items(x, statement_list_case_notices);
}

void create_notices(exchange *x) {
    exchange_submit(x, statement_create_notices);
}

void get_case_notice(exchange *x) {
    exchange_get(x, statement_get_case_notice);
}

void send_notice(exchange *x) {
    exchange_submit(x, statement_send_notice);
}

void list_notices(exchange *x) {
    exchange_read_page(x, statement_list_notices);
}

void get_notice(exchange *x) {
    exchange_get(x, statement_get_notice);
}

void observe_notice(exchange *x) {
    exchange_submit(x, statement_observe_notice);
}
