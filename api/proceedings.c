/* Proceedings beside a review, and the holds that they or other reasons bring about. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

/* A statement that reads a part of a case by the ids of both. */
static void read_part(exchange *x, const statement *what, const char *place) {
    exchange_read(x, what,
                  (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, place)});
}

/* A statement that changes a part of a case in the expected version. */
static void change_part(exchange *x, const statement *what, const char *place) {
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, place),
                                    exchange_expected_version(x), exchange_body_text(x)});
}

void list_case_proceedings(exchange *x) {
    exchange_read_items(x, statement_list_case_proceedings,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_proceeding(exchange *x) {
    exchange_write(x, statement_add_proceeding,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void get_case_proceeding(exchange *x) {
    read_part(x, statement_get_case_proceeding, "proceeding_id");
}

void change_case_proceeding(exchange *x) {
    change_part(x, statement_change_case_proceeding, "proceeding_id");
}

void list_proceedings(exchange *x) {
    exchange_read_page(x, statement_list_proceedings);
}

void get_proceeding(exchange *x) {
    exchange_read(x, statement_get_proceeding, (const char *[]){exchange_path_value(x, "id")});
}

void change_proceeding(exchange *x) {
    exchange_write(x, statement_change_proceeding,
                   (const char *[]){exchange_path_value(x, "id"), exchange_expected_version(x),
                                    exchange_body_text(x)});
}

void list_holds(exchange *x) {
    exchange_read_items(x, statement_list_holds, (const char *[]){exchange_path_value(x, "id")});
}

void add_hold(exchange *x) {
    exchange_write(x, statement_add_hold,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void get_hold(exchange *x) {
    read_part(x, statement_get_hold, "hold_id");
}

void change_hold(exchange *x) {
    change_part(x, statement_change_hold, "hold_id");
}
