/* Timescales and local holidays that a committee sets for itself. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_own_timescales(exchange *x) {
    exchange_read_items(x, statement_list_own_timescales, NULL);
}

void create_timescale(exchange *x) {
    exchange_write(x, statement_create_timescale, (const char *[]){exchange_body_text(x)});
}

void list_local_holidays(exchange *x) {
    exchange_read_items(x, statement_list_local_holidays, NULL);
}

void create_local_holiday(exchange *x) {
    exchange_write(x, statement_create_local_holiday, (const char *[]){exchange_body_text(x)});
}
