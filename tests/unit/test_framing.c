/* Tests of the check for requests that two programs could read in two ways. */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PAIRS_MAX = 128 };

static const char *fault_of(const contract_pair *headers, size_t count, const char *protocol,
                            const char *target) {
    raw_request request = {.method = "POST",
                           .target = target,
                           .protocol = protocol,
                           .headers = headers,
                           .header_count = count};
    return framing_fault(&request);
}

/* The headers end with a pair without a name. */
static const char *fault(const contract_pair *headers) {
    size_t count = 0;
    while (headers[count].name != NULL) {
        count++;
    }
    return fault_of(headers, count, "HTTP/1.1", "/v1/referrals");
}

#define HEADERS(...) ((contract_pair[]){__VA_ARGS__, {NULL, NULL}})

Test(framing, a_request_with_a_length_is_accepted) {
    cr_expect_null(fault(HEADERS({"Host", "x"}, {"Content-Length", "12"},
                                 {"Content-Type", "application/json; charset=utf-8"},
                                 {"Authorization", "Bearer a.b.c"},
                                 {"Accept", "application/json, */*;q=0.1"})));
}

Test(framing, a_chunked_request_is_accepted) {
    cr_expect_null(fault(HEADERS({"Host", "x"}, {"Transfer-Encoding", "chunked"})));
    cr_expect_null(fault(HEADERS({"Host", "x"}, {"transfer-encoding", "Chunked"})));
}

Test(framing, a_length_with_a_transfer_encoding_is_refused) {
    cr_expect_not_null(fault(HEADERS({"Content-Length", "5"}, {"Transfer-Encoding", "chunked"})));
    cr_expect_not_null(fault(HEADERS({"transfer-encoding", "chunked"}, {"content-length", "0"})));
}

Test(framing, two_lengths_are_refused) {
    cr_expect_not_null(fault(HEADERS({"Content-Length", "5"}, {"Content-Length", "6"})));
    cr_expect_not_null(fault(HEADERS({"Content-Length", "5"}, {"content-length", "5"})));
}

Test(framing, lengths_joined_by_a_comma_are_refused) {
    cr_expect_not_null(fault(HEADERS({"Content-Length", "5,5"})));
    cr_expect_not_null(fault(HEADERS({"Content-Length", "5, 6"})));
}

Test(framing, a_length_that_is_not_a_number_is_refused) {
    static const char *const lengths[] = {"", "+5", "-1", "0x10", "5 ", " 5", "5a", "1e3", "5;6"};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        cr_expect_not_null(fault(HEADERS({"Content-Length", lengths[i]})), "%s", lengths[i]);
    }
}

Test(framing, a_transfer_encoding_other_than_chunked_is_refused) {
    static const char *const codings[] = {"xchunked",
                                          "chunkedx",
                                          "identity",
                                          "gzip",
                                          "",
                                          " chunked",
                                          "chunked ",
                                          "chunked;a",
                                          ("\x0b"
                                           "chunked")};
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        cr_expect_not_null(fault(HEADERS({"Transfer-Encoding", codings[i]})), "%s", codings[i]);
    }
}

Test(framing, several_transfer_encodings_are_refused) {
    cr_expect_not_null(fault(HEADERS({"Transfer-Encoding", "gzip, chunked"})));
    cr_expect_not_null(
        fault(HEADERS({"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "identity"})));
}

Test(framing, a_transfer_encoding_in_http_1_0_is_refused) {
    contract_pair headers[] = {{"Transfer-Encoding", "chunked"}};
    cr_expect_not_null(fault_of(headers, 1, "HTTP/1.0", "/v1/referrals"));
}

Test(framing, http_1_0_with_a_length_is_accepted) {
    contract_pair headers[] = {{"Content-Length", "3"}};
    cr_expect_null(fault_of(headers, 1, "HTTP/1.0", "/v1/referrals"));
}

Test(framing, a_space_before_the_colon_is_refused) {
    cr_expect_not_null(fault(HEADERS({"Content-Length ", "5"})));
    cr_expect_not_null(fault(HEADERS({"Transfer-Encoding\t", "chunked"})));
}

Test(framing, a_name_that_is_not_a_token_is_refused) {
    static const char *const names[] = {"",    "a b",         " a",  "a\x01", "a(b)",
                                        "a/b", "caf\xc3\xa9", "a\r", "{a}"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_expect_not_null(fault(HEADERS({names[i], "1"})), "%s", names[i]);
    }
}

Test(framing, a_name_of_all_token_characters_is_accepted) {
    cr_expect_null(fault(HEADERS({"!#$%&'*+-.^_`|~09azAZ", "1"})));
}

Test(framing, a_second_authorization_in_another_case_is_refused) {
    cr_expect_not_null(
        fault(HEADERS({"Authorization", "Bearer a"}, {"AUTHORIZATION", "Bearer b"})));
}

Test(framing, authorization_joined_by_a_comma_is_refused) {
    cr_expect_not_null(fault(HEADERS({"Authorization", "Bearer a,Bearer b"})));
}

Test(framing, a_repeated_single_field_is_refused) {
    static const char *const names[] = {"Host", "Content-Type", "Idempotency-Key",
                                        "Content-Encoding"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        cr_expect_not_null(fault(HEADERS({names[i], "a"}, {names[i], "a"})), "%s", names[i]);
    }
}

Test(framing, a_list_of_entity_tags_is_accepted) {
    cr_expect_null(fault(HEADERS({"If-None-Match", "\"1-a\", \"2-b\""})));
}

Test(framing, a_repeated_list_field_is_accepted) {
    cr_expect_null(fault(HEADERS({"Accept", "text/html"}, {"Accept", "application/json"})));
}

static void fill(contract_pair *headers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        headers[i] = (contract_pair){"X-Filler", "1"};
    }
}

Test(framing, a_hundred_headers_are_accepted) {
    contract_pair headers[PAIRS_MAX];
    fill(headers, 100);
    cr_expect_null(fault_of(headers, 100, "HTTP/1.1", "/"));
}

Test(framing, a_hundred_and_one_headers_are_refused) {
    contract_pair headers[PAIRS_MAX];
    fill(headers, 101);
    cr_expect_not_null(fault_of(headers, 101, "HTTP/1.1", "/"));
}

Test(framing, only_an_address_over_the_limit_is_refused) {
    char target[4098] = {0};
    memset(target, 'a', 4097);
    cr_expect_not_null(fault_of(NULL, 0, "HTTP/1.1", target));
    target[4096] = '\0';
    cr_expect_null(fault_of(NULL, 0, "HTTP/1.1", target));
}

Test(framing, a_control_byte_in_a_value_is_refused) {
    for (int byte = 1; byte < 256; byte++) {
        char value[] = {'a', (char)byte, 'b', '\0'};
        const char *found = fault(HEADERS({"X-Any", value}));
        bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
        cr_expect_eq(found != NULL, control, "byte %d", byte);
    }
    cr_expect_not_null(fault(HEADERS({"Authorization", "Bearer a.b.c\x01"})));
}

Test(framing, a_valid_host_is_accepted) {
    static const char *const hosts[] = {"",
                                        "a",
                                        "register.example.org",
                                        "register.example.org:8443",
                                        "127.0.0.1:8080",
                                        "[::1]",
                                        "[2001:db8::1]:443",
                                        "[::ffff:192.0.2.1]",
                                        "a:",
                                        "caf%c3%a9.example",
                                        "a_b~c!$&'()*+;=d"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        cr_expect_null(fault(HEADERS({"Host", hosts[i]})), "%s", hosts[i]);
    }
}

Test(framing, an_invalid_host_is_refused) {
    static const char *const hosts[] = {
        "a b",  "a/b",         "a@b", "http://a", "a:x",      "a:80:80", "a:80x", ":80",
        "[::1", "::1",         "[]",  "[:]x",     "[::g]",    "a%",      "a%zz",  "a\"b",
        "a<b>", "caf\xc3\xa9", "a?b", "a#b",      "a:123456", "[::1]80", "a\\b"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        cr_expect_not_null(fault(HEADERS({"Host", hosts[i]})), "%s", hosts[i]);
    }
}
