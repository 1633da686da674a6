/* The change feed: what changed of all that a caller may see, and where a new consumer starts. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_changes(request *r) {
    respond_feed(r, statement_list_changes);
}

void handle_list_present(request *r) {
    respond_snapshot(r, statement_list_present, "/v1/changes");
}
