/* What the review finds, and the strategies that it suggests. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

static void list_parts(exchange *x, const statement *what) {
    exchange_read_items(x, what, (const char *[]){exchange_path_value(x, "id")});
}

static void add_part(exchange *x, const statement *what) {
    exchange_write(x, what, (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

static void get_part(exchange *x, const statement *what, const char *name) {
    exchange_read(x, what,
                  (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, name)});
}

static void change_part(exchange *x, const statement *what, const char *name) {
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, name),
                                    exchange_expected_version(x), exchange_body_text(x)});
}

void list_findings(exchange *x) {
    list_parts(x, statement_list_findings);
}

void add_finding(exchange *x) {
    add_part(x, statement_add_finding);
}

void get_finding(exchange *x) {
    get_part(x, statement_get_finding, "finding_id");
}

void change_finding(exchange *x) {
    change_part(x, statement_change_finding, "finding_id");
}

void list_strategies(exchange *x) {
    list_parts(x, statement_list_strategies);
}

void add_strategy(exchange *x) {
    add_part(x, statement_add_strategy);
}

void get_strategy(exchange *x) {
    get_part(x, statement_get_strategy, "strategy_id");
}

void change_strategy(exchange *x) {
    change_part(x, statement_change_strategy, "strategy_id");
}
