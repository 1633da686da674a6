/* How long closed cases are kept, and what is left of them afterwards. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_retention_rules(exchange *x) {
    exchange_read_items(x, statement_list_retention_rules, NULL);
}

void add_retention_rule(exchange *x) {
    exchange_write(x, statement_add_retention_rule, (const char *[]){exchange_body_text(x)});
}

void anonymise_case(exchange *x) {
    exchange_write(x, statement_anonymise_case,
                   (const char *[]){exchange_path_value(x, "id"), exchange_expected_version(x),
                                    exchange_body_text(x)});
}

void list_anonymous_reviews(exchange *x) {
    exchange_read_page(x, statement_list_anonymous_reviews);
}

void get_anonymous_review(exchange *x) {
    exchange_read(x, statement_get_anonymous_review, (const char *[]){exchange_path_value(x, "id")});
}
