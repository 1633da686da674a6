/* Tests of the log entry of requests that belong to no operation. */
#include "api/free_text.h"
#include "service/http/unmatched.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

static arena *memory;

static void begin(void) {
    memory = arena_new();
}

static void end(void) {
    arena_free(memory);
}

TestSuite(unmatched, .init = begin, .fini = end);

static void expect_path(const char *target, const char *shown) {
    cr_expect_str_eq(unmatched_path(target, free_text_scan, memory), shown, "%s gives %s", target,
                     unmatched_path(target, free_text_scan, memory));
}

Test(unmatched, a_path_is_shown_without_anything_like_a_query) {
    expect_path("/v1/referral", "/v1/referral");
    expect_path("/v1/cases/018f2d3e-0000-7000-8000-000000000001/fonds",
                "/v1/cases/018f2d3e-0000-7000-8000-000000000001/fonds");
    expect_path("/v1/cases/?child=x/y", "/v1/cases/");
    expect_path("/v1/cases#x", "/v1/cases");
    expect_path("/v1/me&access_token=x", "/v1/me");
    expect_path("/v1/me;jsessionid=x", "/v1/me");
    expect_path("token=x", "token");
    expect_path("//v1/", "//v1/");
    expect_path("*", "*");
    expect_path("", "");
    expect_path("?a=b", "");
}

Test(unmatched, bytes_that_are_not_plain_are_escaped) {
    expect_path("/a b\"\\\x01\x7f\xff", "/a%20b%22%5C%01%7F%FF");
    expect_path("/%0d%0a{}", "/%0d%0a%7B%7D");
}

Test(unmatched, only_the_length_of_an_overlong_segment_is_shown) {
    expect_path("/v1/eyJhbGciOiJSUzI1NiIsImtpZCI6Im9uZSJ9.eyJzdWIiOiIx/me", "/v1/(49 bytes)/me");
    expect_path("/v1/aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd",
                "/v1/aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd");
    expect_path("/v1/aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde", "/v1/(41 bytes)");
    expect_path("/v1/me?aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeee", "/v1/me");
}

Test(unmatched, a_path_that_seems_to_identify_a_person_is_withheld) {
    expect_path("/v1/children/0101100000", "(withheld: looks like a CHI number)");
    expect_path("/v1/children/0101%3100000/x", "(withheld: looks like a CHI number)");
    expect_path("/v1/%00/some.body@example.org", "(withheld: looks like an e-mail address)");
    expect_path("/v1/some.body%40example.org", "(withheld: looks like an e-mail address)");
    cr_expect_str_eq(unmatched_path("/v1/0101100000", NULL, memory), "/v1/0101100000");
}

Test(unmatched, a_long_path_is_truncated) {
    char target[5000];
    for (size_t i = 0; i < sizeof target; i++) {
        target[i] = i % 10 == 0 ? '/' : 'a';
    }
    target[sizeof target - 1] = '\0';
    const char *shown = unmatched_path(target, free_text_scan, memory);
    cr_expect_eq(strlen(shown), 203);
    cr_expect_str_eq(shown + 200, "...");
    memset(target + 1, '\x01', sizeof target - 2);
    cr_expect_str_eq(unmatched_path(target, free_text_scan, memory), "/(4998 bytes)...");
}

static const char *address_of(const char *peer, const char *forwarded) {
    char reason[300];
    connection_limit *trusting =
        connection_limit_new(10, 10, "127.0.0.1 10.0.0.0/8 fd00::/8", reason, sizeof reason);
    cr_assert_not_null(trusting, "%s", reason);
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool is_v4 = inet_pton(AF_INET, peer, &v4.sin_addr) == 1;
    cr_assert(is_v4 || inet_pton(AF_INET6, peer, &v6.sin6_addr) == 1);
    const char *address =
        unmatched_address(is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6,
                          forwarded, trusting, memory);
    connection_limit_free(trusting);
    return address;
}

static void expect_address(const char *peer, const char *forwarded, const char *shown) {
    cr_expect_str_eq(address_of(peer, forwarded), shown, "%s, %s gives %s", peer,
                     forwarded == NULL ? "(none)" : forwarded, address_of(peer, forwarded));
}

Test(unmatched, the_header_of_an_untrusted_peer_is_ignored) {
    expect_address("192.0.2.7", NULL, "192.0.2.7");
    expect_address("192.0.2.7", "198.51.100.1", "192.0.2.7");
    expect_address("2001:db8::7", "198.51.100.1", "2001:db8::7");
    expect_address("127.0.0.1", NULL, "127.0.0.1");
}

Test(unmatched, behind_a_trusted_proxy_the_last_other_address_is_shown) {
    expect_address("127.0.0.1", "198.51.100.1", "198.51.100.1");
    expect_address("127.0.0.1", " 203.0.113.9 ,198.51.100.1 , 10.1.2.3", "198.51.100.1");
    expect_address("10.0.0.1", "203.0.113.9,198.51.100.1", "198.51.100.1");
    expect_address("fd00::1", "2001:db8::5", "2001:db8::5");
    expect_address("127.0.0.1", "198.51.100.1:4711", "198.51.100.1");
    expect_address("127.0.0.1", "[2001:db8::5]:4711", "2001:db8::5");
    expect_address("127.0.0.1", "10.1.1.1, 10.1.1.2", "10.1.1.1");
}

Test(unmatched, before_an_invalid_address_the_last_valid_one_is_shown) {
    static const char *const texts[] = {
        "",
        "unknown",
        ",",
        "_hidden",
        "198.51.100.1,",
        "1.2.3",
        "198.51.100.1, x\"y",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_address("127.0.0.1", texts[i], "127.0.0.1");
    }
    expect_address("127.0.0.1", "x, 10.0.0.9", "10.0.0.9");
}
