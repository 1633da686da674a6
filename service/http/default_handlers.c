/* The default handlers: read one, read many, write. service/contract/defaults.py chooses one for
 * each operation that has no handler in api/. */
#include "service/http/request_private.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_LIMIT = 50 };

static db_call make_call(request *r, const statement *statement, const char *const *parameters,
                         bool safe_to_repeat) {
    db_call call = {
        .statement = statement, .audit = request_audit_note(r), .safe_to_repeat = safe_to_repeat};
    for (int i = 0; i < statement->parameters && i < CALL_PARAMETERS_MAX; i++) {
        call.parameters[i] = parameters[i];
    }
    return call;
}

PGresult *run_read(request *r, const statement *statement, const char *const *parameters) {
    db_call call = make_call(r, statement, parameters, true);
    db_error error = {0};
    const principal *caller = request_principal(r);
    PGresult *result =
        call.audit == NULL
            ? replica_router_run(r->context->replicas, caller, &call, &error, r->memory)
            : audited_reads_run(r->context->reads, caller, &call, &error, r->memory);
    if (result == NULL) {
        respond_db_error(r, &error);
        return NULL;
    }
    if (PQntuples(result) == 0) {
        PQclear(result);
        respond_problem(r, "not_found", NULL);
        return NULL;
    }
    return result;
}

void respond_read(request *r, const statement *statement, const char *const *parameters) {
    PGresult *result = run_read(r, statement, parameters);
    if (result == NULL) {
        return;
    }
    r->etag = db_text(result, "version", r->memory);
    respond(r, 200, db_json(result, "body", r->memory));
    PQclear(result);
}

bool respond_read_page(request *r, const statement *statement, const char *const *parameters) {
    PGresult *result = run_read(r, statement, parameters);
    if (result == NULL) {
        return false;
    }
    const char *page = db_text(result, "body", r->memory);
    PQclear(result);
    respond_bytes(r, "text/html; charset=utf-8", page, strlen(page));
    return true;
}

void respond_read_items(request *r, const statement *statement, const char *const *parameters) {
    PGresult *result = run_read(r, statement, parameters);
    if (result == NULL) {
        return;
    }
    r->etag = db_text(result, "version", r->memory);
    respond(r, 200,
            arena_printf(r->memory, "{\"items\":%s,\"next\":null}",
                         db_json(result, "items", r->memory)));
    PQclear(result);
}

/* The values of the path, in their order, as the first parameters. */
static int path_parameters(const request *r, const char **parameters) {
    int count = 0;
    for (size_t i = 0; i < r->match.value_count && count < CALL_PARAMETERS_MAX; i++) {
        parameters[count++] = r->match.values[i];
    }
    return count;
}

void respond_get(request *r, const statement *statement) {
    const char *parameters[CALL_PARAMETERS_MAX] = {0};
    path_parameters(r, parameters);
    respond_read(r, statement, parameters);
}

void respond_list(request *r, const statement *statement) {
    const char *parameters[CALL_PARAMETERS_MAX] = {0};
    path_parameters(r, parameters);
    respond_read_items(r, statement, parameters);
}

/* Whether the parameter says how much of the list is shown, or how, but not which list. */
static bool is_of_paging(const char *name) {
    return strcmp(name, "cursor") == 0 || strcmp(name, "limit") == 0 || strcmp(name, "format") == 0;
}

/* Returns the filters as a JSON object with sorted members: the parameters of the path and of the
 * query, without those for paging. */
static const char *filters_text(request *r) {
    json_t *filters = json_object();
    for (size_t i = 0; i < r->match.value_count; i++) {
        json_object_set_new(filters, r->match.names[i], json_string(r->match.values[i]));
    }
    for (size_t i = 0; i < r->query_count; i++) {
        if (!is_of_paging(r->query[i].name)) {
            json_object_set_new(filters, r->query[i].name, json_string(r->query[i].value));
        }
    }
    char *text = json_dumps(filters, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = arena_strdup(r->memory, text == NULL ? "{}" : text);
    free(text);
    json_decref(filters);
    return copy;
}

static bool is_unreserved(char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || strchr("-._~", byte) != NULL;
}

static const char *percent_encode(const char *text, arena *memory) {
    char *out = arena_alloc(memory, strlen(text) * 3 + 1);
    char *end = out;
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) {
            *end++ = *text;
        } else {
            static const char digits[] = "0123456789ABCDEF";
            unsigned char byte = (unsigned char)*text;
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return out;
}

/* Returns the address of the next page: the same query with another cursor. */
static const char *next_url(request *r, const char *cursor) {
    const char *url = arena_printf(r->memory, "%s%s?", r->context->settings->public_url, r->path);
    for (size_t i = 0; i < r->query_count; i++) {
        if (strcmp(r->query[i].name, "cursor") != 0) {
            url = arena_printf(r->memory, "%s%s=%s&", url,
                               percent_encode(r->query[i].name, r->memory),
                               percent_encode(r->query[i].value, r->memory));
        }
    }
    return arena_printf(r->memory, "%scursor=%s", url, cursor);
}

/* Returns whether a filter of the request has several values. */
static bool has_several_values(const request *r) {
    for (size_t i = 0; i < r->operation->parameter_count; i++) {
        const contract_parameter *parameter = &r->operation->parameters[i];
        const char *value = parameter->list ? request_query_value(r, parameter->name) : NULL;
        if (value != NULL && strchr(value, ',') != NULL) {
            return true;
        }
    }
    return false;
}

/* Returns the text of the list for the sort order of the request. */
static const statement *choose_text(const request *r, const statement *list) {
    const char *sort = request_query_value(r, "sort");
    const char *order = sort == NULL ? list->order : sort;
    bool several = has_several_values(r);
    while (list->more && (strcmp(list->order, order) != 0 || (list->several && !several))) {
        list++;
    }
    return list;
}

void respond_page(request *r, const statement *list) {
    const char *filters = filters_text(r);
    const char *cursor = request_query_value(r, "cursor");
    const char *limit = request_query_value(r, "limit");
    const char *after = cursor == NULL ? NULL : cursor_read(r, cursor, filters);
    if (cursor != NULL && after == NULL) {
        violation_list list = violation_list_make(r->memory);
        violation_add(&list, PLACE_QUERY, "cursor", "invalid_cursor",
                      "is not a cursor that this list gave out for these filters");
        respond_violations(r, "invalid_cursor", &list);
        return;
    }
    const char *const parameters[] = {
        filters, after, limit == NULL ? arena_printf(r->memory, "%d", PAGE_LIMIT) : limit};
    PGresult *result = run_read(r, choose_text(r, list), parameters);
    if (result == NULL) {
        return;
    }
    const char *items = db_json(result, "items", r->memory);
    const char *key = db_text(result, "next", r->memory);
    PQclear(result);
    const char *next = "null";
    if (key != NULL) {
        const char *url = next_url(r, cursor_make(r, key, filters));
        response_set_header(r, "Link", arena_printf(r->memory, "<%s>; rel=\"next\"", url));
        next = arena_printf(r->memory, "\"%s\"", url);
    }
    if (request_wants_csv(r)) {
        respond_items_csv(r, items);
    } else {
        respond(r, 200, arena_printf(r->memory, "{\"items\":%s,\"next\":%s}", items, next));
    }
}

void respond_reply(request *r, const db_reply *reply) {
    r->etag = reply->version;
    if (reply->location != NULL) {
        response_set_header(r, "Location", reply->location);
    }
    if (reply->replayed) {
        response_set_header(r, "Idempotency-Replayed", "true");
    }
    respond(r, reply->status, reply->body);
}

bool run_write(request *r, const statement *statement, const char *const *parameters,
               db_reply *reply) {
    db_call call = make_call(r, statement, parameters, false);
    db_error error = {0};
    db_idempotency idempotency;
    bool done;
    if (strcmp(r->raw.method, "POST") == 0 && request_idempotency(r, &idempotency)) {
        done = db_call_idempotent(r->context->connections, &r->principal, &call, &idempotency,
                                  reply, &error, r->memory);
    } else {
        PGresult *result =
            db_call_run(r->context->connections, &r->principal, &call, &error, r->memory);
        done = result != NULL && db_reply_read(result, reply, r->memory);
        PQclear(result);
    }
    if (!done) {
        respond_db_error(r, &error);
    }
    return done;
}

void respond_write(request *r, const statement *statement, const char *const *parameters) {
    db_reply reply = {0};
    if (run_write(r, statement, parameters, &reply)) {
        respond_reply(r, &reply);
    }
}

void respond_submit(request *r, const statement *statement) {
    enum { WITH_VERSION = 1, WITH_FIRST = 2 };
    const char *parameters[CALL_PARAMETERS_MAX] = {0};
    int count = path_parameters(r, parameters);
    bool with_body = r->operation->body_count > 0;
    int preconditions = statement->parameters - count - with_body;
    if (preconditions >= WITH_FIRST) {
        bool first = request_header(r, "If-None-Match") != NULL;
        if (first && request_header(r, "If-Match") != NULL) {
            respond_problem(
                r, "invalid_header",
                "Send either If-None-Match: * for the first one or If-Match to replace it.");
            return;
        }
        parameters[count++] = first ? "true" : "false";
    }
    if (preconditions >= WITH_VERSION) {
        parameters[count++] = request_expected_version(r);
    }
    if (with_body) {
        parameters[count] = request_body_text(r);
    }
    respond_write(r, statement, parameters);
}
