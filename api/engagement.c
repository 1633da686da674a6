/* Engagement: whom of the family and of the practitioners a review heard. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_family_engagements(request *r) {
    respond_list(r, statement_list_family_engagements);
}

void handle_add_family_engagement(request *r) {
    respond_submit(r, statement_add_family_engagement);
}

void handle_get_family_engagement(request *r) {
    respond_get(r, statement_get_family_engagement);
}

void handle_change_family_engagement(request *r) {
    respond_submit(r, statement_change_family_engagement);
}

void handle_list_practitioner_engagements(request *r) {
    respond_list(r, statement_list_practitioner_engagements);
}

void handle_add_practitioner_engagement(request *r) {
    respond_submit(r, statement_add_practitioner_engagement);
}

void handle_get_practitioner_engagement(request *r) {
    respond_get(r, statement_get_practitioner_engagement);
}

void handle_change_practitioner_engagement(request *r) {
    respond_submit(r, statement_change_practitioner_engagement);
}
