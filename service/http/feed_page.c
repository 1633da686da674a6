/* Pages of the change feed, and of the snapshot with which a new consumer starts. */
#include "service/http/long_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_LIMIT = 100 };

static const char *const feed_list = "feed";
static const char *const cloud_type = "application/cloudevents-batch+json";

static bool wants_cloud(const request *r) {
    return strcmp(request_media_type(r), cloud_type) == 0;
}

static int query_number(const request *r, const char *name, int fallback) {
    const char *text = request_query_value(r, name);
    return text == NULL ? fallback : (int)strtol(text, NULL, 10);
}

/* Reads the query's position from which to continue; NULL means the start. Returns false when it
 * refused the request. */
static bool read_position(request *r, const char *list, const char **position) {
    const char *after = request_query_value(r, "after");
    *position = after == NULL ? NULL : cursor_read_for(r, list, after, r->principal.client);
    if (after == NULL || *position != NULL) {
        return true;
    }
    violation_list faults = violation_list_make(r->memory);
    violation_add(&faults, PLACE_QUERY, "after", "invalid_cursor",
                  "is not a position that this client was given here");
    respond_violations(r, "invalid_cursor", &faults);
    return false;
}

/* Returns the address at which to continue: the same query with another position. */
static const char *next_url(request *r, const char *path, const char *cursor) {
    const char *limit = request_query_value(r, "limit");
    const char *wait = request_query_value(r, "wait");
    const char *url =
        arena_printf(r->memory, "%s%s?after=%s", r->context->settings->public_url, path, cursor);
    url = limit == NULL ? url : arena_printf(r->memory, "%s&limit=%s", url, limit);
    return wait == NULL ? url : arena_printf(r->memory, "%s&wait=%s", url, wait);
}

/* A batch of CloudEvents ends with an event that gives the position to continue from: the format
 * has no other member for it. */
static const char *cloud_batch(request *r, const char *items, const char *next, const char *cursor,
                               bool more) {
    const char *last =
        arena_printf(r->memory,
                     "{\"specversion\":\"1.0\",\"id\":\"position-%s\",\"source\":\"%s\","
                     "\"type\":\"learning-reviews.feed.position\",\"datacontenttype\":"
                     "\"application/json\",\"data\":{\"next\":\"%s\",\"more\":%s}}",
                     cursor, r->path, next, more ? "true" : "false");
    size_t length = strlen(items) - 1; /* without the closing bracket */
    return arena_printf(r->memory, "%.*s%s%s]", (int)length, items, length > 1 ? "," : "", last);
}

static void answer_page(request *r, const char *path, const char *items, const char *cursor,
                        bool more, bool cloud) {
    const char *next = next_url(r, path, cursor);
    const char *body = cloud ? cloud_batch(r, items, next, cursor, more)
                             : arena_printf(r->memory, "{\"items\":%s,\"next\":\"%s\",\"more\":%s}",
                                            items, next, more ? "true" : "false");
    respond_bytes(r, cloud ? cloud_type : "application/json", body, strlen(body));
}

/* The query for one page. */
typedef struct page_query {
    request *r;
    const statement *statement;
    const char *parameters[4];
} page_query;

/* Returns false when it answered with a problem: nothing is known about the feed yet. */
static bool make_query(request *r, const statement *statement, const char *position, int64_t safe,
                       page_query *query) {
    if (safe < 0) {
        respond_problem(r, "database_unavailable", NULL);
        return false;
    }
    const char *limit = request_query_value(r, "limit");
    *query = (page_query){
        .r = r,
        .statement = statement,
        .parameters = {position, limit == NULL ? arena_printf(r->memory, "%d", PAGE_LIMIT) : limit,
                       arena_printf(r->memory, "%lld", (long long)safe),
                       wants_cloud(r) ? "true" : "false"}};
    return true;
}

/* Returns the row, or NULL when it answered with a problem. */
static PGresult *run_query(void *context) {
    const page_query *query = context;
    return run_read(query->r, query->statement, query->parameters);
}

/* Everything on which the page depends, in addition to the data up to `safe`. A token's id comes
 * last: of all parts it alone may contain the separator. */
static const char *key_of(const page_query *query) {
    const principal *caller = &query->r->principal;
    const char *position = query->parameters[0];
    return arena_printf(query->r->memory, "%s\n%s\n%s\n%s\n%s\n%s\n%s\n%s", caller->organisation,
                        caller->client, caller->scopes, query->parameters[1], query->parameters[2],
                        query->parameters[3], position == NULL ? "" : position, caller->token_id);
}

static bool is_true(const PGresult *row, const char *column) {
    return *PQgetvalue(row, 0, PQfnumber(row, column)) == 't';
}

/* Answers with the row's page. Returns the topics to wait for; NULL when the page has events. */
static const char *answer_row(request *r, const PGresult *row) {
    const char *items = db_json(row, "items", r->memory);
    const char *cursor =
        cursor_make_for(r, feed_list, db_text(row, "onward", r->memory), r->principal.client);
    answer_page(r, r->path, items, cursor, is_true(row, "more"), wants_cloud(r));
    return strcmp(items, "[]") == 0 ? db_text(row, "topics", r->memory) : NULL;
}

/* Reads once. Returns whether to read again at once. */
static bool read_feed_once(request *r, const statement *statement, const char *position) {
    int64_t safe = feed_safe(r->context->changes);
    page_query query;
    if (!make_query(r, statement, position, safe, &query)) {
        return false;
    }
    shared_reads *pages = r->context->feed_pages;
    shared_read *page = shared_reads_take(pages, &(shared_question){.key = key_of(&query),
                                                                    .version = safe,
                                                                    .asked_us = r->started_us,
                                                                    .run = run_query,
                                                                    .context = &query});
    if (page == NULL) {
        if (r->status == 0) {
            respond_problem(r, "overloaded", NULL);
        }
        return false;
    }
    const char *topics = answer_row(r, shared_read_result(page));
    shared_reads_give(pages, page);
    return topics != NULL &&
           long_poll_wait(r, query_number(r, "wait", 0), topics, safe) == LONG_POLL_READ_AGAIN;
}

void respond_feed(request *r, const statement *statement) {
    const char *position;
    if (read_position(r, feed_list, &position)) {
        while (read_feed_once(r, statement, position)) {
        }
    }
}

void respond_snapshot(request *r, const statement *statement, const char *feed_path) {
    const char *position;
    page_query query;
    if (!read_position(r, r->operation->id, &position) ||
        !make_query(r, statement, position, feed_safe(r->context->changes), &query)) {
        return;
    }
    PGresult *row = run_query(&query);
    if (row == NULL) {
        return;
    }
    const char *items = db_json(row, "items", r->memory);
    const char *onward = db_text(row, "onward", r->memory);
    bool is_last = is_true(row, "feed");
    PQclear(row);
    const char *cursor =
        cursor_make_for(r, is_last ? feed_list : r->operation->id, onward, r->principal.client);
    answer_page(r, is_last ? feed_path : r->path, items, cursor, !is_last, wants_cloud(r));
}
