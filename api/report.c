/* The report's way from the draft to publication, and how a case ends. */
#include "contract_handlers.h"
#include "service/http/request.h"

void get_report(request *r) {
    handle_get(r, statement_get_report);
}

void put_report(request *r) {
    handle_submit(r, statement_put_report);
}

void list_ratifications(request *r) {
    handle_list(r, statement_list_ratifications);
}

void ratify_report(request *r) {
    handle_submit(r, statement_ratify_report);
}

void consider_plan(request *r) {
    handle_submit(r, statement_consider_plan);
}

void get_publication(request *r) {
    handle_get(r, statement_get_publication);
}

void put_publication(request *r) {
    handle_submit(r, statement_put_publication);
}

void check_anonymisation(request *r) {
    handle_submit(r, statement_check_anonymisation);
}

void list_disseminations(request *r) {
    handle_list(r, statement_list_disseminations);
}

void add_dissemination(request *r) {
    handle_submit(r, statement_add_dissemination);
}

void get_evaluation(request *r) {
    handle_get(r, statement_get_evaluation);
}

void put_evaluation(request *r) {
    handle_submit(r, statement_put_evaluation);
}

void get_discontinuation(request *r) {
    handle_get(r, statement_get_discontinuation);
}

void put_discontinuation(request *r) {
    handle_submit(r, statement_put_discontinuation);
}
