/* The recommendation and the decision on a case, and the decisions of all committees. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

/* What a case has once is put first with `If-None-Match: *`, later with `If-Match` (RFC 9110
 * section 13.1). */
static void put_once(exchange *x, const statement *what) {
    bool first = exchange_header(x, "If-None-Match") != NULL;
    bool again = exchange_header(x, "If-Match") != NULL;
    if (first && again) {
        exchange_refuse(x, "invalid_header",
                        "Send either If-None-Match: * for the first time or If-Match to replace "
                        "what is there.");
        return;
    }
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), first ? "true" : "false",
                                    exchange_expected_version(x), exchange_body_text(x)});
}

void get_recommendation(exchange *x) {
    exchange_read(x, statement_get_recommendation, (const char *[]){exchange_path_value(x, "id")});
}

void put_recommendation(exchange *x) {
    put_once(x, statement_put_recommendation);
}

void get_decision(exchange *x) {
    exchange_read(x, statement_get_decision, (const char *[]){exchange_path_value(x, "id")});
}

void put_decision(exchange *x) {
    put_once(x, statement_put_decision);
}

void list_decisions(exchange *x) {
    exchange_read_page(x, statement_list_decisions);
}
