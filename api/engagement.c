/* Engagement: whom of the family and of the practitioners a review heard. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_family_engagements(request *r) {
    handle_list(r, statement_list_family_engagements);
}

void add_family_engagement(request *r) {
    handle_submit(r, statement_add_family_engagement);
}

void get_family_engagement(request *r) {
    handle_get(r, statement_get_family_engagement);
}

void change_family_engagement(request *r) {
    handle_submit(r, statement_change_family_engagement);
}

void list_practitioner_engagements(request *r) {
    handle_list(r, statement_list_practitioner_engagements);
}

void add_practitioner_engagement(request *r) {
    handle_submit(r, statement_add_practitioner_engagement);
}

void get_practitioner_engagement(request *r) {
    handle_get(r, statement_get_practitioner_engagement);
}

void change_practitioner_engagement(request *r) {
    handle_submit(r, statement_change_practitioner_engagement);
}
