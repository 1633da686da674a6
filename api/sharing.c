/* Access of others to single cases, transfers between committees, and the timeline of a case. */
#include "contract_handlers.h"
#include "service/http/request.h"

void handle_list_access(request *r) {
    respond_list(r, statement_list_access);
}

void handle_grant_access(request *r) {
    respond_submit(r, statement_grant_access);
}

void handle_get_access(request *r) {
    respond_get(r, statement_get_access);
}

void handle_change_access(request *r) {
    respond_submit(r, statement_change_access);
}

void handle_propose_transfer(request *r) {
    respond_submit(r, statement_propose_transfer);
}

void handle_list_transfers(request *r) {
    respond_page(r, statement_list_transfers);
}

void handle_get_transfer(request *r) {
    respond_get(r, statement_get_transfer);
}

void handle_accept_transfer(request *r) {
    respond_submit(r, statement_accept_transfer);
}

void handle_refuse_transfer(request *r) {
    respond_submit(r, statement_refuse_transfer);
}

void handle_withdraw_transfer(request *r) {
    respond_submit(r, statement_withdraw_transfer);
}

void handle_transfer_referral(request *r) {
    respond_submit(r, statement_transfer_referral);
}

void handle_list_timeline(request *r) {
    respond_page(r, statement_list_timeline);
}
