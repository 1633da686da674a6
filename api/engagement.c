/* Engagement: whom of the family and of the practitioners a review heard. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_family_engagements(exchange *x) {
    exchange_get_items(x, statement_list_family_engagements);
}

void add_family_engagement(exchange *x) {
    exchange_submit(x, statement_add_family_engagement);
}

void get_family_engagement(exchange *x) {
    exchange_get(x, statement_get_family_engagement);
}

void change_family_engagement(exchange *x) {
    exchange_submit(x, statement_change_family_engagement);
}

void list_practitioner_engagements(exchange *x) {
    exchange_get_items(x, statement_list_practitioner_engagements);
}

void add_practitioner_engagement(exchange *x) {
    exchange_submit(x, statement_add_practitioner_engagement);
}

void get_practitioner_engagement(exchange *x) {
    exchange_get(x, statement_get_practitioner_engagement);
}

void change_practitioner_engagement(exchange *x) {
    exchange_submit(x, statement_change_practitioner_engagement);
}
