/* The change feed: what changed of all that a caller may see, and where a new consumer starts. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_changes(request *r) {
    handle_feed(r, statement_list_changes);
}

void list_present(request *r) {
    handle_snapshot(r, statement_list_present, "/v1/changes");
}
