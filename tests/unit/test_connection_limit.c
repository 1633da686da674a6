/* Tests of the limits of connections by address. */
#include "service/http/connection_limit.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESS_MAX = 3, TOTAL_MAX = 41 };

static char reason[300];

static connection_limit *make(const char *exempt) {
    return connection_limit_new(TOTAL_MAX, ADDRESS_MAX, exempt, reason, sizeof reason);
}

static bool enter(connection_limit *limit, int socket, const char *from) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, from, &four.sin_addr) == 1) {
        return connection_limit_acquire(limit, socket, (struct sockaddr *)&four) == NULL;
    }
    cr_assert_eq(inet_pton(AF_INET6, from, &six.sin6_addr), 1);
    return connection_limit_acquire(limit, socket, (struct sockaddr *)&six) == NULL;
}

static void fill(connection_limit *limit, const char *from) {
    for (int i = 0; i < ADDRESS_MAX; i++) {
        cr_assert(enter(limit, 10 + i, from), "connection %d", i);
    }
}

Test(connection_limit, one_connection_over_an_addresss_limit_is_refused_and_counted) {
    connection_limit *limit = make("");
    fill(limit, "192.0.2.1");
    cr_expect_not(enter(limit, 20, "192.0.2.1"));
    cr_expect(enter(limit, 21, "192.0.2.2"));
    cr_expect_eq(connection_limit_refused(limit), 1);
    connection_limit_free(limit);
}

Test(connection_limit, the_end_of_a_connection_makes_room_for_another) {
    connection_limit *limit = make("");
    fill(limit, "192.0.2.1");
    connection_limit_release(limit, 11);
    connection_limit_release(limit, 11); /* the second call does nothing */
    cr_expect(enter(limit, 20, "192.0.2.1"));
    cr_expect_not(enter(limit, 21, "192.0.2.1"));
    connection_limit_free(limit);
}

Test(connection_limit, a_reused_descriptor_ends_its_old_connection) {
    connection_limit *limit = make("");
    fill(limit, "192.0.2.1");
    cr_expect(enter(limit, 11, "192.0.2.2"));
    cr_expect(enter(limit, 20, "192.0.2.1"));
    connection_limit_free(limit);
}

Test(connection_limit, exempt_addresses_have_no_limit) {
    connection_limit *limit = make("192.0.2.1 10.0.0.0/9 2001:db8::/33");
    const char *const named[] = {"192.0.2.1", "10.127.255.255", "::ffff:10.1.2.3", "2001:db8::1"};
    for (int i = 0; i < 30; i++) {
        cr_expect(enter(limit, 100 + i, named[i % 4]), "%d", i);
    }
    fill(limit, "10.128.0.1");
    cr_expect_not(enter(limit, 50, "10.128.0.1"));
    fill(limit, "2001:db8:8000::1");
    cr_expect_not(enter(limit, 50, "2001:db8:8000::1"));
    connection_limit_free(limit);
}

Test(connection_limit, the_limit_of_all_connections_applies_until_one_ends) {
    connection_limit *limit = make("192.0.2.1");
    for (int i = 0; i < TOTAL_MAX; i++) {
        cr_assert(enter(limit, i, "192.0.2.1"));
    }
    const struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr.s_addr = 1};
    cr_expect_str_eq(connection_limit_acquire(limit, 90, (const struct sockaddr *)&other),
                     "LR_CONNECTION_LIMIT");
    cr_expect_not(enter(limit, 91, "192.0.2.1"));
    connection_limit_release(limit, 7);
    cr_expect(enter(limit, 92, "192.0.2.1"));
    cr_expect_not(enter(limit, 93, "192.0.2.1"));
    connection_limit_free(limit);
}

Test(connection_limit, all_ipv6_addresses_of_one_host_count_together) {
    connection_limit *limit = make("");
    cr_expect(enter(limit, 1, "2001:db8::1"));
    cr_expect(enter(limit, 2, "2001:db8::2"));
    cr_expect(enter(limit, 3, "2001:db8::ffff:3"));
    cr_expect_not(enter(limit, 4, "2001:db8::4"));
    cr_expect(enter(limit, 4, "2001:db8:0:1::4"));
    connection_limit_free(limit);
}

Test(connection_limit, ipv4_through_an_ipv6_socket_is_the_same_address) {
    connection_limit *limit = make("");
    fill(limit, "192.0.2.1");
    cr_expect_not(enter(limit, 20, "::ffff:192.0.2.1"));
    cr_expect(enter(limit, 20, "::ffff:192.0.2.2"));
    connection_limit_free(limit);
}

Test(connection_limit, an_invalid_address_is_refused_with_the_setting) {
    const char *const wrong[] = {"proxy",       "10.0.0.0/33", "10.0.0.0/",    "10.0.0.0/x",
                                 "10.0.0/8",    "::1/129",     "127.0.0.1/-1", "127.0.0.1 nobody",
                                 "10.0.0.0/8,", "/8"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_null(make(wrong[i]), "%s", wrong[i]);
        cr_expect_not_null(strstr(reason, "LR_TRUSTED_PROXIES"));
    }
}

Test(connection_limit, an_eighth_of_all_connections_is_reserved_for_proxies) {
    enum { RESERVED = TOTAL_MAX / 8 };
    connection_limit *limit = make("192.0.2.1");
    char from[32];
    for (int i = 0; i < TOTAL_MAX - RESERVED; i++) {
        snprintf(from, sizeof from, "198.51.100.%d", i);
        cr_assert(enter(limit, i, from), "connection %d", i);
    }
    cr_expect(connection_limit_is_near(limit));
    cr_expect_not(enter(limit, 90, "203.0.113.1"));
    for (int i = 0; i < RESERVED; i++) {
        cr_expect(enter(limit, 100 + i, "192.0.2.1"), "connection %d", i);
    }
    cr_expect_not(enter(limit, 91, "192.0.2.1"));
    cr_expect(connection_limit_arrive(limit, 100));
    cr_expect_not(connection_limit_arrive(limit, 1));
    connection_limit_free(limit);
}

Test(connection_limit, without_proxies_nothing_is_reserved) {
    connection_limit *limit = make("");
    char from[32];
    cr_expect_not(connection_limit_is_near(limit));
    for (int i = 0; i < TOTAL_MAX; i++) {
        snprintf(from, sizeof from, "198.51.100.%d", i);
        cr_assert(enter(limit, i, from), "connection %d", i);
    }
    cr_expect(connection_limit_is_near(limit));
    connection_limit_free(limit);
}

Test(connection_limit, a_connection_with_a_new_descriptor_still_counts) {
    connection_limit *limit = make("");
    fill(limit, "192.0.2.1");
    cr_expect(connection_limit_has_arriving(limit));
    for (int i = 0; i < ADDRESS_MAX; i++) {
        connection_limit_arrive(limit, 10 + i);
    }
    cr_expect_not(connection_limit_has_arriving(limit));
    connection_limit_move(limit, 11, 4000);
    connection_limit_release(limit, 11);
    cr_expect_not(enter(limit, 20, "192.0.2.1"));
    connection_limit_release(limit, 4000);
    cr_expect(enter(limit, 20, "192.0.2.1"));
    connection_limit_free(limit);
}
