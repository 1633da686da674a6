/* Proceedings parallel to a review, and holds because of them or for other reasons. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_case_proceedings(request *r) {
    respond_list(r, statement_list_case_proceedings);
}

void handle_add_proceeding(request *r) {
    respond_submit(r, statement_add_proceeding);
}

void handle_get_case_proceeding(request *r) {
    respond_get(r, statement_get_case_proceeding);
}

void handle_change_case_proceeding(request *r) {
    respond_submit(r, statement_change_case_proceeding);
}

void handle_list_proceedings(request *r) {
    respond_page(r, statement_list_proceedings);
}

void handle_get_proceeding(request *r) {
    respond_get(r, statement_get_proceeding);
}

void handle_change_proceeding(request *r) {
    respond_submit(r, statement_change_proceeding);
}

void handle_list_holds(request *r) {
    respond_list(r, statement_list_holds);
}

void handle_add_hold(request *r) {
    respond_submit(r, statement_add_hold);
}

void handle_get_hold(request *r) {
    respond_get(r, statement_get_hold);
}

void handle_change_hold(request *r) {
    respond_submit(r, statement_change_hold);
}
