/* Information requests: asked by a committee, answered by the organisation that it asks. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_case_information_requests(exchange *x) {
    exchange_get_items(x, statement_list_case_information_requests);
}

void create_information_request(exchange *x) {
    exchange_submit(x, statement_create_information_request);
}

void get_case_information_request(exchange *x) {
    exchange_get(x, statement_get_case_information_request);
}

void change_information_request(exchange *x) {
    exchange_submit(x, statement_change_information_request);
}

void list_information_requests(exchange *x) {
    exchange_read_page(x, statement_list_information_requests);
}

void get_information_request(exchange *x) {
    exchange_get(x, statement_get_information_request);
}

void answer_information_request(exchange *x) {
    exchange_submit(x, statement_answer_information_request);
}
