/* Actions: what the learning asks for, who does it, and how far it is. */
#include "contract_handlers.h"
#include "service/http/request.h"

#include <string.h>

void handle_list_case_actions(request *r) {
    respond_list(r, statement_list_case_actions);
}

void handle_create_action(request *r) {
    respond_submit(r, statement_create_action);
}

void handle_list_actions(request *r) {
    const char *sort = request_query_value(r, "sort");
    bool by_update = sort != NULL && strcmp(sort, "-updated_at") == 0;
    respond_page(r, by_update ? statement_list_actions_updated : statement_list_actions);
}

void handle_get_action(request *r) {
    respond_get(r, statement_get_action);
}

void handle_change_action(request *r) {
    respond_submit(r, statement_change_action);
}

void handle_complete_action(request *r) {
    respond_submit(r, statement_complete_action);
}

void handle_verify_action(request *r) {
    respond_submit(r, statement_verify_action);
}

void handle_list_action_updates(request *r) {
    respond_list(r, statement_list_action_updates);
}

void handle_add_action_update(request *r) {
    respond_submit(r, statement_add_action_update);
}

void handle_split_action(request *r) {
    respond_submit(r, statement_split_action);
}

void handle_merge_actions(request *r) {
    respond_submit(r, statement_merge_actions);
}

void handle_create_actions(request *r) {
    respond_submit(r, statement_create_actions);
}

void handle_list_impact_reviews(request *r) {
    respond_list(r, statement_list_impact_reviews);
}

void handle_add_impact_review(request *r) {
    respond_submit(r, statement_add_impact_review);
}
