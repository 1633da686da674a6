/* Reference data: areas, organisations, stages, timescales and code lists. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

/* Changes with a release of the register, timescales when a committee sets one for a day to come:
 * five minutes of an old copy harm nobody. */
static void read_reference(exchange *x, const statement *what) {
    exchange_set_header(x, "Cache-Control", "private, max-age=300");
    exchange_get_items(x, what);
}

void list_committees(exchange *x) {
    read_reference(x, statement_list_committees);
}

void list_local_authorities(exchange *x) {
    read_reference(x, statement_list_local_authorities);
}

void list_health_boards(exchange *x) {
    read_reference(x, statement_list_health_boards);
}

void list_organisations(exchange *x) {
    read_reference(x, statement_list_organisations);
}

void list_stages(exchange *x) {
    read_reference(x, statement_list_stages);
}

void list_timescales(exchange *x) {
    read_reference(x, statement_list_timescales);
}

void list_bank_holidays(exchange *x) {
    read_reference(x, statement_list_bank_holidays);
}

void list_code_lists(exchange *x) {
    read_reference(x, statement_list_code_lists);
}

void get_code_list(exchange *x) {
    exchange_set_header(x, "Cache-Control", "private, max-age=300");
    exchange_get(x, statement_get_code_list);
}
