/* How long closed cases and ended referrals are kept, their erasure, and what is left of them. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_retention_rules(request *r) {
    handle_list(r, statement_list_retention_rules);
}

void add_retention_rule(request *r) {
    handle_submit(r, statement_add_retention_rule);
}

void get_retention_rule(request *r) {
    handle_get(r, statement_get_retention_rule);
}

/* Runs a statement that takes the identifier and the expected version, and no body. */
static void submit_without_body(request *r, const statement *statement) {
    const char *const parameters[] = {request_path_value(r, "id"), request_expected_version(r)};
    handle_write(r, statement, parameters);
}

void withdraw_retention_rule(request *r) {
    submit_without_body(r, statement_withdraw_retention_rule);
}

void announce_case_erasure(request *r) {
    handle_submit(r, statement_announce_case_erasure);
}

void announce_referral_erasure(request *r) {
    handle_submit(r, statement_announce_referral_erasure);
}

void list_erasures(request *r) {
    handle_page(r, statement_list_erasures);
}

void get_erasure(request *r) {
    handle_get(r, statement_get_erasure);
}

void stop_erasure(request *r) {
    submit_without_body(r, statement_stop_erasure);
}

void anonymise_case(request *r) {
    handle_submit(r, statement_anonymise_case);
}

void anonymise_referral(request *r) {
    handle_submit(r, statement_anonymise_referral);
}

void list_anonymous_reviews(request *r) {
    handle_page(r, statement_list_anonymous_reviews);
}

void get_anonymous_review(request *r) {
    handle_get(r, statement_get_anonymous_review);
}
