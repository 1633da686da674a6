/* Tests of reading a body: the limits of parsing, in every form. */
#include "service/http/request_private.h"

#include "service/memory.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 200000 };

static const config settings = {.public_url = "http://127.0.0.1:8080"};
static app_context context = {.settings = &settings};
static request r;
static contract_pair type = {"Content-Type", NULL};

static void begin(void) {
    r = (request){.memory = arena_new(),
                  .context = &context,
                  .operation = contract_find("pushReferrals"),
                  .raw = {.method = "POST", .headers = &type, .header_count = 1}};
}

static void end(void) {
    json_decref(r.body);
    arena_free(r.memory);
}

TestSuite(body, .init = begin, .fini = end);

/* Reads a body that repeats the piece between an opening and a closing text. */
static bool read_pieces(const char *media_type, const char *open, const char *piece, size_t count,
                        const char *close) {
    size_t length = strlen(piece);
    char *text = arena_alloc(r.memory, strlen(open) + count * length + strlen(close) + 1);
    char *end_of_text = stpcpy(text, open);
    for (size_t i = 0; i < count; i++) {
        end_of_text = stpcpy(end_of_text, piece);
    }
    stpcpy(end_of_text, close);
    type.value = media_type;
    r.raw.body = text;
    r.raw.body_size = strlen(text);
    return request_expect_body(&r) && request_read_body(&r);
}

Test(body, the_maximum_number_of_lines_is_read) {
    cr_assert(read_pieces("application/x-ndjson", "", "1\n", VALUES_MAX, ""));
    cr_expect_eq(json_array_size(r.body), VALUES_MAX);
}

Test(body, one_line_more_is_refused) {
    cr_assert_not(read_pieces("application/x-ndjson", "", "1\n", VALUES_MAX + 1, ""));
    cr_expect_eq(r.status, 400);
    cr_expect_str_eq(r.problem, "malformed_json");
}

Test(body, values_of_all_lines_count_together) {
    cr_expect_not(read_pieces("application/x-ndjson", "", "{}\n", VALUES_MAX, ""));
    cr_expect_null(r.body);
}

Test(body, an_array_of_too_many_values_is_refused) {
    cr_assert_not(read_pieces("application/json", "[", "1,", VALUES_MAX, "1]"));
    cr_expect_str_eq(r.problem, "malformed_json");
}

Test(body, empty_lines_do_not_count) {
    cr_assert(read_pieces("application/x-ndjson", "{}\n", "\n", 3 * VALUES_MAX, "{}"));
    cr_expect_eq(json_array_size(r.body), 2);
}

/* --- the calculated memory of a document --- */

static size_t used, used_max;

static void *count_get(size_t size) {
    void *got = memory_get(size);
    used += malloc_usable_size(got) + sizeof(size_t);
    used_max = used > used_max ? used : used_max;
    return got;
}

static void count_free(void *place) {
    used -= place == NULL ? 0 : malloc_usable_size(place) + sizeof(size_t);
    free(place);
}

/* Fails when parsing takes more memory than was reserved, or much less. */
static void expect_cost(const char *media_type, const char *open, const char *piece, size_t count,
                        const char *close) {
    budget_loan loan = {0};
    context.memory = budget_new((size_t)1 << 30);
    r.loan = &loan;
    used = used_max = 0;
    json_set_alloc_funcs(count_get, count_free);
    bool read = read_pieces(media_type, open, piece, count, close);
    size_t held = loan.bytes;
    json_decref(r.body);
    r.body = NULL;
    json_set_alloc_funcs(malloc, free);
    budget_keep(&loan, 0);
    budget_free(context.memory);
    context.memory = NULL;
    cr_assert(read, "%s", piece);
    cr_expect_leq(used_max, held, "%s: %zu bytes were held, %zu used", piece, held, used_max);
    cr_expect_leq(held, 6 * used_max, "%s: %zu bytes were held, %zu used", piece, held, used_max);
}

Test(body, memory_is_reserved_for_a_document) {
    static const char *const pieces[] = {
        "[],",
        "{},",
        "{\"a\":{}},",
        "1,",
        "1.5,",
        "\"\",",
        "\"a\",",
        "null,",
        "[[[1]]],",
        "{\"a\":\"b\"},",
        "[1,2,3,4,5,6,7,8,9],",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9},",
        "\"a text of some length, as people write it in a form\","};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        expect_cost("application/json", "[", pieces[i], 9000, "1]");
    }
    expect_cost("application/x-ndjson", "", "{}\n", 90000, "");
    expect_cost("application/x-ndjson", "", "[{\"a\":[]}]\n", 20000, "");
}

Test(body, memory_is_reserved_for_an_object_with_many_members) {
    enum { MEMBERS = 60000, MEMBER_MAX = 16 };
    char *members = malloc(MEMBERS * MEMBER_MAX);
    char *at = members;
    for (int i = 0; i < MEMBERS; i++) {
        at += sprintf(at, "\"%d\":1,", i);
    }
    expect_cost("application/json", "{", members, 1, "\"z\":1}");
    free(members);
}

Test(body, without_memory_the_body_is_refused_and_may_be_retried) {
    budget_loan other = {0}, loan = {0};
    context.memory = budget_new(1 << 20);
    cr_assert(budget_take(context.memory, &other, "o", "c", 700000));
    r.loan = &loan;
    cr_expect_not(read_pieces("application/json", "[", "[],", 2000, "[]]"));
    cr_expect_str_eq(r.problem, "overloaded");
    cr_expect_null(r.body);
    budget_keep(&loan, 0);
    budget_keep(&other, 0);
    budget_free(context.memory);
    context.memory = NULL;
}
