/* Access of others to single cases, transfers between committees, and the timeline of a case. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

void list_access(exchange *x) {
    exchange_get_items(x, statement_list_access);
}

void grant_access(exchange *x) {
    exchange_submit(x, statement_grant_access);
}

void get_access(exchange *x) {
    exchange_get(x, statement_get_access);
}

void change_access(exchange *x) {
    exchange_submit(x, statement_change_access);
}

void propose_transfer(exchange *x) {
    exchange_submit(x, statement_propose_transfer);
}

void list_transfers(exchange *x) {
    exchange_read_page(x, statement_list_transfers);
}

void get_transfer(exchange *x) {
    exchange_get(x, statement_get_transfer);
}

void accept_transfer(exchange *x) {
    exchange_submit(x, statement_accept_transfer);
}

void refuse_transfer(exchange *x) {
    exchange_submit(x, statement_refuse_transfer);
}

void withdraw_transfer(exchange *x) {
    exchange_submit(x, statement_withdraw_transfer);
}

void transfer_referral(exchange *x) {
    exchange_submit(x, statement_transfer_referral);
}

void list_timeline(exchange *x) {
    exchange_read_page(x, statement_list_timeline);
}
