/* Cases: opening, reading, changing, and their way through the stages. */
#include "api/pseudonym.h"
#include "api/referral_input.h"
#include "contract_handlers.h"

#include <string.h>

/* The children of a case that a committee opens itself come from its own system, called by this
 * name. */
static const char *const own_system = "committee";

/* An organisation's code ends with the code of its committee (CPC-GLA). */
static const char *own_committee(exchange *x) {
    const char *code = exchange_principal(x)->organisation;
    const char *dash = strrchr(code, '-');
    return dash == NULL ? code : dash + 1;
}

void list_cases(exchange *x) {
    const char *sort = exchange_query_value(x, "sort");
    const char *shared = exchange_query_value(x, "shared");
    bool by_due = sort != NULL && strcmp(sort, "stage_due_on") == 0;
    bool of_others = shared != NULL && strcmp(shared, "true") == 0;
    exchange_read_page(x, of_others ? statement_list_shared_cases
                          : by_due  ? statement_list_cases_by_due
                                    : statement_list_cases);
}

void open_case(exchange *x) {
    if (referral_hide_children(x, exchange_body(x), own_committee(x), own_system)) {
        exchange_submit(x, statement_open_case);
    }
}

void get_case(exchange *x) {
    const char *expand = exchange_query_value(x, "expand");
    exchange_read(x, statement_get_case,
                  (const char *[]){exchange_path_value(x, "id"), expand == NULL ? "" : expand});
}

void change_case(exchange *x) {
    exchange_submit(x, statement_change_case);
}

void merge_case(exchange *x) {
    exchange_submit(x, statement_merge_case);
}

void set_legal_hold(exchange *x) {
    exchange_submit(x, statement_set_legal_hold);
}

void move_case(exchange *x) {
    exchange_submit(x, statement_move_case);
}

void list_case_stages(exchange *x) {
    exchange_get_items(x, statement_list_case_stages);
}

void get_case_stage(exchange *x) {
    exchange_get(x, statement_get_case_stage);
}

void change_case_stage(exchange *x) {
    exchange_submit(x, statement_change_case_stage);
}

void list_transitions(exchange *x) {
    exchange_get_items(x, statement_list_transitions);
}

void list_children(exchange *x) {
    exchange_get_items(x, statement_list_children);
}

void add_child(exchange *x) {
    if (pseudonym_replace(x, exchange_body(x), own_committee(x), own_system)) {
        exchange_submit(x, statement_add_child);
    }
}

void get_child(exchange *x) {
    exchange_get(x, statement_get_child);
}

void change_child(exchange *x) {
    exchange_submit(x, statement_change_child);
}
