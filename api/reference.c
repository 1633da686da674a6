/* Reference data: areas, organisations, stages, timescales and code lists. */
#include "contract_handlers.h"
#include "service/http/request.h"

/* Changes with a release of the register, timescales when a committee sets one for a day to come:
 * five minutes of an old copy harm nobody. */
static void read_reference(request *r, const statement *statement) {
    response_set_header(r, "Cache-Control", "private, max-age=300");
    respond_list(r, statement);
}

void handle_list_committees(request *r) {
    read_reference(r, statement_list_committees);
}

void handle_list_local_authorities(request *r) {
    read_reference(r, statement_list_local_authorities);
}

void handle_list_health_boards(request *r) {
    read_reference(r, statement_list_health_boards);
}

void handle_list_organisations(request *r) {
    read_reference(r, statement_list_organisations);
}

void handle_list_stages(request *r) {
    read_reference(r, statement_list_stages);
}

void handle_list_timescales(request *r) {
    read_reference(r, statement_list_timescales);
}

void handle_list_bank_holidays(request *r) {
    read_reference(r, statement_list_bank_holidays);
}

void handle_list_code_lists(request *r) {
    read_reference(r, statement_list_code_lists);
}

void handle_get_code_list(request *r) {
    response_set_header(r, "Cache-Control", "private, max-age=300");
    respond_get(r, statement_get_code_list);
}
