/* Actions: the order of the list over all cases. */
#include "contract_handlers.h"
#include "service/http/request.h"

#include <string.h>

void handle_list_actions(request *r) {
    const char *sort = request_query_value(r, "sort");
    bool by_update = sort != NULL && strcmp(sort, "-updated_at") == 0;
    respond_page(r, by_update ? statement_list_actions_updated : statement_list_actions);
}
