/* Information requests: asked by a committee, answered by the organisation that it asks. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_case_information_requests(exchange *x) {
    exchange_read_items(x, statement_list_case_information_requests,
                        (const char *[]){exchange_path_value(x, "id")});
}

void create_information_request(exchange *x) {
    exchange_write(x, statement_create_information_request,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void get_case_information_request(exchange *x) {
    exchange_read(
        x, statement_get_case_information_request,
        (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, "request_id")});
}

void change_information_request(exchange *x) {
    exchange_write(x, statement_change_information_request,
                   (const char *[]){exchange_path_value(x, "id"),
                                    exchange_path_value(x, "request_id"),
                                    exchange_expected_version(x), exchange_body_text(x)});
}

void list_information_requests(exchange *x) {
    exchange_read_page(x, statement_list_information_requests);
}

void get_information_request(exchange *x) {
    exchange_read(x, statement_get_information_request,
                  (const char *[]){exchange_path_value(x, "id")});
}

void answer_information_request(exchange *x) {
    exchange_write(x, statement_answer_information_request,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}
