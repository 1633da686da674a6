/* Actions: what the learning asks for, who does it, and how far it is. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

#include <string.h>

void list_case_actions(exchange *x) {
    exchange_read_items(x, statement_list_case_actions,
                        (const char *[]){exchange_path_value(x, "id")});
}

void create_action(exchange *x) {
    exchange_write(x, statement_create_action,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void list_actions(exchange *x) {
    const char *sort = exchange_query_value(x, "sort");
    bool by_update = sort != NULL && strcmp(sort, "-updated_at") == 0;
    exchange_read_page(x, by_update ? statement_list_actions_updated : statement_list_actions);
}

void get_action(exchange *x) {
    exchange_read(x, statement_get_action, (const char *[]){exchange_path_value(x, "id")});
}

/* A statement on one action that takes its id, the expected version and the body. */
static void write_action(exchange *x, const statement *what) {
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), exchange_expected_version(x),
                                    exchange_body_text(x)});
}

void change_action(exchange *x) {
    write_action(x, statement_change_action);
}

void complete_action(exchange *x) {
    write_action(x, statement_complete_action);
}

void verify_action(exchange *x) {
    write_action(x, statement_verify_action);
}

void list_action_updates(exchange *x) {
    exchange_read_items(x, statement_list_action_updates,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_action_update(exchange *x) {
    exchange_write(x, statement_add_action_update,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void split_action(exchange *x) {
    write_action(x, statement_split_action);
}

void merge_actions(exchange *x) {
    exchange_write(x, statement_merge_actions,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void create_actions(exchange *x) {
    exchange_write(x, statement_create_actions,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void list_impact_reviews(exchange *x) {
    exchange_read_items(x, statement_list_impact_reviews,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_impact_review(exchange *x) {
    exchange_write(x, statement_add_impact_review,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}
