/* Timescales and local holidays that a committee sets for itself. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_own_timescales(request *r) {
    respond_list(r, statement_list_own_timescales);
}

void handle_create_timescale(request *r) {
    respond_submit(r, statement_create_timescale);
}

void handle_list_local_holidays(request *r) {
    respond_list(r, statement_list_local_holidays);
}

void handle_create_local_holiday(request *r) {
    respond_submit(r, statement_create_local_holiday);
}
