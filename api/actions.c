/* Actions: what the learning asks for, who does it, and how far it is. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

#include <string.h>

void list_case_actions(exchange *x) {
    exchange_get_items(x, statement_list_case_actions);
}

void create_action(exchange *x) {
    exchange_submit(x, statement_create_action);
}

void list_actions(exchange *x) {
    const char *sort = exchange_query_value(x, "sort");
    bool by_update = sort != NULL && strcmp(sort, "-updated_at") == 0;
    exchange_read_page(x, by_update ? statement_list_actions_updated : statement_list_actions);
}

void get_action(exchange *x) {
    exchange_get(x, statement_get_action);
}

void change_action(exchange *x) {
    exchange_submit(x, statement_change_action);
}

void complete_action(exchange *x) {
    exchange_submit(x, statement_complete_action);
}

void verify_action(exchange *x) {
    exchange_submit(x, statement_verify_action);
}

void list_action_updates(exchange *x) {
    exchange_get_items(x, statement_list_action_updates);
}

void add_action_update(exchange *x) {
    exchange_submit(x, statement_add_action_update);
}

void split_action(exchange *x) {
    exchange_submit(x, statement_split_action);
}

void merge_actions(exchange *x) {
    exchange_submit(x, statement_merge_actions);
}

void create_actions(exchange *x) {
    exchange_submit(x, statement_create_actions);
}

void list_impact_reviews(exchange *x) {
    exchange_get_items(x, statement_list_impact_reviews);
}

void add_impact_review(exchange *x) {
    exchange_submit(x, statement_add_impact_review);
}
