/* Referrals: pushing one, reading, amending, withdrawing, and the committee's answer. */
#include "api/referral_input.h"
#include "contract_handlers.h"

void push_referral(exchange *x) {
    db_once once = {0};
    exchange_once(x, &once);
    combiner_answer answer = {0};
    const char *item = referral_item(x, exchange_body(x), once.key, exchange_request_id(x));
    if (item == NULL) {
        return;
    }
    if (combiner_submit(exchange_service(x)->pushes, exchange_principal(x), item, &answer,
                        exchange_memory(x))) {
        exchange_answer_reply(x, &answer.reply);
    } else {
        exchange_refuse_error(x, &answer.error);
    }
}

void get_referral(exchange *x) {
    exchange_get(x, statement_get_referral);
}

void list_referrals(exchange *x) {
    const char *sort = exchange_query_value(x, "sort");
    bool oldest_first = sort != NULL && sort[0] != '-';
    exchange_read_page(x,
                       oldest_first ? statement_list_referrals_oldest : statement_list_referrals);
}

/* Children sent in a change are referred to by the committee and system of the referral that they
 * belong to. Returns false when it answered with a problem. */
static bool hide_changed_children(exchange *x) {
    if (json_object_get(exchange_body(x), "children") == NULL) {
        return true;
    }
    db_call call = {.what = statement_get_referral_origin,
                    .parameters = {exchange_path_value(x, "id")},
                    .safe_to_repeat = true};
    db_error error = {0};
    arena *memory = exchange_memory(x);
    PGresult *origin =
        db_call_run(exchange_service(x)->connections, exchange_principal(x), &call, &error, memory);
    if (origin == NULL) {
        exchange_refuse_error(x, &error);
        return false;
    }
    bool hidden = false;
    if (PQntuples(origin) == 1) {
        hidden = referral_hide_children(x, exchange_body(x), db_text(origin, "committee", memory),
                                        db_text(origin, "source_system", memory));
    } else {
        exchange_refuse(x, "not_found", NULL);
    }
    PQclear(origin);
    return hidden;
}

void change_referral(exchange *x) {
    if (hide_changed_children(x)) {
        exchange_submit(x, statement_change_referral);
    }
}

void withdraw_referral(exchange *x) {
    exchange_submit(x, statement_withdraw_referral);
}

void acknowledge_referral(exchange *x) {
    exchange_submit(x, statement_acknowledge_referral);
}

void accept_referral(exchange *x) {
    exchange_submit(x, statement_accept_referral);
}

void reject_referral(exchange *x) {
    exchange_submit(x, statement_reject_referral);
}
