/* Access of others to single cases, transfers between committees, and the timeline of a case. */
#include "contract_handlers.h"
#include "service/http/request.h"

void list_access(request *r) {
    handle_list(r, statement_list_access);
}

void grant_access(request *r) {
    handle_submit(r, statement_grant_access);
}

void get_access(request *r) {
    handle_get(r, statement_get_access);
}

void change_access(request *r) {
    handle_submit(r, statement_change_access);
}

void propose_transfer(request *r) {
    handle_submit(r, statement_propose_transfer);
}

void list_transfers(request *r) {
    handle_page(r, statement_list_transfers);
}

void get_transfer(request *r) {
    handle_get(r, statement_get_transfer);
}

void accept_transfer(request *r) {
    handle_submit(r, statement_accept_transfer);
}

void refuse_transfer(request *r) {
    handle_submit(r, statement_refuse_transfer);
}

void withdraw_transfer(request *r) {
    handle_submit(r, statement_withdraw_transfer);
}

void transfer_referral(request *r) {
    handle_submit(r, statement_transfer_referral);
}

void list_timeline(request *r) {
    handle_page(r, statement_list_timeline);
}
