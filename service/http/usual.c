/* The usual ways of a handler: read one, read many, write. */
#include "service/http/exchange_parts.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_LIMIT = 50 };

static db_call make_call(exchange *x, const statement *what, const char *const *parameters,
                         bool safe_to_repeat) {
    db_call call = {.what = what, .audit = exchange_audit(x), .safe_to_repeat = safe_to_repeat};
    for (int i = 0; i < what->parameters && i < CALL_PARAMETERS_MOST; i++) {
        call.parameters[i] = parameters[i];
    }
    return call;
}

PGresult *exchange_run_read(exchange *x, const statement *what, const char *const *parameters) {
    db_call call = make_call(x, what, parameters, true);
    db_error error = {0};
    PGresult *result = reads_run(x->shared->reads, exchange_principal(x), &call, &error, x->memory);
    if (result == NULL) {
        exchange_refuse_error(x, &error);
        return NULL;
    }
    if (PQntuples(result) == 0) {
        PQclear(result);
        exchange_refuse(x, "not_found", NULL);
        return NULL;
    }
    return result;
}

void exchange_read(exchange *x, const statement *what, const char *const *parameters) {
    PGresult *result = exchange_run_read(x, what, parameters);
    if (result == NULL) {
        return;
    }
    x->etag = db_text(result, "version", x->memory);
    exchange_answer(x, 200, db_text(result, "body", x->memory));
    PQclear(result);
}

void exchange_read_items(exchange *x, const statement *what, const char *const *parameters) {
    PGresult *result = exchange_run_read(x, what, parameters);
    if (result == NULL) {
        return;
    }
    x->etag = db_text(result, "version", x->memory);
    exchange_answer(x, 200,
                    arena_printf(x->memory, "{\"items\":%s,\"next\":null}",
                                 db_text(result, "items", x->memory)));
    PQclear(result);
}

/* The values of the path, in their order, as the first parameters. */
static int path_parameters(const exchange *x, const char **parameters) {
    int count = 0;
    for (size_t i = 0; i < x->match.value_count && count < CALL_PARAMETERS_MOST; i++) {
        parameters[count++] = x->match.values[i];
    }
    return count;
}

void exchange_get(exchange *x, const statement *what) {
    const char *parameters[CALL_PARAMETERS_MOST] = {0};
    path_parameters(x, parameters);
    exchange_read(x, what, parameters);
}

void exchange_get_items(exchange *x, const statement *what) {
    const char *parameters[CALL_PARAMETERS_MOST] = {0};
    path_parameters(x, parameters);
    exchange_read_items(x, what, parameters);
}

/* The filters as a JSON object with sorted members: what the path names, and the query but for the
 * paging itself. */
static const char *filters_text(exchange *x) {
    json_t *filters = json_object();
    for (size_t i = 0; i < x->match.value_count; i++) {
        json_object_set_new(filters, x->match.names[i], json_string(x->match.values[i]));
    }
    for (size_t i = 0; i < x->query_count; i++) {
        if (strcmp(x->query[i].name, "cursor") != 0 && strcmp(x->query[i].name, "limit") != 0) {
            json_object_set_new(filters, x->query[i].name, json_string(x->query[i].value));
        }
    }
    char *text = json_dumps(filters, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = arena_strdup(x->memory, text == NULL ? "{}" : text);
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

/* The address of the next page: the same query with another cursor. */
static const char *next_url(exchange *x, const char *cursor) {
    const char *url = arena_printf(x->memory, "%s%s?", x->shared->settings->public_url, x->path);
    for (size_t i = 0; i < x->query_count; i++) {
        if (strcmp(x->query[i].name, "cursor") != 0) {
            url = arena_printf(x->memory, "%s%s=%s&", url,
                               percent_encode(x->query[i].name, x->memory),
                               percent_encode(x->query[i].value, x->memory));
        }
    }
    return arena_printf(x->memory, "%scursor=%s", url, cursor);
}

void exchange_read_page(exchange *x, const statement *what) {
    const char *filters = filters_text(x);
    const char *cursor = exchange_query_value(x, "cursor");
    const char *limit = exchange_query_value(x, "limit");
    const char *after = cursor == NULL ? NULL : cursor_read(x, cursor, filters);
    if (cursor != NULL && after == NULL) {
        violation_list list = violation_list_make(x->memory);
        violation_add(&list, PLACE_QUERY, "cursor", "invalid_cursor",
                      "is not a cursor that this list gave out for these filters");
        exchange_refuse_violations(x, "invalid_cursor", &list);
        return;
    }
    const char *const parameters[] = {
        filters, after, limit == NULL ? arena_printf(x->memory, "%d", PAGE_LIMIT) : limit};
    PGresult *result = exchange_run_read(x, what, parameters);
    if (result == NULL) {
        return;
    }
    const char *items = db_text(result, "items", x->memory);
    const char *key = db_text(result, "next", x->memory);
    PQclear(result);
    if (key == NULL) {
        exchange_answer(x, 200, arena_printf(x->memory, "{\"items\":%s,\"next\":null}", items));
        return;
    }
    const char *url = next_url(x, cursor_make(x, key, filters));
    exchange_set_header(x, "Link", arena_printf(x->memory, "<%s>; rel=\"next\"", url));
    exchange_answer(x, 200, arena_printf(x->memory, "{\"items\":%s,\"next\":\"%s\"}", items, url));
}

void exchange_answer_reply(exchange *x, const db_reply *reply) {
    x->etag = reply->version;
    if (reply->location != NULL) {
        exchange_set_header(x, "Location", reply->location);
    }
    if (reply->replayed) {
        exchange_set_header(x, "Idempotency-Replayed", "true");
    }
    exchange_answer(x, reply->status, reply->body);
}

bool exchange_ask(exchange *x, const statement *what, const char *const *parameters,
                  db_reply *reply) {
    db_call call = make_call(x, what, parameters, false);
    db_error error = {0};
    db_once once;
    bool done;
    if (strcmp(x->request.method, "POST") == 0 && exchange_once(x, &once)) {
        done =
            db_call_once(x->shared->connections, &x->who, &call, &once, reply, &error, x->memory);
    } else {
        PGresult *result = db_call_run(x->shared->connections, &x->who, &call, &error, x->memory);
        done = result != NULL && db_reply_read(result, reply, x->memory);
        PQclear(result);
    }
    if (!done) {
        exchange_refuse_error(x, &error);
    }
    return done;
}

void exchange_write(exchange *x, const statement *what, const char *const *parameters) {
    db_reply reply = {0};
    if (exchange_ask(x, what, parameters, &reply)) {
        exchange_answer_reply(x, &reply);
    }
}

void exchange_submit(exchange *x, const statement *what) {
    enum { WITH_VERSION = 2, WITH_FIRST = 3 };
    const char *parameters[CALL_PARAMETERS_MOST] = {0};
    int count = path_parameters(x, parameters);
    int wanted = what->parameters - count;
    if (wanted >= WITH_FIRST) {
        bool first = exchange_header(x, "If-None-Match") != NULL;
        if (first && exchange_header(x, "If-Match") != NULL) {
            exchange_refuse(
                x, "invalid_header",
                "Send either If-None-Match: * for the first one or If-Match to replace it.");
            return;
        }
        parameters[count++] = first ? "true" : "false";
    }
    if (wanted >= WITH_VERSION) {
        parameters[count++] = exchange_expected_version(x);
    }
    parameters[count] = exchange_body_text(x);
    exchange_write(x, what, parameters);
}
