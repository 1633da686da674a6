/* The report's way from the draft to publication, and how a case ends. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_get_report(request *r) {
    respond_get(r, statement_get_report);
}

void handle_put_report(request *r) {
    respond_submit(r, statement_put_report);
}

void handle_list_ratifications(request *r) {
    respond_list(r, statement_list_ratifications);
}

void handle_ratify_report(request *r) {
    respond_submit(r, statement_ratify_report);
}

void handle_consider_plan(request *r) {
    respond_submit(r, statement_consider_plan);
}

void handle_get_publication(request *r) {
    respond_get(r, statement_get_publication);
}

void handle_put_publication(request *r) {
    respond_submit(r, statement_put_publication);
}

void handle_check_anonymisation(request *r) {
    respond_submit(r, statement_check_anonymisation);
}

void handle_list_disseminations(request *r) {
    respond_list(r, statement_list_disseminations);
}

void handle_add_dissemination(request *r) {
    respond_submit(r, statement_add_dissemination);
}

void handle_get_evaluation(request *r) {
    respond_get(r, statement_get_evaluation);
}

void handle_put_evaluation(request *r) {
    respond_submit(r, statement_put_evaluation);
}

void handle_get_discontinuation(request *r) {
    respond_get(r, statement_get_discontinuation);
}

void handle_put_discontinuation(request *r) {
    respond_submit(r, statement_put_discontinuation);
}
