/* Notices: what a committee tells others, and what the inspectorate says to it. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_case_notices(exchange *x) {
    exchange_read_items(x, statement_list_case_notices,
                        (const char *[]){exchange_path_value(x, "id")});
}

void create_notices(exchange *x) {
    exchange_write(x, statement_create_notices,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void get_case_notice(exchange *x) {
    exchange_read(
        x, statement_get_case_notice,
        (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, "notice_id")});
}

void send_notice(exchange *x) {
    exchange_write(x, statement_send_notice,
                   (const char *[]){exchange_path_value(x, "id"),
                                    exchange_path_value(x, "notice_id"), exchange_body_text(x)});
}

void list_notices(exchange *x) {
    exchange_read_page(x, statement_list_notices);
}

void get_notice(exchange *x) {
    exchange_read(x, statement_get_notice, (const char *[]){exchange_path_value(x, "id")});
}

void observe_notice(exchange *x) {
    exchange_write(x, statement_observe_notice,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}
