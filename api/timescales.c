/* Timescales and local holidays that a committee sets for itself. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_own_timescales(request *r) {
    handle_list(r, statement_list_own_timescales);
}

void create_timescale(request *r) {
    handle_submit(r, statement_create_timescale);
}

void list_local_holidays(request *r) {
    handle_list(r, statement_list_local_holidays);
}

void create_local_holiday(request *r) {
    handle_submit(r, statement_create_local_holiday);
}
