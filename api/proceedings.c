/* Proceedings parallel to a review, and holds because of them or for other reasons. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_case_proceedings(request *r) {
    handle_list(r, statement_list_case_proceedings);
}

void add_proceeding(request *r) {
    handle_submit(r, statement_add_proceeding);
}

void get_case_proceeding(request *r) {
    handle_get(r, statement_get_case_proceeding);
}

void change_case_proceeding(request *r) {
    handle_submit(r, statement_change_case_proceeding);
}

void list_proceedings(request *r) {
    handle_page(r, statement_list_proceedings);
}

void get_proceeding(request *r) {
    handle_get(r, statement_get_proceeding);
}

void change_proceeding(request *r) {
    handle_submit(r, statement_change_proceeding);
}

void list_holds(request *r) {
    handle_list(r, statement_list_holds);
}

void add_hold(request *r) {
    handle_submit(r, statement_add_hold);
}

void get_hold(request *r) {
    handle_get(r, statement_get_hold);
}

void change_hold(request *r) {
    handle_submit(r, statement_change_hold);
}
