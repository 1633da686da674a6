/* How long closed cases and ended referrals are kept, their erasure, and what is left of them. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_retention_rules(exchange *x) {
    exchange_get_items(x, statement_list_retention_rules);
}

void add_retention_rule(exchange *x) {
    exchange_submit(x, statement_add_retention_rule);
}

void get_retention_rule(exchange *x) {
    exchange_get(x, statement_get_retention_rule);
}

/* Runs a statement that takes the identifier and the expected version, and no body. */
static void submit_without_body(exchange *x, const statement *what) {
    const char *const parameters[] = {exchange_path_value(x, "id"), exchange_expected_version(x)};
    exchange_write(x, what, parameters);
}

void withdraw_retention_rule(exchange *x) {
    submit_without_body(x, statement_withdraw_retention_rule);
}

void announce_case_erasure(exchange *x) {
    exchange_submit(x, statement_announce_case_erasure);
}

void announce_referral_erasure(exchange *x) {
    exchange_submit(x, statement_announce_referral_erasure);
}

void list_erasures(exchange *x) {
    exchange_read_page(x, statement_list_erasures);
}

void get_erasure(exchange *x) {
    exchange_get(x, statement_get_erasure);
}

void stop_erasure(exchange *x) {
    submit_without_body(x, statement_stop_erasure);
}

void anonymise_case(exchange *x) {
    exchange_submit(x, statement_anonymise_case);
}

void anonymise_referral(exchange *x) {
    exchange_submit(x, statement_anonymise_referral);
}

void list_anonymous_reviews(exchange *x) {
    exchange_read_page(x, statement_list_anonymous_reviews);
}

void get_anonymous_review(exchange *x) {
    exchange_get(x, statement_get_anonymous_review);
}
