/* The way of every request, step by step; each step either passes it on or answers with a problem.
 */
#include "service/http/exchange_parts.h"
#include "service/http/unknown.h"
#include "service/log.h"

#include "service/clock.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Random bytes, fetched for many at a time: fetching them is dear, not each of them. */
void exchange_random(unsigned char *to, size_t size) {
    static _Thread_local unsigned char store[1024];
    static _Thread_local size_t left;
    if (left < size) {
        left = RAND_bytes(store, sizeof store) == 1 ? sizeof store : 0;
    }
    if (left < size) { /* unique enough for a log */
        memcpy(to, &(int64_t){clock_us(CLOCK_MONOTONIC)}, sizeof(int64_t));
        return;
    }
    left -= size;
    memcpy(to, store + left, size);
}

/* A random identifier (RFC 9562, version 4). */
static void make_request_id(char *id) {
    unsigned char b[16] = {0};
    exchange_random(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(id, REQUEST_ID_MOST + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static bool is_plain(const char *text, size_t most) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL) {
            return false;
        }
    }
    return length > 0 && length <= most;
}

/* Whether an identifier of the sender's can be kept: log and audit trail hold it for years. */
static bool is_keepable(const exchange *x, const char *id) {
    return id != NULL && is_plain(id, REQUEST_ID_MOST) && x->shared->scan_identifier(id) == NULL;
}

/* The sender's X-Request-Id when it is one, and the trace. */
static void identify(exchange *x) {
    const char *id = exchange_header(x, "X-Request-Id");
    if (is_keepable(x, id)) {
        snprintf(x->request_id, sizeof x->request_id, "%s", id);
    } else {
        make_request_id(x->request_id);
    }
    trace_begin(x);
    const char *correlation = exchange_header(x, "X-Correlation-Id");
    if (is_keepable(x, correlation)) {
        exchange_set_header(x, "X-Correlation-Id", correlation);
    }
}

static bool check_framing(exchange *x) {
    const char *fault = framing_fault(&x->request);
    if (fault != NULL) {
        x->close = true;
        x->reason = fault;
        exchange_refuse(x, "bad_request", fault);
        return false;
    }
    framing_measure(&x->request);
    return true;
}

/* Step 2: method and path. */
static bool find_operation(exchange *x) {
    size_t length = strcspn(x->request.target, "?");
    x->path = arena_strndup(x->memory, x->request.target, length);
    x->match = contract_route(x->request.method, x->path, x->memory);
    x->operation = x->match.operation;
    if (x->operation != NULL) {
        return true;
    }
    if (x->match.path_known) {
        exchange_set_header(x, "Allow", x->match.allow);
        if (strcmp(x->request.method, "OPTIONS") == 0) {
            x->status = 204;
            return false;
        }
        exchange_refuse(x, "method_not_allowed", NULL);
        return false;
    }
    exchange_refuse(x, "not_found", NULL);
    return false;
}

/* Step 3: the bearer token. In production every fault of a token gets the same answer; the log has
 * the reason. */
static bool authenticate(exchange *x) {
    if (x->operation->public) {
        return true;
    }
    const char *header = exchange_header(x, "Authorization");
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0) {
        exchange_set_header(x, "WWW-Authenticate", "Bearer realm=\"learning-reviews\"");
        exchange_refuse(x, "token_missing", NULL);
        return false;
    }
    const char *fault =
        token_verify(x->shared->verifier, header + 7, clock_us(CLOCK_REALTIME) / 1000000, &x->who);
    x->reason = fault;
    if (fault != NULL && strcmp(fault, "internal") == 0) {
        exchange_refuse(x, "overloaded", NULL); /* nothing is known of the token */
        return false;
    }
    if (fault != NULL && strcmp(fault, "keys") == 0) {
        exchange_refuse(x, "token_keys_unavailable", NULL);
        return false;
    }
    if (fault != NULL) {
        exchange_set_header(x, "WWW-Authenticate",
                            "Bearer realm=\"learning-reviews\", error=\"invalid_token\"");
        exchange_refuse(x, "token_invalid", x->shared->settings->dev ? token_explain(fault) : NULL);
        return false;
    }
    x->known = true;
    return true;
}

static bool limit_rate(exchange *x) {
    if (!x->known) {
        return true;
    }
    rate_state left = rate_take(x->shared->rates, x->who.organisation, x->who.client, now_ms());
    const rate_left *client = &left.client;
    const rate_left *organisation = &left.organisation;
    exchange_set_header(x, "RateLimit-Policy",
                        arena_printf(x->memory, "\"client\";q=%d;w=%d, \"organisation\";q=%d;w=%d",
                                     client->quota, left.window, organisation->quota, left.window));
    exchange_set_header(x, "RateLimit",
                        arena_printf(x->memory, "\"client\";r=%d;t=%d, \"organisation\";r=%d;t=%d",
                                     client->remaining, client->reset_seconds,
                                     organisation->remaining, organisation->reset_seconds));
    if (!left.allowed) {
        const rate_left *used_up = client->allowed ? organisation : client;
        exchange_set_header(x, "Retry-After",
                            arena_printf(x->memory, "%d", used_up->reset_seconds));
        exchange_refuse(x, "rate_limited",
                        arena_printf(x->memory,
                                     "The quota of %d requests in %d seconds of %s is "
                                     "used up.",
                                     used_up->quota, left.window,
                                     client->allowed ? "the organisation" : "the client"));
    }
    return left.allowed;
}

/* Webhooks of a client send what its newest token allows. A token that this instance has not seen
 * lately is noted before its request is answered: from then on it counts. When that fails it is
 * noted the next time that the token is verified, a minute later at most. Always goes on. */
static bool note_token(exchange *x) {
    if (!x->known || !x->who.first_seen || x->shared->webhook_targets == NULL) {
        return true;
    }
    db_call call = {.what = statement_webhook_token_seen,
                    .parameters = {arena_printf(x->memory, "%lld", (long long)x->who.issued_at)},
                    .safe_to_repeat = true};
    db_error error = {0};
    PQclear(db_call_run(x->shared->connections, &x->who, &call, &error, x->memory));
    return true;
}

/* Step 4: the scopes that the contract asks for. */
#ifdef WITHOUT_SCOPE_CHECKS
/* For a test program only (see CMakeLists.txt): shows that the database alone holds. */
static bool authorise(exchange *x) {
    (void)x;
    return true;
}
#else
static bool authorise(exchange *x) {
    for (const char *const *scope = x->operation->scopes; *scope != NULL; scope++) {
        if (!principal_has_scope(&x->who, *scope)) {
            exchange_set_header(x, "WWW-Authenticate",
                                arena_printf(x->memory,
                                             "Bearer error=\"insufficient_scope\", scope=\"%s\"",
                                             *scope));
            exchange_refuse(
                x, "scope_missing",
                arena_printf(x->memory, "The token does not have the scope %s.", *scope));
            return false;
        }
    }
    return true;
}
#endif

static bool negotiate(exchange *x) {
    if (*x->operation->produces == NULL) {
        return true;
    }
    x->media_type = accept_choose(exchange_header(x, "Accept"), x->operation->produces);
    if (x->media_type == NULL) {
        exchange_refuse(x, "not_acceptable", NULL);
    }
    return x->media_type != NULL;
}

const char *exchange_code_of(const violation_list *violations) {
    if (violation_list_all(violations, "unknown_parameter")) {
        return "unknown_parameter";
    }
    if (violation_list_all(violations, "repeated_parameter")) {
        return "repeated_parameter";
    }
    bool in_body = false;
    bool in_header = true;
    bool only_key = true;
    for (const violation *one = violations->first; one != NULL; one = one->next) {
        in_body = in_body || one->place == PLACE_BODY;
        in_header = in_header && one->place == PLACE_HEADER;
        only_key =
            only_key && one->place == PLACE_HEADER && strcasecmp(one->name, "Idempotency-Key") == 0;
    }
    return only_key    ? "idempotency_key_invalid"
           : in_header ? "invalid_header"
           : in_body   ? "schema_violation"
                       : "invalid_parameter";
}

/* Checks the body, or each line of a body of lines, with `check` (contract_check_value or the
 * like). */
static void check_body(exchange *x, violation_list *faults) {
    const contract_schema *schema = exchange_body_schema(x);
    if (!exchange_body_is_lines(x)) {
        contract_check_value(schema, x->body, "", faults);
        contract_scan_identifiers(schema, x->body, "", x->shared->scan_identifier, faults);
        return;
    }
    size_t index;
    json_t *line;
    json_array_foreach (x->body, index, line) {
        contract_check_value(schema, line, arena_printf(x->memory, "/%zu", index), faults);
    }
}

/* Step 5: path, query, headers and body against the contract, all faults at once. */
static bool check_input(exchange *x) {
    violation_list faults = violation_list_make(x->memory);
    contract_pair *pairs = NULL;
    const char *question = strchr(x->request.target, '?');
    if (query_parse(question == NULL ? NULL : question + 1, &pairs, &x->query_count, &faults,
                    x->memory)) {
        x->query = pairs;
        contract_check_parameters(x->operation, &x->match, pairs, x->query_count,
                                  x->request.headers, x->request.header_count, &faults);
        contract_scan_headers(x->operation, x->request.headers, x->request.header_count,
                              x->shared->scan_identifier, &faults);
    }
    if (x->body != NULL) {
        check_body(x, &faults);
    }
    if (faults.first != NULL) {
        exchange_refuse_violations(x, exchange_code_of(&faults), &faults);
        return false;
    }
    return true;
}

/* Free text that would identify a person is refused before anything is stored. */
static bool check_text(exchange *x) {
    if (x->body == NULL || exchange_body_is_lines(x)) {
        return true;
    }
    violation_list faults = violation_list_make(x->memory);
    contract_scan_free_text(exchange_body_schema(x), x->body, "", x->shared->scan_text, &faults);
    if (faults.first != NULL) {
        exchange_refuse_violations(x, "personal_identifier_found", &faults);
        return false;
    }
    contract_apply_defaults(exchange_body_schema(x), x->body);
    return true;
}

static size_t operation_index(const exchange *x) {
    return x->operation == NULL ? SIZE_MAX : (size_t)(x->operation - contract_operations);
}

void exchange_record(exchange *x) {
    uint64_t duration = (uint64_t)(clock_us(CLOCK_MONOTONIC) - x->started_us);
    metrics_count(x->shared->figures, operation_index(x), x->status, duration);
    log_request entry = {.request_id = x->request_id,
                         .trace_id = x->trace_id,
                         .span_id = x->span_id,
                         .method = x->operation == NULL ? NULL : x->operation->method,
                         .operation = x->operation == NULL ? NULL : x->operation->id,
                         .organisation = x->known ? x->who.organisation : NULL,
                         .client = x->known ? x->who.client : NULL,
                         .subject = x->known ? x->who.subject : NULL,
                         .problem = x->problem,
                         .reason = x->reason,
                         .status = x->status,
                         .duration_us = duration,
                         .bytes_in = x->request.body_size,
                         .bytes_out = x->answer_size};
    if (x->operation == NULL) {
        unknown_describe(x, &entry);
    }
    log_answer(&entry);
}

/* What was written may be what others wait for. */
static void tell_others(const exchange *x) {
    if (x->shared->changes != NULL && x->status < 300 && !exchange_is_read(x)) {
        feed_poke(x->shared->changes);
    }
}

bool exchange_admit(exchange *x) {
    x->started_us = clock_us(CLOCK_MONOTONIC);
    identify(x);
    x->admitted = check_framing(x) && find_operation(x) && authenticate(x) && limit_rate(x) &&
                  note_token(x) && authorise(x) && negotiate(x) && exchange_expect_body(x);
    return x->admitted;
}

/* An answer of some size is copied while it is made, and one copy waits until the client has read
 * it. What a request changed is answered in any case. */
static void hold_answer(exchange *x) {
    enum { COUNTS_FROM = 8192, COPIES = 3 };
    if (x->answer_size < COUNTS_FROM || x->parked != NULL) {
        return;
    }
    x->answer_held = exchange_hold(x, COPIES * x->answer_size);
    if (!x->answer_held && exchange_is_read(x)) {
        exchange_refuse(x, "overloaded", NULL);
    }
}

void exchange_run(exchange *x) {
    metrics_begin(x->shared->figures);
    if (x->admitted &&
        x->request.has_body) { /* the time that the client takes to send it is not ours */
        x->started_us = clock_us(CLOCK_MONOTONIC);
    }
    if (x->admitted && exchange_read_body(x) && check_input(x) && check_text(x)) {
        x->operation->handler(x);
        tell_others(x);
        hold_answer(x);
    }
    exchange_finish(x);
    if (x->parked == NULL) {
        exchange_record(x);
    }
    json_decref(x->body);
    x->body = NULL;
}
