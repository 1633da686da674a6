/* Tests of the last step of an answer: entity tags, 304, compression, the headers of every answer.
 */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <string.h>

static const contract_parameter conditional[] = {{.name = "If-None-Match", .in = IN_HEADER}};
static const contract_operation get_case = {
    .id = "getCase", .method = "GET", .parameters = conditional, .parameter_count = 1};
static const contract_operation list_cases = {.id = "listCases", .method = "GET"};
static const contract_operation change_case = {.id = "changeCase", .method = "PATCH"};

static const config settings;
static app_context context = {.settings = &settings};
static request r;
static contract_pair sent[4];

static void begin(void) {
    r = (request){.memory = arena_new(),
                  .context = &context,
                  .operation = &get_case,
                  .request_id = "r-1",
                  .etag = "7"};
    r.raw = (raw_request){.method = "GET", .headers = sent};
    respond(&r, 200, "{\"stage\":\"review\"}");
}

static void end(void) {
    arena_free(r.memory);
}

TestSuite(finish, .init = begin, .fini = end);
TestSuite(expected_version, .init = begin, .fini = end);

static void send_header(const char *name, const char *value) {
    sent[r.raw.header_count++] = (contract_pair){name, value};
}

static const char *answer_header(const char *name) {
    for (size_t i = 0; i < r.header_count; i++) {
        if (strcmp(r.headers[i].name, name) == 0) {
            return r.headers[i].value;
        }
    }
    return NULL;
}

/* Makes an answer that compresses. */
static void answer_at_length(void) {
    char *text = arena_alloc(r.memory, 4001);
    memset(text, 'x', 4000);
    respond(&r, 200, text);
}

/* The tag of the answer as it stands, with the request's headers left out. */
static const char *tag_of_answer(void) {
    request other = r;
    other.raw.header_count = 0;
    other.header_count = 0;
    response_finish(&other);
    for (size_t i = 0; i < other.header_count; i++) {
        if (strcmp(other.headers[i].name, "ETag") == 0) {
            return other.headers[i].value;
        }
    }
    return NULL;
}

Test(finish, given_a_resource_when_read_then_its_tag_is_version_and_hash_in_quotes) {
    response_finish(&r);
    const char *tag = answer_header("ETag");
    cr_assert_not_null(tag);
    cr_expect_eq(strncmp(tag, "\"7-", 3), 0, "%s", tag);
    cr_expect_eq(strlen(tag), 16, "%s", tag);
    cr_expect_eq(tag[15], '"');
}

Test(finish, given_the_same_version_with_other_content_then_the_tag_is_another) {
    const char *first = tag_of_answer();
    respond(&r, 200, "{\"stage\":\"closed\"}");
    cr_expect_str_neq(first, tag_of_answer());
}

Test(finish, given_the_tag_is_known_when_read_then_the_answer_is_304_without_a_body) {
    send_header("if-none-match", tag_of_answer());
    response_finish(&r);
    cr_expect_eq(r.status, 304);
    cr_expect_eq(r.response_size, 0);
    cr_expect_not_null(answer_header("ETag"));
    cr_expect_null(answer_header("Content-Type"));
}

Test(finish, given_the_tag_is_known_in_its_weak_form_when_read_then_the_answer_is_304) {
    send_header("If-None-Match", arena_printf(r.memory, "W/%s", tag_of_answer()));
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(finish, given_a_star_when_read_then_the_answer_is_304) {
    send_header("If-None-Match", "*");
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(finish, given_another_tag_when_read_then_the_answer_is_whole) {
    send_header("If-None-Match", "\"7-AAAAAAAAAAAA\"");
    response_finish(&r);
    cr_expect_eq(r.status, 200);
    cr_expect_gt(r.response_size, 0);
}

Test(finish, given_the_tag_without_its_quotes_when_read_then_the_answer_is_whole) {
    const char *tag = tag_of_answer();
    send_header("If-None-Match", arena_strndup(r.memory, tag + 1, strlen(tag) - 2));
    response_finish(&r);
    cr_expect_eq(r.status, 200);
}

Test(finish, given_a_head_request_with_a_known_tag_then_the_answer_is_304) {
    send_header("If-None-Match", tag_of_answer());
    r.raw.method = "HEAD";
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(finish, given_an_operation_without_conditions_when_read_then_there_is_no_tag) {
    r.operation = &list_cases;
    response_finish(&r);
    cr_expect_null(answer_header("ETag"));
}

Test(finish, given_a_refusal_then_it_has_no_tag_and_is_never_304) {
    respond(&r, 404, "{}");
    send_header("If-None-Match", "*");
    response_finish(&r);
    cr_expect_eq(r.status, 404);
    cr_expect_null(answer_header("ETag"));
}

Test(finish, given_a_change_then_its_answer_has_the_new_tag_and_is_never_304) {
    r.operation = &change_case;
    r.raw.method = "PATCH";
    send_header("If-None-Match", "*");
    response_finish(&r);
    cr_expect_eq(r.status, 200);
    cr_expect_not_null(answer_header("ETag"));
}

Test(finish, given_gzip_is_accepted_when_the_answer_is_long_then_it_is_compressed) {
    answer_at_length();
    send_header("Accept-Encoding", "gzip, deflate");
    response_finish(&r);
    cr_expect_str_eq(answer_header("Content-Encoding"), "gzip");
    cr_expect_lt(r.response_size, 4000);
}

/* The tag that a compressed answer has instead of this one. */
static const char *compressed_tag(const char *tag) {
    return arena_printf(r.memory, "%.*s.gz\"", (int)strlen(tag) - 1, tag);
}

Test(finish, given_a_compressed_answer_then_it_has_a_strong_tag_of_its_own) {
    answer_at_length();
    const char *plain = tag_of_answer();
    send_header("Accept-Encoding", "gzip");
    response_finish(&r);
    cr_expect_str_eq(answer_header("ETag"), compressed_tag(plain));
}

Test(finish, given_the_tag_of_a_compressed_answer_when_read_again_then_the_answer_is_304) {
    answer_at_length();
    send_header("Accept-Encoding", "gzip");
    send_header("If-None-Match", compressed_tag(tag_of_answer()));
    response_finish(&r);
    cr_expect_eq(r.status, 304);
    cr_expect_eq(r.response_size, 0);
    cr_expect_null(answer_header("Content-Encoding"));
}

Test(finish, given_the_tag_among_others_when_read_then_the_answer_is_304) {
    send_header("If-None-Match", arena_printf(r.memory, "\"1-a\", %s", tag_of_answer()));
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(expected_version, given_the_tag_of_a_compressed_answer_then_its_version_is_expected) {
    send_header("If-Match", "\"12-AbCdEfGhIjKl.gz\"");
    cr_expect_str_eq(request_expected_version(&r), "12");
}

Test(finish, given_gzip_is_not_accepted_then_the_answer_is_plain_and_its_tag_strong) {
    answer_at_length();
    response_finish(&r);
    cr_expect_null(answer_header("Content-Encoding"));
    cr_expect_eq(answer_header("ETag")[0], '"');
    cr_expect_eq(r.response_size, 4000);
}

Test(finish, given_gzip_is_refused_by_weight_then_the_answer_is_plain) {
    answer_at_length();
    send_header("Accept-Encoding", "gzip;q=0");
    response_finish(&r);
    cr_expect_null(answer_header("Content-Encoding"));
}

Test(finish, given_a_short_answer_then_it_is_not_compressed) {
    send_header("Accept-Encoding", "gzip");
    response_finish(&r);
    cr_expect_null(answer_header("Content-Encoding"));
}

Test(finish, given_any_answer_then_the_headers_of_all_answers_are_there) {
    response_finish(&r);
    cr_expect_str_eq(answer_header("X-Request-Id"), "r-1");
    cr_expect_str_eq(answer_header("X-Content-Type-Options"), "nosniff");
    cr_expect_str_eq(answer_header("Cache-Control"), "no-store");
    cr_expect_not_null(answer_header("Vary"));
}

Test(finish, given_a_handler_that_set_cache_control_then_it_is_left_alone) {
    response_set_header(&r, "Cache-Control", "private, max-age=300");
    response_finish(&r);
    cr_expect_str_eq(answer_header("Cache-Control"), "private, max-age=300");
}

Test(finish, given_the_service_drains_then_the_connection_is_told_to_close) {
    atomic_store(&context.draining, true);
    response_finish(&r);
    cr_expect_str_eq(answer_header("Connection"), "close");
}

Test(finish, given_the_service_does_not_drain_then_the_connection_stays) {
    response_finish(&r);
    cr_expect_null(answer_header("Connection"));
}

Test(expected_version, given_a_tag_of_ours_then_its_version_is_expected) {
    send_header("If-Match", "\"12-AbCdEfGhIjKl\"");
    cr_expect_str_eq(request_expected_version(&r), "12");
}

Test(expected_version, given_a_tag_that_is_none_of_ours_then_no_version_can_fit) {
    static const char *const tags[] = {"",        "\"\"",   "12",
                                       "\"x-1\"", "\"-1\"", "\"1234567890123456789-a\""};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        r.raw.header_count = 0;
        send_header("If-Match", tags[i]);
        cr_expect_str_eq(request_expected_version(&r), "0", "%s", tags[i]);
    }
}

Test(expected_version, given_an_operation_without_the_header_then_no_version_is_expected) {
    cr_expect_null(request_expected_version(&r));
}

Test(expected_version, given_the_contract_asks_for_a_tag_and_none_is_sent_then_it_is_missing) {
    static const contract_parameter precondition[] = {{.name = "If-Match", .in = IN_HEADER}};
    static const contract_operation change = {
        .id = "changeCase", .method = "PATCH", .parameters = precondition, .parameter_count = 1};
    r.operation = &change;
    cr_expect_str_eq(request_expected_version(&r), "-1");
}
