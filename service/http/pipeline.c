/* The pipeline of every request, step by step; each step passes the request on or answers with a
 * problem. */
#include "service/http/cors.h"
#include "service/http/request_private.h"
#include "service/http/unmatched.h"
#include "service/log.h"

#include "service/clock.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Buffers random bytes: one call is expensive, one byte is not. */
void random_bytes(unsigned char *to, size_t size) {
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

/* Makes a random identifier (RFC 9562, version 4). */
static void make_request_id(char *id) {
    unsigned char b[16] = {0};
    random_bytes(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(id, REQUEST_ID_MAX + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

static bool is_plain(const char *text, size_t max) {
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL) {
            return false;
        }
    }
    return length > 0 && length <= max;
}

/* Returns whether an identifier from the client may be kept: the log and the audit trail hold it
 * for years. */
static bool is_keepable(const request *r, const char *id) {
    return id != NULL && is_plain(id, REQUEST_ID_MAX) && r->context->scan_identifier(id) == NULL;
}

/* Uses the client's X-Request-Id when it is valid, and reads the trace. */
static void identify(request *r) {
    const char *id = request_header(r, "X-Request-Id");
    if (is_keepable(r, id)) {
        snprintf(r->request_id, sizeof r->request_id, "%s", id);
    } else {
        make_request_id(r->request_id);
    }
    trace_begin(r);
    const char *correlation = request_header(r, "X-Correlation-Id");
    if (is_keepable(r, correlation)) {
        response_set_header(r, "X-Correlation-Id", correlation);
    }
}

static bool check_framing(request *r) {
    const char *fault = framing_fault(&r->raw);
    if (fault != NULL) {
        r->close = true;
        r->reason = fault;
        respond_problem(r, "bad_request", fault);
        return false;
    }
    framing_measure(&r->raw);
    return true;
}

/* Returns the path as clients often mean it: in lower case, with /v1 before it, and without slashes
 * that are doubled or at its end. */
static const char *tidy_path(request *r) {
    static const char version[] = "/v1";
    size_t prefix = sizeof version - 1;
    char *tidy = arena_printf(r->memory, "%s%s", version, r->path);
    char *end = tidy + prefix;
    for (const char *at = end; *at != '\0'; at++) {
        if (*at != '/' || (at[1] != '/' && at[1] != '\0')) {
            *end++ = (char)tolower((unsigned char)*at);
        }
    }
    *end = '\0';
    return strncmp(tidy + prefix, version, prefix) == 0 ? tidy + prefix : tidy;
}

/* Says that the contract has no such address, unlike a resource that the caller may not see, and
 * which one it has that is near. The answer does not repeat what was sent. */
static const char *describe_address(request *r) {
    contract_match near = contract_route("GET", tidy_path(r), r->memory);
    return near.operation == NULL
               ? "The contract has no such address. /docs/operations lists all."
               : arena_printf(r->memory, "The contract has no such address; did you mean %s?",
                              near.operation->path);
}

/* Step 2: finds the operation by method and path. */
static bool find_operation(request *r) {
    size_t length = strcspn(r->raw.target, "?");
    r->path = arena_strndup(r->memory, r->raw.target, length);
    r->match = contract_route(r->raw.method, r->path, r->memory);
    r->operation = r->match.operation;
    if (r->match.format != NULL) {
        r->path = arena_strndup(r->memory, r->path, length - strlen(r->match.format) - 1);
    }
    if (r->operation != NULL) {
        return true;
    }
    if (r->match.path_known) {
        response_set_header(r, "Allow", r->match.allow);
        if (strcmp(r->raw.method, "OPTIONS") == 0) {
            cors_allow_request(r);
            r->status = 204;
            return false;
        }
        respond_problem(r, "method_not_allowed",
                        arena_printf(r->memory, "This address allows %s.", r->match.allow));
        return false;
    }
    respond_problem(r, "not_found", describe_address(r));
    return false;
}

/* Refuses a client of an issuer that sends no organisation if the operator did not map it. */
static bool check_organisation(request *r) {
    if (!r->authenticated || *r->principal.organisation != '\0') {
        return true;
    }
    r->reason = "unmapped";
    respond_problem(r, "organisation_not_allowed",
                    arena_printf(r->memory,
                                 "The token has no organisation, and the register maps the client "
                                 "%s to none. The operator maps it with `learning-reviews client "
                                 "map`.",
                                 r->principal.client));
    return false;
}

/* A fault that says nothing of the token is a 503. */
static void refuse_token(request *r, const char *fault) {
    if (strcmp(fault, "internal") == 0) {
        respond_problem(r, "overloaded", NULL);
    } else if (strcmp(fault, "directory") == 0) {
        respond_problem(r, "database_unavailable", NULL);
    } else if (strcmp(fault, "keys") == 0) {
        respond_problem(r, "token_keys_unavailable", NULL);
    } else {
        response_set_header(r, "WWW-Authenticate",
                            "Bearer realm=\"learning-reviews\", error=\"invalid_token\"");
        respond_problem(r, "token_invalid",
                        r->context->settings->dev ? token_explain(fault) : NULL);
    }
}

void respond_token_missing(request *r) {
    response_set_header(r, "WWW-Authenticate", "Bearer realm=\"learning-reviews\"");
    respond_problem(r, "token_missing", NULL);
}

/* Step 3: verifies the bearer token. In production every fault of a token gets the same answer; the
 * log has the reason. */
static bool authenticate(request *r) {
    const char *header = request_header(r, "Authorization");
    if (r->operation->public && (header == NULL || *r->operation->scopes == NULL)) {
        return true;
    }
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0) {
        respond_token_missing(r);
        return false;
    }
    const char *fault = token_verify(r->context->verifier, header + 7,
                                     clock_us(CLOCK_REALTIME) / 1000000, &r->principal);
    r->reason = fault;
    if (fault != NULL) {
        refuse_token(r, fault);
        return false;
    }
    r->authenticated = true;
    return true;
}

bool request_limit_rate(request *r) {
    rate_state left =
        rate_take(r->context->rates, r->principal.organisation, r->principal.client, now_ms());
    const rate_left *client = &left.client;
    const rate_left *organisation = &left.organisation;
    response_set_header(r, "RateLimit-Policy",
                        arena_printf(r->memory, "\"client\";q=%d;w=%d, \"organisation\";q=%d;w=%d",
                                     client->quota, left.window, organisation->quota, left.window));
    response_set_header(r, "RateLimit",
                        arena_printf(r->memory, "\"client\";r=%d;t=%d, \"organisation\";r=%d;t=%d",
                                     client->remaining, client->reset_seconds,
                                     organisation->remaining, organisation->reset_seconds));
    if (!left.allowed) {
        const rate_left *used_up = client->allowed ? organisation : client;
        response_set_header(r, "Retry-After",
                            arena_printf(r->memory, "%d", used_up->reset_seconds));
        respond_problem(r, "rate_limited",
                        arena_printf(r->memory,
                                     "The quota of %d requests in %d seconds of %s is "
                                     "used up.",
                                     used_up->quota, left.window,
                                     client->allowed ? "the organisation" : "the client"));
    }
    return left.allowed;
}

static bool limit_rate(request *r) {
    return !r->authenticated || request_limit_rate(r);
}

/* Webhooks of a client send what its newest token allows. A token that this instance has not seen
 * lately is recorded before its request is answered: it counts from then on. If that fails, it is
 * recorded when the token is next verified, at most a minute later. Always returns true. */
static bool note_token(request *r) {
    if (!r->authenticated || !r->principal.first_seen || r->context->webhook_targets == NULL) {
        return true;
    }
    db_call call = {
        .statement = statement_webhook_token_seen,
        .parameters = {arena_printf(r->memory, "%lld", (long long)r->principal.issued_at)},
        .safe_to_repeat = true};
    db_error error = {0};
    PQclear(db_call_run(r->context->connections, &r->principal, &call, &error, r->memory));
    return true;
}

/* Step 4: checks the scopes that the contract requires. */
#ifdef WITHOUT_SCOPE_CHECKS
/* For a test program only (see CMakeLists.txt): shows that the database's checks alone are
 * sufficient. */
static bool authorise(request *r) {
    (void)r;
    return true;
}
#else
static bool authorise(request *r) {
    if (r->operation->public && !r->authenticated) {
        return true;
    }
    for (const char *const *scope = r->operation->scopes; *scope != NULL; scope++) {
        if (!principal_has_scope(&r->principal, *scope)) {
            response_set_header(r, "WWW-Authenticate",
                                arena_printf(r->memory,
                                             "Bearer error=\"insufficient_scope\", scope=\"%s\"",
                                             *scope));
            respond_problem(
                r, "scope_missing",
                arena_printf(r->memory, "The token does not have the scope %s.", *scope));
            return false;
        }
    }
    return true;
}
#endif

/* Returns the query of the request. The suffix of the path is one of its parameters. */
static const char *query_text(const request *r) {
    const char *question = strchr(r->raw.target, '?');
    const char *text = question == NULL ? "" : question + 1;
    return r->match.format == NULL
               ? text
               : arena_printf(r->memory, "format=%s%s%s", r->match.format, *text ? "&" : "", text);
}

/* Returns the media type that the parameter `format` names; NULL without one. Faults of the query
 * are found later. */
static const char *requested_type(const request *r) {
    const contract_parameter *parameter = r->operation->parameters;
    const contract_parameter *end = parameter + r->operation->parameter_count;
    while (parameter < end && strcmp(parameter->name, "format") != 0) {
        parameter++;
    }
    violation_list faults = violation_list_make(r->memory);
    contract_pair *pairs = NULL;
    size_t count = 0;
    if (parameter == end || !query_parse(query_text(r), &pairs, &count, &faults, r->memory)) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].name, "format") == 0) {
            return strcmp(pairs[i].value, "csv") == 0 ? "text/csv" : "application/json";
        }
    }
    return NULL;
}

static const char *list_types(request *r) {
    const char *const *type = r->operation->produces;
    const char *text = *type;
    while (*++type != NULL) {
        text = arena_printf(r->memory, "%s and %s", text, *type);
    }
    return text;
}

static bool negotiate(request *r) {
    if (*r->operation->produces == NULL) {
        return true;
    }
    r->media_type = requested_type(r);
    if (r->media_type != NULL) {
        return true;
    }
    r->media_type = negotiate_media_type(request_header(r, "Accept"), r->operation->produces);
    if (r->media_type == NULL) {
        respond_problem(r, "not_acceptable",
                        arena_printf(r->memory, "Accept excludes %s, all that %s produces.",
                                     list_types(r), r->operation->id));
    }
    return r->media_type != NULL;
}

const char *violations_code(const violation_list *violations) {
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

/* Checks the body, or each line of a body of lines, against the schema. */
static void check_body(request *r, violation_list *faults) {
    const contract_schema *schema = request_body_schema(r);
    if (!request_body_is_lines(r)) {
        contract_check_value(schema, r->body, "", faults);
        contract_scan_identifiers(schema, r->body, "", r->context->scan_identifier, faults);
        return;
    }
    size_t index;
    json_t *line;
    json_array_foreach (r->body, index, line) {
        contract_check_value(schema, line, arena_printf(r->memory, "/%zu", index), faults);
    }
}

/* Step 5: checks path, query, headers and body against the contract, and collects all faults. */
static bool check_input(request *r) {
    violation_list faults = violation_list_make(r->memory);
    contract_pair *pairs = NULL;
    if (query_parse(query_text(r), &pairs, &r->query_count, &faults, r->memory)) {
        r->query = pairs;
        contract_check_parameters(r->operation, &r->match, pairs, r->query_count, r->raw.headers,
                                  r->raw.header_count, &faults);
        contract_scan_headers(r->operation, r->raw.headers, r->raw.header_count,
                              r->context->scan_identifier, &faults);
    }
    if (r->body != NULL) {
        check_body(r, &faults);
    }
    if (faults.first != NULL) {
        respond_violations(r, violations_code(&faults), &faults);
        return false;
    }
    return true;
}

/* Refuses free text that would identify a person before anything is stored. */
static bool check_text(request *r) {
    if (r->body == NULL || request_body_is_lines(r)) {
        return true;
    }
    violation_list faults = violation_list_make(r->memory);
    contract_scan_free_text(request_body_schema(r), r->body, "", r->context->scan_text, &faults);
    if (faults.first != NULL) {
        respond_violations(r, "personal_identifier_found", &faults);
        return false;
    }
    contract_apply_defaults(request_body_schema(r), r->body);
    return true;
}

static size_t operation_index(const request *r) {
    return r->operation == NULL ? SIZE_MAX : (size_t)(r->operation - contract_operations);
}

void request_record(request *r) {
    uint64_t duration = (uint64_t)(clock_us(CLOCK_MONOTONIC) - r->started_us);
    metrics_count(r->context->metrics, operation_index(r), r->status, duration);
    log_request entry = {.request_id = r->request_id,
                         .trace_id = r->trace_id,
                         .span_id = r->span_id,
                         .method = r->operation == NULL ? NULL : r->operation->method,
                         .operation = r->operation == NULL ? NULL : r->operation->id,
                         .organisation = r->authenticated ? r->principal.organisation : NULL,
                         .client = r->authenticated ? r->principal.client : NULL,
                         .subject = r->authenticated ? r->principal.subject : NULL,
                         .problem = r->problem,
                         .reason = r->reason,
                         .status = r->status,
                         .duration_us = duration,
                         .bytes_in = r->raw.body_size,
                         .bytes_out = r->response_size};
    if (r->operation == NULL) {
        unmatched_describe(r, &entry);
    }
    log_answer(&entry);
}

/* Other requests may wait for the data that this one wrote. */
static void tell_others(const request *r) {
    if (r->context->changes != NULL && r->status < 300 && !request_is_read(r)) {
        feed_report_commit(r->context->changes);
    }
}

bool request_admit(request *r) {
    r->started_us = clock_us(CLOCK_MONOTONIC);
    identify(r);
    r->admitted = check_framing(r) && find_operation(r) && authenticate(r) && limit_rate(r) &&
                  check_organisation(r) && note_token(r) && authorise(r) && negotiate(r) &&
                  request_expect_body(r);
    return r->admitted;
}

bool request_is_slow(const request *r) {
    return r->admitted && r->operation->slow && strstr(query_text(r), "wait=") == NULL;
}

/* A large answer is copied while it is made, and one copy stays until the client has read it. A
 * request that changed something is answered even without memory in the budget. */
static void hold_answer(request *r) {
    enum { COUNTS_FROM = 8192, COPIES = 3 };
    if (r->response_held || r->response_size < COUNTS_FROM || r->long_poll != NULL) {
        return;
    }
    r->response_held = request_hold_memory(r, COPIES * r->response_size);
    if (!r->response_held && request_is_read(r)) {
        respond_problem(r, "overloaded", NULL);
    }
}

void request_run(request *r) {
    metrics_begin(r->context->metrics);
    if (r->admitted && r->raw.has_body) { /* the client's time to send the body does not count */
        r->started_us = clock_us(CLOCK_MONOTONIC);
    }
    if (r->no_turn) {
        respond_problem(r, "overloaded", NULL);
    } else if (r->admitted && request_read_body(r) && check_input(r) && check_text(r)) {
        r->operation->handler(r);
        tell_others(r);
        hold_answer(r);
    }
    response_finish(r);
    if (r->long_poll == NULL) {
        request_record(r);
    }
    json_decref(r->body);
    r->body = NULL;
}
