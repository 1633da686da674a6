/* Timescales and local holidays that a committee sets for itself. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_own_timescales(exchange *x) {
    exchange_get_items(x, statement_list_own_timescales);
}

void create_timescale(exchange *x) {
    exchange_submit(x, statement_create_timescale);
}

void list_local_holidays(exchange *x) {
    exchange_get_items(x, statement_list_local_holidays);
}

void create_local_holiday(exchange *x) {
    exchange_submit(x, statement_create_local_holiday);
}
