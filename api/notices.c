/* Notices of a committee to others, and the observations of the inspectorate. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_case_notices(request *r) {
    handle_list(r, statement_list_case_notices);
}

void create_notices(request *r) {
    handle_submit(r, statement_create_notices);
}

void get_case_notice(request *r) {
    handle_get(r, statement_get_case_notice);
}

void send_notice(request *r) {
    handle_submit(r, statement_send_notice);
}

void list_notices(request *r) {
    handle_page(r, statement_list_notices);
}

void get_notice(request *r) {
    handle_get(r, statement_get_notice);
}

void observe_notice(request *r) {
    handle_submit(r, statement_observe_notice);
}
