/* Information requests: asked by a committee, answered by the organisation that it asks. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_case_information_requests(request *r) {
    respond_list(r, statement_list_case_information_requests);
}

void handle_create_information_request(request *r) {
    respond_submit(r, statement_create_information_request);
}

void handle_get_case_information_request(request *r) {
    respond_get(r, statement_get_case_information_request);
}

void handle_change_information_request(request *r) {
    respond_submit(r, statement_change_information_request);
}

void handle_list_information_requests(request *r) {
    respond_page(r, statement_list_information_requests);
}

void handle_get_information_request(request *r) {
    respond_get(r, statement_get_information_request);
}

void handle_answer_information_request(request *r) {
    respond_submit(r, statement_answer_information_request);
}
