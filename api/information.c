/* Information requests: asked by a committee, answered by the organisation that it asks. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_case_information_requests(request *r) {
    handle_list(r, statement_list_case_information_requests);
}

void create_information_request(request *r) {
    handle_submit(r, statement_create_information_request);
}

void get_case_information_request(request *r) {
    handle_get(r, statement_get_case_information_request);
}

void change_information_request(request *r) {
    handle_submit(r, statement_change_information_request);
}

void list_information_requests(request *r) {
    handle_page(r, statement_list_information_requests);
}

void get_information_request(request *r) {
    handle_get(r, statement_get_information_request);
}

void answer_information_request(request *r) {
    handle_submit(r, statement_answer_information_request);
}
