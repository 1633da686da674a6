/* Setting a review up: mandate, team and family liaison. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_get_mandate(request *r) {
    respond_get(r, statement_get_mandate);
}

void handle_put_mandate(request *r) {
    respond_submit(r, statement_put_mandate);
}

void handle_list_team_members(request *r) {
    respond_list(r, statement_list_team_members);
}

void handle_add_team_member(request *r) {
    respond_submit(r, statement_add_team_member);
}

void handle_get_team_member(request *r) {
    respond_get(r, statement_get_team_member);
}

void handle_change_team_member(request *r) {
    respond_submit(r, statement_change_team_member);
}

void handle_get_family_liaison(request *r) {
    respond_get(r, statement_get_family_liaison);
}

void handle_put_family_liaison(request *r) {
    respond_submit(r, statement_put_family_liaison);
}
