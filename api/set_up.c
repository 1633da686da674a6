/* Setting a review up: mandate, team and family liaison. */
#include "api/case_part.h"
#include "contract_handlers.h"

void get_mandate(exchange *x) {
    exchange_read(x, statement_get_mandate, (const char *[]){exchange_path_value(x, "id")});
}

void put_mandate(exchange *x) {
    case_replace_part(x, statement_put_mandate);
}

void list_team_members(exchange *x) {
    exchange_read_items(x, statement_list_team_members,
                        (const char *[]){exchange_path_value(x, "id")});
}

void add_team_member(exchange *x) {
    case_add_part(x, statement_add_team_member);
}

void get_team_member(exchange *x) {
    case_read_part(x, statement_get_team_member, "member_id");
}

void change_team_member(exchange *x) {
    case_change_part(x, statement_change_team_member, "member_id");
}

void get_family_liaison(exchange *x) {
    exchange_read(x, statement_get_family_liaison, (const char *[]){exchange_path_value(x, "id")});
}

void put_family_liaison(exchange *x) {
    case_replace_part(x, statement_put_family_liaison);
}
