/* Setting a review up: mandate, team and family liaison. */
#include "contract_handlers.h"
#include "service/http/request.h"

void get_mandate(request *r) {
    handle_get(r, statement_get_mandate);
}

void put_mandate(request *r) {
    handle_submit(r, statement_put_mandate);
}

void list_team_members(request *r) {
    handle_list(r, statement_list_team_members);
}

void add_team_member(request *r) {
    handle_submit(r, statement_add_team_member);
}

void get_team_member(request *r) {
    handle_get(r, statement_get_team_member);
}

void change_team_member(request *r) {
    handle_submit(r, statement_change_team_member);
}

void get_family_liaison(request *r) {
    handle_get(r, statement_get_family_liaison);
}

void put_family_liaison(request *r) {
    handle_submit(r, statement_put_family_liaison);
}
