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

static const contract_operation old_read = {.id = "getOld",
                                            .method = "GET",
                                            .deprecation = "@1796083200",
                                            .sunset = "Wed, 01 Dec 2027 00:00:00 GMT"};

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

/* Makes a long answer, which is compressed. */
static void answer_at_length(void) {
    char *text = arena_alloc(r.memory, 4001);
    memset(text, 'x', 4000);
    respond(&r, 200, text);
}

/* The tag of the present answer, without the request's headers. */
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

Test(finish, a_tag_is_version_and_hash_in_quotes) {
    response_finish(&r);
    const char *tag = answer_header("ETag");
    cr_assert_not_null(tag);
    cr_expect_eq(strncmp(tag, "\"7-", 3), 0, "%s", tag);
    cr_expect_eq(strlen(tag), 16, "%s", tag);
    cr_expect_eq(tag[15], '"');
}

Test(finish, other_content_of_the_same_version_has_another_tag) {
    const char *first = tag_of_answer();
    respond(&r, 200, "{\"stage\":\"closed\"}");
    cr_expect_str_neq(first, tag_of_answer());
}

Test(finish, a_known_tag_gets_304_without_a_body) {
    send_header("if-none-match", tag_of_answer());
    response_finish(&r);
    cr_expect_eq(r.status, 304);
    cr_expect_eq(r.response_size, 0);
    cr_expect_not_null(answer_header("ETag"));
    cr_expect_null(answer_header("Content-Type"));
}

Test(finish, a_known_tag_in_weak_form_gets_304) {
    send_header("If-None-Match", arena_printf(r.memory, "W/%s", tag_of_answer()));
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(finish, a_star_gets_304) {
    send_header("If-None-Match", "*");
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(finish, another_tag_gets_the_whole_answer) {
    send_header("If-None-Match", "\"7-AAAAAAAAAAAA\"");
    response_finish(&r);
    cr_expect_eq(r.status, 200);
    cr_expect_gt(r.response_size, 0);
}

Test(finish, a_tag_without_quotes_gets_the_whole_answer) {
    const char *tag = tag_of_answer();
    send_header("If-None-Match", arena_strndup(r.memory, tag + 1, strlen(tag) - 2));
    response_finish(&r);
    cr_expect_eq(r.status, 200);
}

Test(finish, a_head_request_with_a_known_tag_gets_304) {
    send_header("If-None-Match", tag_of_answer());
    r.raw.method = "HEAD";
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(finish, an_operation_without_conditions_has_no_tag) {
    r.operation = &list_cases;
    response_finish(&r);
    cr_expect_null(answer_header("ETag"));
}

Test(finish, a_refusal_has_no_tag_and_is_never_304) {
    respond(&r, 404, "{}");
    send_header("If-None-Match", "*");
    response_finish(&r);
    cr_expect_eq(r.status, 404);
    cr_expect_null(answer_header("ETag"));
}

Test(finish, the_answer_to_a_change_has_the_new_tag_and_is_never_304) {
    r.operation = &change_case;
    r.raw.method = "PATCH";
    send_header("If-None-Match", "*");
    response_finish(&r);
    cr_expect_eq(r.status, 200);
    cr_expect_not_null(answer_header("ETag"));
}

Test(finish, a_long_answer_is_compressed_when_gzip_is_accepted) {
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

Test(finish, a_compressed_answer_has_its_own_strong_tag) {
    answer_at_length();
    const char *plain = tag_of_answer();
    send_header("Accept-Encoding", "gzip");
    response_finish(&r);
    cr_expect_str_eq(answer_header("ETag"), compressed_tag(plain));
}

Test(finish, the_tag_of_a_compressed_answer_gets_304) {
    answer_at_length();
    send_header("Accept-Encoding", "gzip");
    send_header("If-None-Match", compressed_tag(tag_of_answer()));
    response_finish(&r);
    cr_expect_eq(r.status, 304);
    cr_expect_eq(r.response_size, 0);
    cr_expect_null(answer_header("Content-Encoding"));
}

Test(finish, a_tag_among_others_gets_304) {
    send_header("If-None-Match", arena_printf(r.memory, "\"1-a\", %s", tag_of_answer()));
    response_finish(&r);
    cr_expect_eq(r.status, 304);
}

Test(expected_version, the_tag_of_a_compressed_answer_has_the_same_version) {
    send_header("If-Match", "\"12-AbCdEfGhIjKl.gz\"");
    cr_expect_str_eq(request_expected_version(&r), "12");
}

Test(finish, without_gzip_the_answer_is_plain_and_its_tag_strong) {
    answer_at_length();
    response_finish(&r);
    cr_expect_null(answer_header("Content-Encoding"));
    cr_expect_eq(answer_header("ETag")[0], '"');
    cr_expect_eq(r.response_size, 4000);
}

Test(finish, gzip_with_weight_zero_gets_a_plain_answer) {
    answer_at_length();
    send_header("Accept-Encoding", "gzip;q=0");
    response_finish(&r);
    cr_expect_null(answer_header("Content-Encoding"));
}

Test(finish, a_short_answer_is_not_compressed) {
    send_header("Accept-Encoding", "gzip");
    response_finish(&r);
    cr_expect_null(answer_header("Content-Encoding"));
}

Test(finish, every_answer_has_the_common_headers) {
    response_finish(&r);
    cr_expect_str_eq(answer_header("X-Request-Id"), "r-1");
    cr_expect_str_eq(answer_header("X-Content-Type-Options"), "nosniff");
    cr_expect_str_eq(answer_header("Cache-Control"), "no-store");
    cr_expect_not_null(answer_header("Vary"));
}

Test(finish, cache_control_of_the_handler_is_kept) {
    response_set_header(&r, "Cache-Control", "private, max-age=300");
    response_finish(&r);
    cr_expect_str_eq(answer_header("Cache-Control"), "private, max-age=300");
}

Test(finish, a_draining_service_closes_the_connection) {
    atomic_store(&context.draining, true);
    response_finish(&r);
    cr_expect_str_eq(answer_header("Connection"), "close");
}

Test(finish, a_service_that_does_not_drain_keeps_the_connection) {
    response_finish(&r);
    cr_expect_null(answer_header("Connection"));
}

Test(expected_version, the_version_of_a_tag_is_expected) {
    send_header("If-Match", "\"12-AbCdEfGhIjKl\"");
    cr_expect_str_eq(request_expected_version(&r), "12");
}

Test(expected_version, an_unknown_tag_matches_no_version) {
    static const char *const tags[] = {"",        "\"\"",   "12",
                                       "\"x-1\"", "\"-1\"", "\"1234567890123456789-a\""};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        r.raw.header_count = 0;
        send_header("If-Match", tags[i]);
        cr_expect_str_eq(request_expected_version(&r), "0", "%s", tags[i]);
    }
}

Test(expected_version, an_operation_without_the_header_expects_no_version) {
    cr_expect_null(request_expected_version(&r));
}

Test(expected_version, a_required_tag_that_is_not_sent_is_missing) {
    static const contract_parameter precondition[] = {{.name = "If-Match", .in = IN_HEADER}};
    static const contract_operation change = {
        .id = "changeCase", .method = "PATCH", .parameters = precondition, .parameter_count = 1};
    r.operation = &change;
    cr_expect_str_eq(request_expected_version(&r), "-1");
}

Test(finish, a_deprecated_operation_says_since_when_and_until_when) {
    response_finish(&r);
    cr_expect_null(answer_header("Deprecation"));
    cr_expect_null(answer_header("Sunset"));
    r.header_count = 0;
    r.operation = &old_read;
    response_finish(&r);
    cr_expect_str_eq(answer_header("Deprecation"), "@1796083200");
    cr_expect_str_eq(answer_header("Sunset"), "Wed, 01 Dec 2027 00:00:00 GMT");
    cr_expect_str_eq(answer_header("Link"), "</docs/guide#versioning>; rel=\"deprecation sunset\"");
}

Test(finish, a_page_of_a_deprecated_list_keeps_its_own_link) {
    r.operation = &old_read;
    response_set_header(&r, "Link", "<http://a/b?cursor=c>; rel=\"next\"");
    response_finish(&r);
    cr_expect_str_eq(answer_header("Link"), "<http://a/b?cursor=c>; rel=\"next\", "
                                            "</docs/guide#versioning>; rel=\"deprecation sunset\"");
}
