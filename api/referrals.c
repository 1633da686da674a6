/* Referrals: pushing one, and the references of children in a change. */
#include "api/referral_input.h"
#include "contract_handlers.h"

void handle_push_referral(request *r) {
    db_idempotency idempotency = {0};
    request_idempotency(r, &idempotency);
    group_commit_result answer = {0};
    const char *item = referral_item(r, request_body(r), idempotency.key, request_identifier(r));
    if (item == NULL) {
        return;
    }
    if (group_commit_submit(request_context(r)->pushes, request_principal(r), item, &answer,
                            request_memory(r))) {
        respond_reply(r, &answer.reply);
    } else {
        db_error_name_in_flight(&answer.error); /* only an equal push can hold this one's locks */
        respond_db_error(r, &answer.error);
    }
}

/* Children sent in a change are referred to by the committee and system of the referral that they
 * belong to. Returns false when it answered with a problem. */
static bool hide_changed_children(request *r) {
    if (json_object_get(request_body(r), "children") == NULL) {
        return true;
    }
    db_call call = {.statement = statement_get_referral_origin,
                    .parameters = {request_path_value(r, "id")},
                    .safe_to_repeat = true};
    db_error error = {0};
    arena *memory = request_memory(r);
    PGresult *origin =
        db_call_run(request_context(r)->connections, request_principal(r), &call, &error, memory);
    if (origin == NULL) {
        respond_db_error(r, &error);
        return false;
    }
    bool hidden = false;
    if (PQntuples(origin) == 1) {
        hidden = referral_hide_children(r, request_body(r), db_text(origin, "committee", memory),
                                        db_text(origin, "source_system", memory));
    } else {
        respond_problem(r, "not_found", NULL);
    }
    PQclear(origin);
    return hidden;
}

void handle_change_referral(request *r) {
    if (hide_changed_children(r)) {
        respond_submit(r, statement_change_referral);
    }
}
