/* Statistics: answered from memory while nothing changed that they depend on. */
#include "contract_handlers.h"
#include "service/answer_cache.h"
#include "service/db/change_version.h"
#include "service/http/request.h"

#include <stdlib.h>
#include <string.h>

static const char *const filter_names[] = {"view", "committee", "period_type", "from",
                                           "to",   "breakdown", "release",     NULL};

/* The parameters of the request as the database expects them. */
static const char *filters_text(request *r) {
    json_t *filters = json_object();
    for (const char *const *name = filter_names; *name != NULL; name++) {
        if (request_query_value(r, *name) != NULL) {
            json_object_set_new(filters, *name, json_string(request_query_value(r, *name)));
        }
    }
    char *text = json_dumps(filters, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = arena_strdup(request_memory(r), text == NULL ? "{}" : text);
    free(text);
    json_decref(filters);
    return copy;
}

/* The cache has a key per caller, because the database decides what each caller can see. */
static const char *key_of(request *r, const char *table, bool csv) {
    static const principal anonymous = {0};
    const principal *principal = request_principal(r) == NULL ? &anonymous : request_principal(r);
    const char *key =
        arena_printf(request_memory(r), "%s %d%d%d %s", principal->organisation,
                     principal_has_scope(principal, "statistics.read"),
                     principal_has_scope(principal, "statistics.unsuppressed"), csv, table);
    for (const char *const *name = filter_names; *name != NULL; name++) {
        const char *value = request_query_value(r, *name);
        key = value == NULL ? key : arena_printf(request_memory(r), "%s %s=%s", key, *name, value);
    }
    return key;
}

static void answer(request *r, bool csv, const char *tag, const char *body) {
    response_set_header(r, "Cache-Control", "private, no-cache");
    response_set_header(r, "Link",
                        csv ? "</v1/statistics>; rel=\"describedby\"; type=\"application/json\""
                            : "</v1/statistics>; rel=\"describedby\"");
    response_set_etag(r, tag);
    if (csv) {
        respond_csv(r, request_path_value(r, "table"), body, strlen(body));
    } else {
        respond(r, 200, body);
    }
}

/* Whether the caller is blocked, or one of its organisation is. */
static bool is_excluded(request *r) {
    const principal *principal = request_principal(r);
    return principal != NULL &&
           change_version_excludes(request_context(r)->change_version, principal->organisation);
}

/* Answers from memory if what is there still holds. */
static bool answer_known(request *r, const char *key, bool csv) {
    app_context *context = request_context(r);
    char scope[ANSWER_SCOPE_SIZE];
    char version[CHANGE_VERSION_SIZE];
    char *tag = arena_alloc(request_memory(r), ANSWER_TAG_SIZE);
    if (is_excluded(r) || !answer_cache_scope(context->answers, key, scope) ||
        !change_version_read(context->change_version, scope, version) ||
        !answer_cache_tag(context->answers, key, version, tag)) {
        return false;
    }
    if (request_has_etag(r, tag)) {
        answer(r, csv, tag, "");
        return true;
    }
    const char *body = answer_cache_body(context->answers, key, version, tag, request_memory(r));
    if (body != NULL) {
        answer(r, csv, tag, body);
    }
    return body != NULL;
}

static answer_lasts lasts_of(const char *word) {
    return strcmp(word, "release") == 0 ? LASTS_RELEASE
           : strcmp(word, "day") == 0   ? LASTS_DAY
                                        : LASTS_CHANGE;
}

/* Answers without a token come from memory, nearly always; the others have a quota. */
static bool may_ask(request *r) {
    return request_principal(r) != NULL || request_limit_rate(r);
}

static void answer_anew(request *r, const db_call *call, const char *key, bool csv) {
    if (!may_ask(r)) {
        return;
    }
    app_context *context = request_context(r);
    arena *memory = request_memory(r);
    db_error error = {0};
    PGresult *result =
        replica_router_run(context->replicas, request_principal(r), call, &error, memory);
    if (result == NULL) {
        respond_db_error(r, &error);
        return;
    }
    const char *body = csv ? db_text(result, "body", memory) : db_json(result, "body", memory);
    const answer_terms terms = {.scope = db_text(result, "scope", memory),
                                .version = db_text(result, "mark", memory),
                                .lasts = lasts_of(db_text(result, "lasts", memory))};
    PQclear(result);
    const char *tag = response_etag_of(r, body, strlen(body));
    answer_cache_put(context->answers, key, &terms, tag, body);
    answer(r, csv, tag, body);
}

void handle_list_statistics(request *r) {
    const char *key = key_of(r, "", false);
    if (!answer_known(r, key, false)) {
        db_call call = {.statement = statement_list_statistics, .safe_to_repeat = true};
        answer_anew(r, &call, key, false);
    }
}

void handle_get_statistics(request *r) {
    const char *view = request_query_value(r, "view");
    if (request_principal(r) == NULL && view != NULL && strcmp(view, "live") == 0) {
        respond_token_missing(r);
        return;
    }
    const char *table = request_path_value(r, "table");
    bool csv = request_wants_csv(r);
    const char *key = key_of(r, table, csv);
    if (!answer_known(r, key, csv)) {
        db_call call = {.statement = statement_get_statistics,
                        .parameters = {table, filters_text(r), csv ? "true" : "false"},
                        .safe_to_repeat = true};
        answer_anew(r, &call, key, csv);
    }
}

void handle_list_published_reviews(request *r) {
    response_set_header(r, "Cache-Control", "private, max-age=300");
    respond_read_items(r, statement_list_published_reviews, NULL);
}
