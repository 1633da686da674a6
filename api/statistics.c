/* Statistics: answered from memory while nothing changed that they depend on. */
#include "contract_handlers.h"
#include "service/answer_cache.h"
#include "service/db/change_watch.h"
#include "service/http/exchange.h"

#include <stdlib.h>
#include <string.h>

static const char *const filter_names[] = {"view", "committee", "period_type", "from",
                                           "to",   "breakdown", "release",     NULL};

/* The parameters of the request as the database expects them. */
static const char *filters_text(exchange *x) {
    json_t *filters = json_object();
    for (const char *const *name = filter_names; *name != NULL; name++) {
        if (exchange_query_value(x, *name) != NULL) {
            json_object_set_new(filters, *name, json_string(exchange_query_value(x, *name)));
        }
    }
    char *text = json_dumps(filters, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = arena_strdup(exchange_memory(x), text == NULL ? "{}" : text);
    free(text);
    json_decref(filters);
    return copy;
}

static bool wants_csv(const exchange *x) {
    return strcmp(exchange_media_type(x), "text/csv") == 0;
}

/* The cache has a key per caller, because the database decides what each caller can see. */
static const char *key_of(exchange *x, const char *table, bool csv) {
    const principal *who = exchange_principal(x);
    const char *key = arena_printf(exchange_memory(x), "%s %d%d%d %s", who->organisation,
                                   principal_has_scope(who, "statistics.read"),
                                   principal_has_scope(who, "statistics.unsuppressed"), csv, table);
    for (const char *const *name = filter_names; *name != NULL; name++) {
        const char *value = exchange_query_value(x, *name);
        key = value == NULL ? key : arena_printf(exchange_memory(x), "%s %s=%s", key, *name, value);
    }
    return key;
}

static void answer(exchange *x, bool csv, const char *tag, const char *body) {
    exchange_set_header(x, "Cache-Control", "private, no-cache");
    exchange_set_header(x, "Link",
                        csv ? "</v1/statistics>; rel=\"describedby\"; type=\"application/json\""
                            : "</v1/statistics>; rel=\"describedby\"");
    exchange_set_tag(x, tag);
    exchange_answer_bytes(x, csv ? "text/csv; charset=utf-8" : "application/json", body,
                          strlen(body));
}

/* Answers from memory if what is there still holds. */
static bool answer_known(exchange *x, const char *key, bool csv) {
    service *shared = exchange_service(x);
    char scope[ANSWER_SCOPE_SIZE];
    char mark[CHANGE_MARK_SIZE];
    char *tag = arena_alloc(exchange_memory(x), ANSWER_TAG_SIZE);
    if (change_watch_excludes(shared->counted, exchange_principal(x)->organisation) ||
        !answer_cache_scope(shared->answers, key, scope) ||
        !change_watch_mark(shared->counted, scope, mark) ||
        !answer_cache_tag(shared->answers, key, mark, tag)) {
        return false;
    }
    if (exchange_knows(x, tag)) {
        answer(x, csv, tag, "");
        return true;
    }
    const char *body = answer_cache_body(shared->answers, key, mark, tag, exchange_memory(x));
    if (body != NULL) {
        answer(x, csv, tag, body);
    }
    return body != NULL;
}

static answer_lasts lasts_of(const char *word) {
    return strcmp(word, "release") == 0 ? LASTS_RELEASE
           : strcmp(word, "day") == 0   ? LASTS_DAY
                                        : LASTS_CHANGE;
}

static void answer_anew(exchange *x, const db_call *call, const char *key, bool csv) {
    service *shared = exchange_service(x);
    arena *memory = exchange_memory(x);
    db_error error = {0};
    PGresult *result = reads_run(shared->reads, exchange_principal(x), call, &error, memory);
    if (result == NULL) {
        exchange_refuse_error(x, &error);
        return;
    }
    const char *body = db_text(result, "body", memory);
    const answer_terms terms = {.scope = db_text(result, "scope", memory),
                                .mark = db_text(result, "mark", memory),
                                .lasts = lasts_of(db_text(result, "lasts", memory))};
    PQclear(result);
    const char *tag = exchange_tag_of(x, body, strlen(body));
    answer_cache_put(shared->answers, key, &terms, tag, body);
    answer(x, csv, tag, body);
}

void list_statistics(exchange *x) {
    const char *key = key_of(x, "", false);
    if (!answer_known(x, key, false)) {
        db_call call = {.what = statement_list_statistics, .safe_to_repeat = true};
        answer_anew(x, &call, key, false);
    }
}

void get_statistics(exchange *x) {
    const char *table = exchange_path_value(x, "table");
    bool csv = wants_csv(x);
    const char *key = key_of(x, table, csv);
    if (!answer_known(x, key, csv)) {
        db_call call = {.what = statement_get_statistics,
                        .parameters = {table, filters_text(x), csv ? "true" : "false"},
                        .safe_to_repeat = true};
        answer_anew(x, &call, key, csv);
    }
}

void list_published_reviews(exchange *x) {
    exchange_set_header(x, "Cache-Control", "private, max-age=300");
    exchange_read_items(x, statement_list_published_reviews, NULL);
}
