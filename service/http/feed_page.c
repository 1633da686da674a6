/* Pages of the change feed and of the snapshot that a new consumer starts with. */
#include "service/http/park.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_LIMIT = 100 };

static const char *const feed_list = "feed";
static const char *const cloud_type = "application/cloudevents-batch+json";

static bool wants_cloud(const exchange *x) {
    return strcmp(exchange_media_type(x), cloud_type) == 0;
}

static int query_number(const exchange *x, const char *name, int fallback) {
    const char *text = exchange_query_value(x, name);
    return text == NULL ? fallback : (int)strtol(text, NULL, 10);
}

/* Reads the position that the query asks to go on from; NULL for the start. Returns false when it
 * refused. */
static bool read_position(exchange *x, const char *list, const char **position) {
    const char *after = exchange_query_value(x, "after");
    *position = after == NULL ? NULL : cursor_read_for(x, list, after, x->who.client);
    if (after == NULL || *position != NULL) {
        return true;
    }
    violation_list faults = violation_list_make(x->memory);
    violation_add(&faults, PLACE_QUERY, "after", "invalid_cursor",
                  "is not a position that this client was given here");
    exchange_refuse_violations(x, "invalid_cursor", &faults);
    return false;
}

/* The address to go on at: the same query with another position. */
static const char *next_url(exchange *x, const char *path, const char *cursor) {
    const char *limit = exchange_query_value(x, "limit");
    const char *wait = exchange_query_value(x, "wait");
    const char *url =
        arena_printf(x->memory, "%s%s?after=%s", x->shared->settings->public_url, path, cursor);
    url = limit == NULL ? url : arena_printf(x->memory, "%s&limit=%s", url, limit);
    return wait == NULL ? url : arena_printf(x->memory, "%s&wait=%s", url, wait);
}

/* A batch of CloudEvents ends with an event that says where to go on: there is no other place. */
static const char *cloud_batch(exchange *x, const char *items, const char *next, const char *cursor,
                               bool more) {
    const char *last =
        arena_printf(x->memory,
                     "{\"specversion\":\"1.0\",\"id\":\"position-%s\",\"source\":\"%s\","
                     "\"type\":\"learning-reviews.feed.position\",\"datacontenttype\":"
                     "\"application/json\",\"data\":{\"next\":\"%s\",\"more\":%s}}",
                     cursor, x->path, next, more ? "true" : "false");
    size_t length = strlen(items) - 1; /* without the closing bracket */
    return arena_printf(x->memory, "%.*s%s%s]", (int)length, items, length > 1 ? "," : "", last);
}

static void answer_page(exchange *x, const char *path, const char *items, const char *cursor,
                        bool more, bool cloud) {
    const char *next = next_url(x, path, cursor);
    const char *body = cloud ? cloud_batch(x, items, next, cursor, more)
                             : arena_printf(x->memory, "{\"items\":%s,\"next\":\"%s\",\"more\":%s}",
                                            items, next, more ? "true" : "false");
    exchange_answer_bytes(x, cloud ? cloud_type : "application/json", body, strlen(body));
}

/* Reads one row of the statement; false when it answered with a problem. */
static PGresult *read_row(exchange *x, const statement *what, const char *position, int64_t safe,
                          bool cloud) {
    if (safe < 0) {
        exchange_refuse(x, "database_unavailable", NULL);
        return NULL;
    }
    const char *limit = exchange_query_value(x, "limit");
    return exchange_run_read(
        x, what,
        (const char *[]){
            position, limit == NULL ? arena_printf(x->memory, "%d", PAGE_LIMIT) : limit,
            arena_printf(x->memory, "%lld", (long long)safe), cloud ? "true" : "false"});
}

static bool is_true(const PGresult *row, const char *column) {
    return *PQgetvalue(row, 0, PQfnumber(row, column)) == 't';
}

/* Reads once. Returns whether to read again at once. */
static bool read_feed_once(exchange *x, const statement *what, const char *position) {
    bool cloud = wants_cloud(x);
    int64_t safe = feed_safe(x->shared->changes);
    PGresult *row = read_row(x, what, position, safe, cloud);
    if (row == NULL) {
        return false;
    }
    const char *items = db_text(row, "items", x->memory);
    const char *topics = db_text(row, "topics", x->memory);
    const char *cursor =
        cursor_make_for(x, feed_list, db_text(row, "onward", x->memory), x->who.client);
    bool more = is_true(row, "more");
    PQclear(row);
    answer_page(x, x->path, items, cursor, more, cloud);
    if (strcmp(items, "[]") != 0) {
        return false;
    }
    return park_request(x, query_number(x, "wait", 0), topics, safe) == PARK_AGAIN;
}

void exchange_read_feed(exchange *x, const statement *what) {
    const char *position;
    if (read_position(x, feed_list, &position)) {
        while (read_feed_once(x, what, position)) {
        }
    }
}

void exchange_read_snapshot(exchange *x, const statement *what, const char *feed_path) {
    const char *position;
    bool cloud = wants_cloud(x);
    if (!read_position(x, x->operation->id, &position)) {
        return;
    }
    PGresult *row = read_row(x, what, position, feed_safe(x->shared->changes), cloud);
    if (row == NULL) {
        return;
    }
    const char *items = db_text(row, "items", x->memory);
    const char *onward = db_text(row, "onward", x->memory);
    bool is_last = is_true(row, "feed");
    PQclear(row);
    const char *cursor =
        cursor_make_for(x, is_last ? feed_list : x->operation->id, onward, x->who.client);
    answer_page(x, is_last ? feed_path : x->path, items, cursor, !is_last, cloud);
}
