/* Setting a review up: mandate, team and family liaison. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void get_mandate(exchange *x) {
    exchange_get(x, statement_get_mandate);
}

void put_mandate(exchange *x) {
    exchange_submit(x, statement_put_mandate);
}

void list_team_members(exchange *x) {
    exchange_get_items(x, statement_list_team_members);
}

void add_team_member(exchange *x) {
    exchange_submit(x, statement_add_team_member);
}

void get_team_member(exchange *x) {
    exchange_get(x, statement_get_team_member);
}

void change_team_member(exchange *x) {
    exchange_submit(x, statement_change_team_member);
}

void get_family_liaison(exchange *x) {
    exchange_get(x, statement_get_family_liaison);
}

void put_family_liaison(exchange *x) {
    exchange_submit(x, statement_put_family_liaison);
}
