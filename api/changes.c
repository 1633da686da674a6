/* The change feed: what changed of all that a caller may see, and where a new consumer starts. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_changes(exchange *x) {
    exchange_read_feed(x, statement_list_changes);
}

void list_present(exchange *x) {
    exchange_read_snapshot(x, statement_list_present, "/v1/changes");
}
