/* Actions: what the learning asks for, who does it, and how far it is. */
#include "contract_handlers.h"
#include "service/http/request.h"

#include <string.h>

void list_case_actions(request *r) {
    handle_list(r, statement_list_case_actions);
}

void create_action(request *r) {
    handle_submit(r, statement_create_action);
}

void list_actions(request *r) {
    const char *sort = request_query_value(r, "sort");
    bool by_update = sort != NULL && strcmp(sort, "-updated_at") == 0;
    handle_page(r, by_update ? statement_list_actions_updated : statement_list_actions);
}

void get_action(request *r) {
    handle_get(r, statement_get_action);
}

void change_action(request *r) {
    handle_submit(r, statement_change_action);
}

void complete_action(request *r) {
    handle_submit(r, statement_complete_action);
}

void verify_action(request *r) {
    handle_submit(r, statement_verify_action);
}

void list_action_updates(request *r) {
    handle_list(r, statement_list_action_updates);
}

void add_action_update(request *r) {
    handle_submit(r, statement_add_action_update);
}

void split_action(request *r) {
    handle_submit(r, statement_split_action);
}

void merge_actions(request *r) {
    handle_submit(r, statement_merge_actions);
}

void create_actions(request *r) {
    handle_submit(r, statement_create_actions);
}

void list_impact_reviews(request *r) {
    handle_list(r, statement_list_impact_reviews);
}

void add_impact_review(request *r) {
    handle_submit(r, statement_add_impact_review);
}
