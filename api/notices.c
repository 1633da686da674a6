/* Notices of a committee to others, and the observations of the inspectorate. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_case_notices(request *r) {
    respond_list(r, statement_list_case_notices);
}

void handle_create_notices(request *r) {
    respond_submit(r, statement_create_notices);
}

void handle_get_case_notice(request *r) {
    respond_get(r, statement_get_case_notice);
}

void handle_send_notice(request *r) {
    respond_submit(r, statement_send_notice);
}

void handle_list_notices(request *r) {
    respond_page(r, statement_list_notices);
}

void handle_get_notice(request *r) {
    respond_get(r, statement_get_notice);
}

void handle_observe_notice(request *r) {
    respond_submit(r, statement_observe_notice);
}
