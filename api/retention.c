/* How long closed cases and ended referrals are kept, and what is left of them afterwards. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_retention_rules(exchange *x) {
    exchange_get_items(x, statement_list_retention_rules);
}

void add_retention_rule(exchange *x) {
    exchange_submit(x, statement_add_retention_rule);
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
