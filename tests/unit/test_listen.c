/* Tests of the addresses to listen on: which are valid, and the messages for the others. */
#include "service/listen.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static listen_address address;

static void expect(const char *text, const char *host, const char *port) {
    const char *fault = listen_parse(text, &address);
    cr_assert_null(fault, "%s: %s", text, fault);
    cr_expect_str_eq(address.host, host);
    cr_expect_str_eq(address.port, port);
}

Test(listen, an_address_is_split_into_host_and_port) {
    expect("127.0.0.1:8080", "127.0.0.1", "8080");
    expect("localhost:1", "localhost", "1");
    expect(":65535", "", "65535");
    expect("[::1]:8080", "::1", "8080");
}

Test(listen, an_invalid_address_is_refused) {
    static const char *const wrong[] = {"",         "localhost", "localhost:",  "localhost:0",
                                        "a:65536",  "a:-1",      "a:+1",        "a: 1",
                                        "a:123456", "a:8080x",   "::1:8080",    "[::1]",
                                        "[]:1",     "a b:1",     "http://a:80", "me@a:80"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_not_null(listen_parse(wrong[i], &address), "accepted: '%s'", wrong[i]);
    }
    char host[400];
    memset(host, 'a', sizeof host);
    snprintf(host + 300, 10, ":8080");
    cr_expect_not_null(listen_parse(host, &address));
}

static bool is_loopback(const char *text) {
    char reason[300] = "";
    struct addrinfo *found = listen_resolve("LR_LISTEN", text, false, reason, sizeof reason);
    cr_assert_not_null(found, "%s", reason);
    bool loopback = listen_is_loopback(found->ai_addr);
    freeaddrinfo(found);
    return loopback;
}

Test(listen, loopback_addresses_are_recognised) {
    cr_expect(is_loopback("127.0.0.1:1"));
    cr_expect(is_loopback("127.20.0.3:1"));
    cr_expect(is_loopback("[::1]:1"));
    cr_expect(is_loopback("[::ffff:127.0.0.1]:1"));
    cr_expect_not(is_loopback(":1"));
    cr_expect_not(is_loopback("0.0.0.0:1"));
    cr_expect_not(is_loopback("[::]:1"));
    cr_expect_not(is_loopback("192.0.2.1:1"));
    cr_expect_not(is_loopback("[2001:db8::1]:1"));
}

Test(listen, every_interface_is_bound_as_such_and_called_on_this_machine) {
    char reason[300] = "";
    static const char *const everywhere[] = {":1", "0.0.0.0:1", "[::]:1"};
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) {
        cr_assert_null(listen_parse(everywhere[i], &address));
        cr_expect(listen_is_everywhere(&address));
        struct addrinfo *called =
            listen_resolve("LR_ADMIN_LISTEN", everywhere[i], true, reason, sizeof reason);
        cr_assert_not_null(called, "%s", reason);
        cr_expect(listen_is_loopback(called->ai_addr));
        freeaddrinfo(called);
    }
}

Test(listen, a_wrong_address_is_reported_with_setting_value_and_repair) {
    char reason[300] = "";
    cr_expect_null(listen_resolve("LR_LISTEN", "localhost", false, reason, sizeof reason));
    cr_expect_str_eq(reason, "LR_LISTEN is \"localhost\", which has no port. Write HOST:PORT, such "
                             "as 127.0.0.1:8080.");
}
