/* Engagement: whom of the family and of the practitioners a review heard. */
#include "api/case_part.h"
#include "contract_handlers.h"

static const char *const family = "family_engagement_id";
static const char *const practitioner = "practitioner_engagement_id";

void list_family_engagements(exchange *x) {
    exchange_read_items(x, statement_list_family_engagements,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_family_engagement(exchange *x) {
    case_add_part(x, statement_add_family_engagement);
}

void get_family_engagement(exchange *x) {
    case_read_part(x, statement_get_family_engagement, family);
}

void change_family_engagement(exchange *x) {
    case_change_part(x, statement_change_family_engagement, family);
}

void list_practitioner_engagements(exchange *x) {
    exchange_read_items(x, statement_list_practitioner_engagements,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_practitioner_engagement(exchange *x) {
    case_add_part(x, statement_add_practitioner_engagement);
}

void get_practitioner_engagement(exchange *x) {
    case_read_part(x, statement_get_practitioner_engagement, practitioner);
}

void change_practitioner_engagement(exchange *x) {
    case_change_part(x, statement_change_practitioner_engagement, practitioner);
}
