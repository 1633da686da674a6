/* Reference data: areas, organisations, stages, timescales and code lists. */
#include "contract_handlers.h"
#include "service/http/request.h"

/* Changes with a release of the register, timescales when a committee sets one for a day to come:
 * five minutes of an old copy harm nobody. */
static void read_reference(request *r, const statement *statement) {
    response_set_header(r, "Cache-Control", "private, max-age=300");
    handle_list(r, statement);
}

void list_committees(request *r) {
    read_reference(r, statement_list_committees);
}

void list_local_authorities(request *r) {
    read_reference(r, statement_list_local_authorities);
}

void list_health_boards(request *r) {
    read_reference(r, statement_list_health_boards);
}

void list_organisations(request *r) {
    read_reference(r, statement_list_organisations);
}

void list_stages(request *r) {
    read_reference(r, statement_list_stages);
}

void list_timescales(request *r) {
    read_reference(r, statement_list_timescales);
}

void list_bank_holidays(request *r) {
    read_reference(r, statement_list_bank_holidays);
}

void list_code_lists(request *r) {
    read_reference(r, statement_list_code_lists);
}

void get_code_list(request *r) {
    response_set_header(r, "Cache-Control", "private, max-age=300");
    handle_get(r, statement_get_code_list);
}
