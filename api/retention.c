/* How long closed cases and ended referrals are kept, their erasure, and what is left of them. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_retention_rules(request *r) {
    respond_list(r, statement_list_retention_rules);
}

void handle_add_retention_rule(request *r) {
    respond_submit(r, statement_add_retention_rule);
}

void handle_get_retention_rule(request *r) {
    respond_get(r, statement_get_retention_rule);
}

/* Runs a statement that takes the identifier and the expected version, and no body. */
static void submit_without_body(request *r, const statement *statement) {
    const char *const parameters[] = {request_path_value(r, "id"), request_expected_version(r)};
    respond_write(r, statement, parameters);
}

void handle_withdraw_retention_rule(request *r) {
    submit_without_body(r, statement_withdraw_retention_rule);
}

void handle_announce_case_erasure(request *r) {
    respond_submit(r, statement_announce_case_erasure);
}

void handle_announce_referral_erasure(request *r) {
    respond_submit(r, statement_announce_referral_erasure);
}

void handle_list_erasures(request *r) {
    respond_page(r, statement_list_erasures);
}

void handle_get_erasure(request *r) {
    respond_get(r, statement_get_erasure);
}

void handle_stop_erasure(request *r) {
    submit_without_body(r, statement_stop_erasure);
}

void handle_anonymise_case(request *r) {
    respond_submit(r, statement_anonymise_case);
}

void handle_anonymise_referral(request *r) {
    respond_submit(r, statement_anonymise_referral);
}

void handle_list_anonymous_reviews(request *r) {
    respond_page(r, statement_list_anonymous_reviews);
}

void handle_get_anonymous_review(request *r) {
    respond_get(r, statement_get_anonymous_review);
}
