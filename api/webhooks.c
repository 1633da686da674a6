/* Webhooks: registering where the events of the change feed are sent, and the log of that. */
#include "contract_handlers.h"
#include "service/http/request.h"

#include <stdlib.h>
#include <string.h>

static const char *is_on(request *r) {
    return request_context(r)->webhook_targets == NULL ? "false" : "true";
}

/* Finds what is wrong with the address in the body, as the database refuses with it; NULL when
 * nothing is. While webhooks are off there is no address to send to. Returns false when it
 * answered with a problem. */
static bool find_target_faults(request *r, const char **found) {
    targets *allowed = request_context(r)->webhook_targets;
    const char *url = json_string_value(json_object_get(request_body(r), "url"));
    *found = NULL;
    if (url == NULL) {
        return true;
    }
    violation_list faults = violation_list_make(request_memory(r));
    const char *reason = NULL;
    if (allowed == NULL) {
        violation_add(&faults, PLACE_BODY, "/url", "host_not_allowed",
                      "has a host that this register does not send to");
    } else if (!targets_check(allowed, url, "/url", &faults, &reason)) {
        respond_problem(r, "overloaded", NULL);
        return false;
    }
    request_note_reason(r, reason);
    if (faults.first != NULL) {
        *found = arena_printf(request_memory(r),
                              "[{\"pointer\":\"%s\",\"rule\":\"%s\",\"message\":\"%s\"}]",
                              faults.first->name, faults.first->rule, faults.first->message);
    }
    return true;
}

/* How many days after this request the webhook must be confirmed. */
static const char *confirm_days(request *r) {
    return arena_printf(request_memory(r), "%d",
                        request_context(r)->settings->webhook_confirm_days);
}

/* Only the response contains the secret. The stored response for a repetition has its generation,
 * from which the secret is derived. */
static void answer_with_secret(request *r, db_reply *reply) {
    json_t *webhook = json_loads(reply->body, 0, NULL);
    const char *id = json_string_value(json_object_get(webhook, "id"));
    int generation = (int)json_integer_value(json_object_get(webhook, "secret_generation"));
    if (request_context(r)->webhook_targets == NULL) {
        /* A repetition of a request from before webhooks were switched off: there is no key. */
        respond_problem(r, "state_conflict", "Webhooks are not enabled in this register.");
    } else if (id == NULL) {
        respond_problem(r, "internal", NULL);
    } else {
        arena *memory = request_memory(r);
        reply->body =
            arena_printf(memory, "{\"webhook\":%s,\"secret\":\"%s\"}", reply->body,
                         webhook_secret(request_context(r)->webhook_key, id, generation, memory));
        respond_reply(r, reply);
    }
    json_decref(webhook);
}

/* There may be something to send now. */
static void wake_deliverer(request *r) {
    deliverer_wake(request_context(r)->webhooks);
}

void handle_create_webhook(request *r) {
    int64_t safe = feed_safe(request_context(r)->changes);
    db_reply reply = {0};
    if (safe < 0) {
        respond_problem(r, "database_unavailable", NULL);
        return;
    }
    const char *faults;
    if (!find_target_faults(r, &faults)) {
        return;
    }
    arena *memory = request_memory(r);
    const char *const parameters[] = {
        request_body_text(r),
        is_on(r),
        faults,
        arena_printf(memory, "%lld", (long long)safe),
        confirm_days(r),
        arena_printf(memory, "%lld", (long long)request_principal(r)->issued_at)};
    if (run_write(r, statement_create_webhook, parameters, &reply)) {
        answer_with_secret(r, &reply);
    }
}

void handle_change_webhook(request *r) {
    const char *faults;
    if (!find_target_faults(r, &faults)) {
        return;
    }
    const char *const parameters[] = {request_path_value(r, "id"), request_expected_version(r),
                                      request_body_text(r), faults, confirm_days(r)};
    respond_write(r, statement_change_webhook, parameters);
    wake_deliverer(r);
}

void handle_confirm_webhook(request *r) {
    const char *const parameters[] = {request_path_value(r, "id"), confirm_days(r)};
    respond_write(r, statement_confirm_webhook, parameters);
    wake_deliverer(r);
}

void handle_rotate_webhook_secret(request *r) {
    const char *const parameters[] = {request_path_value(r, "id"), is_on(r), confirm_days(r)};
    db_reply reply = {0};
    if (run_write(r, statement_rotate_webhook_secret, parameters, &reply)) {
        answer_with_secret(r, &reply);
    }
}

void handle_ping_webhook(request *r) {
    const char *const parameters[] = {request_path_value(r, "id"), is_on(r)};
    respond_write(r, statement_ping_webhook, parameters);
    wake_deliverer(r);
}

void handle_replay_delivery(request *r) {
    const char *const parameters[] = {request_path_value(r, "id"),
                                      request_path_value(r, "delivery_id")};
    respond_write(r, statement_replay_delivery, parameters);
    wake_deliverer(r);
}
