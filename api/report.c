/* The report's way from the draft to publication, and how a case ends. */
#include "api/singleton.h"
#include "contract_handlers.h"

/* A statement that takes the case's id and the body. */
static void write_to_case(exchange *x, const statement *what) {
    exchange_write(x, what, (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void get_report(exchange *x) {
    singleton_read(x, statement_get_report);
}

void put_report(exchange *x) {
    singleton_put(x, statement_put_report);
}

void list_ratifications(exchange *x) {
    exchange_read_items(x, statement_list_ratifications,
                        (const char *[]){exchange_path_value(x, "id")});
}

void ratify_report(exchange *x) {
    write_to_case(x, statement_ratify_report);
}

void consider_plan(exchange *x) {
    write_to_case(x, statement_consider_plan);
}

void get_publication(exchange *x) {
    singleton_read(x, statement_get_publication);
}

void put_publication(exchange *x) {
    singleton_put(x, statement_put_publication);
}

void check_anonymisation(exchange *x) {
    write_to_case(x, statement_check_anonymisation);
}

void list_disseminations(exchange *x) {
    exchange_read_items(x, statement_list_disseminations,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_dissemination(exchange *x) {
    write_to_case(x, statement_add_dissemination);
}

void get_evaluation(exchange *x) {
    singleton_read(x, statement_get_evaluation);
}

void put_evaluation(exchange *x) {
    singleton_put(x, statement_put_evaluation);
}

void get_discontinuation(exchange *x) {
    singleton_read(x, statement_get_discontinuation);
}

void put_discontinuation(exchange *x) {
    singleton_put(x, statement_put_discontinuation);
}
