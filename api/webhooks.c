/* Webhooks: registering where the events of the change feed are sent, and the log of that. */
#include "contract_handlers.h"
#include "service/http/exchange.h"

#include <stdlib.h>
#include <string.h>

static const char *is_on(exchange *x) {
    return exchange_service(x)->webhook_targets == NULL ? "false" : "true";
}

/* Finds what is wrong with the address in the body, as the database refuses with it; NULL when
 * nothing is. While webhooks are off there is no address to send to. Returns false when it
 * answered with a problem. */
static bool find_target_faults(exchange *x, const char **found) {
    targets *allowed = exchange_service(x)->webhook_targets;
    const char *url = json_string_value(json_object_get(exchange_body(x), "url"));
    *found = NULL;
    if (url == NULL) {
        return true;
    }
    violation_list faults = violation_list_make(exchange_memory(x));
    const char *reason = NULL;
    if (allowed == NULL) {
        violation_add(&faults, PLACE_BODY, "/url", "host_not_allowed",
                      "has a host that this register does not send to");
    } else if (!targets_check(allowed, url, "/url", &faults, &reason)) {
        exchange_refuse(x, "overloaded", NULL);
        return false;
    }
    exchange_note_reason(x, reason);
    if (faults.first != NULL) {
        *found = arena_printf(exchange_memory(x),
                              "[{\"pointer\":\"%s\",\"rule\":\"%s\",\"message\":\"%s\"}]",
                              faults.first->name, faults.first->rule, faults.first->message);
    }
    return true;
}

/* How many days after this request the webhook must be confirmed. */
static const char *confirm_days(exchange *x) {
    return arena_printf(exchange_memory(x), "%d",
                        exchange_service(x)->settings->webhook_confirm_days);
}

/* Only the response contains the secret. The stored response for a repetition has its generation,
 * from which the secret is derived. */
static void answer_with_secret(exchange *x, db_reply *reply) {
    json_t *webhook = json_loads(reply->body, 0, NULL);
    const char *id = json_string_value(json_object_get(webhook, "id"));
    int generation = (int)json_integer_value(json_object_get(webhook, "secret_generation"));
    if (exchange_service(x)->webhook_targets == NULL) {
        /* A repetition of a request from before webhooks were switched off: there is no key. */
        exchange_refuse(x, "state_conflict", "Webhooks are not enabled in this register.");
    } else if (id == NULL) {
        exchange_refuse(x, "internal", NULL);
    } else {
        arena *memory = exchange_memory(x);
        reply->body =
            arena_printf(memory, "{\"webhook\":%s,\"secret\":\"%s\"}", reply->body,
                         webhook_secret(exchange_service(x)->webhook_key, id, generation, memory));
        exchange_answer_reply(x, reply);
    }
    json_decref(webhook);
}

/* There may be something to send now. */
static void wake_deliverer(exchange *x) {
    deliverer_ring(exchange_service(x)->webhooks);
}

void list_webhooks(exchange *x) {
    exchange_get_items(x, statement_list_webhooks);
}

void create_webhook(exchange *x) {
    int64_t safe = feed_safe(exchange_service(x)->changes);
    db_reply reply = {0};
    if (safe < 0) {
        exchange_refuse(x, "database_unavailable", NULL);
        return;
    }
    const char *faults;
    if (!find_target_faults(x, &faults)) {
        return;
    }
    arena *memory = exchange_memory(x);
    const char *const parameters[] = {
        exchange_body_text(x),
        is_on(x),
        faults,
        arena_printf(memory, "%lld", (long long)safe),
        confirm_days(x),
        arena_printf(memory, "%lld", (long long)exchange_principal(x)->issued_at)};
    if (exchange_ask(x, statement_create_webhook, parameters, &reply)) {
        answer_with_secret(x, &reply);
    }
}

void get_webhook(exchange *x) {
    exchange_get(x, statement_get_webhook);
}

void change_webhook(exchange *x) {
    const char *faults;
    if (!find_target_faults(x, &faults)) {
        return;
    }
    const char *const parameters[] = {exchange_path_value(x, "id"), exchange_expected_version(x),
                                      exchange_body_text(x), faults, confirm_days(x)};
    exchange_write(x, statement_change_webhook, parameters);
    wake_deliverer(x);
}

void delete_webhook(exchange *x) {
    const char *const parameters[] = {exchange_path_value(x, "id")};
    exchange_write(x, statement_delete_webhook, parameters);
}

void confirm_webhook(exchange *x) {
    const char *const parameters[] = {exchange_path_value(x, "id"), confirm_days(x)};
    exchange_write(x, statement_confirm_webhook, parameters);
    wake_deliverer(x);
}

void rotate_webhook_secret(exchange *x) {
    const char *const parameters[] = {exchange_path_value(x, "id"), is_on(x), confirm_days(x)};
    db_reply reply = {0};
    if (exchange_ask(x, statement_rotate_webhook_secret, parameters, &reply)) {
        answer_with_secret(x, &reply);
    }
}

void ping_webhook(exchange *x) {
    const char *const parameters[] = {exchange_path_value(x, "id"), is_on(x)};
    exchange_write(x, statement_ping_webhook, parameters);
    wake_deliverer(x);
}

void list_deliveries(exchange *x) {
    exchange_read_page(x, statement_list_deliveries);
}

void get_delivery(exchange *x) {
    exchange_get(x, statement_get_delivery);
}

void replay_delivery(exchange *x) {
    const char *const parameters[] = {exchange_path_value(x, "id"),
                                      exchange_path_value(x, "delivery_id")};
    exchange_write(x, statement_replay_delivery, parameters);
    wake_deliverer(x);
}
