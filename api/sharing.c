/* Who else works on a case: access to single cases, transfers between committees, and the timeline
 * of all that happened. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

/* A statement that takes the id, the expected version and the body. */
static void write_by_id(exchange *x, const statement *what) {
    exchange_write(x, what,
                   (const char *[]){exchange_path_value(x, "id"), exchange_expected_version(x),
                                    exchange_body_text(x)});
}

void list_access(exchange *x) {
    exchange_read_items(x, statement_list_access, (const char *[]){exchange_path_value(x, "id")});
}

void grant_access(exchange *x) {
    exchange_write(x, statement_grant_access,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void get_access(exchange *x) {
    exchange_read(
        x, statement_get_access,
        (const char *[]){exchange_path_value(x, "id"), exchange_path_value(x, "access_id")});
}

void change_access(exchange *x) {
    exchange_write(x, statement_change_access,
                   (const char *[]){exchange_path_value(x, "id"),
                                    exchange_path_value(x, "access_id"),
                                    exchange_expected_version(x), exchange_body_text(x)});
}

void propose_transfer(exchange *x) {
    exchange_write(x, statement_propose_transfer,
                   (const char *[]){exchange_path_value(x, "id"), exchange_body_text(x)});
}

void list_transfers(exchange *x) {
    exchange_read_page(x, statement_list_transfers);
}

void get_transfer(exchange *x) {
    exchange_read(x, statement_get_transfer, (const char *[]){exchange_path_value(x, "id")});
}

void accept_transfer(exchange *x) {
    write_by_id(x, statement_accept_transfer);
}

void refuse_transfer(exchange *x) {
    write_by_id(x, statement_refuse_transfer);
}

void withdraw_transfer(exchange *x) {
    write_by_id(x, statement_withdraw_transfer);
}

void transfer_referral(exchange *x) {
    write_by_id(x, statement_transfer_referral);
}

void list_timeline(exchange *x) {
    exchange_read_page(x, statement_list_timeline);
}
