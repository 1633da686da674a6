/* Tests of the count of connections by address. */
#include "service/http/peers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 3, MOST_IN_ALL = 41 };

static char reason[300];

static peers *make(const char *exempt) {
    return peers_new(MOST_IN_ALL, MOST, exempt, reason, sizeof reason);
}

static bool enter(peers *all, int socket, const char *from) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, from, &four.sin_addr) == 1) {
        return peers_enter(all, socket, (struct sockaddr *)&four) == NULL;
    }
    cr_assert_eq(inet_pton(AF_INET6, from, &six.sin6_addr), 1);
    return peers_enter(all, socket, (struct sockaddr *)&six) == NULL;
}

static void fill(peers *all, const char *from) {
    for (int i = 0; i < MOST; i++) {
        cr_assert(enter(all, 10 + i, from), "connection %d", i);
    }
}

Test(peers, given_an_address_with_all_it_may_have_then_one_more_is_refused_and_counted) {
    peers *all = make("");
    fill(all, "192.0.2.1");
    cr_expect_not(enter(all, 20, "192.0.2.1"));
    cr_expect(enter(all, 21, "192.0.2.2"));
    cr_expect_eq(peers_refused(all), 1);
    peers_free(all);
}

Test(peers, given_a_connection_that_ended_then_another_may_come) {
    peers *all = make("");
    fill(all, "192.0.2.1");
    peers_leave(all, 11);
    peers_leave(all, 11); /* twice counts once */
    cr_expect(enter(all, 20, "192.0.2.1"));
    cr_expect_not(enter(all, 21, "192.0.2.1"));
    peers_free(all);
}

Test(peers, given_a_descriptor_that_comes_again_then_its_old_connection_has_ended) {
    peers *all = make("");
    fill(all, "192.0.2.1");
    cr_expect(enter(all, 11, "192.0.2.2"));
    cr_expect(enter(all, 20, "192.0.2.1"));
    peers_free(all);
}

Test(peers, given_addresses_that_are_exempt_then_they_have_no_limit) {
    peers *all = make("192.0.2.1 10.0.0.0/9 2001:db8::/33");
    const char *const named[] = {"192.0.2.1", "10.127.255.255", "::ffff:10.1.2.3", "2001:db8::1"};
    for (int i = 0; i < 30; i++) {
        cr_expect(enter(all, 100 + i, named[i % 4]), "%d", i);
    }
    fill(all, "10.128.0.1");
    cr_expect_not(enter(all, 50, "10.128.0.1"));
    fill(all, "2001:db8:8000::1");
    cr_expect_not(enter(all, 50, "2001:db8:8000::1"));
    peers_free(all);
}

Test(peers, given_as_many_as_there_may_be_then_nobody_else_is_let_in_until_one_has_left) {
    peers *all = make("192.0.2.1");
    for (int i = 0; i < MOST_IN_ALL; i++) {
        cr_assert(enter(all, i, "192.0.2.1"));
    }
    const struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr.s_addr = 1};
    cr_expect_str_eq(peers_enter(all, 90, (const struct sockaddr *)&other), "LR_CONNECTION_LIMIT");
    cr_expect_not(enter(all, 91, "192.0.2.1"));
    peers_leave(all, 7);
    cr_expect(enter(all, 92, "192.0.2.1"));
    cr_expect_not(enter(all, 93, "192.0.2.1"));
    peers_free(all);
}

Test(peers, given_ipv6_then_all_of_one_host_count_together) {
    peers *all = make("");
    cr_expect(enter(all, 1, "2001:db8::1"));
    cr_expect(enter(all, 2, "2001:db8::2"));
    cr_expect(enter(all, 3, "2001:db8::ffff:3"));
    cr_expect_not(enter(all, 4, "2001:db8::4"));
    cr_expect(enter(all, 4, "2001:db8:0:1::4"));
    peers_free(all);
}

Test(peers, given_ipv4_through_an_ipv6_socket_then_it_is_the_same_address) {
    peers *all = make("");
    fill(all, "192.0.2.1");
    cr_expect_not(enter(all, 20, "::ffff:192.0.2.1"));
    cr_expect(enter(all, 20, "::ffff:192.0.2.2"));
    peers_free(all);
}

Test(peers, given_what_is_no_address_then_it_is_refused_with_the_setting) {
    const char *const wrong[] = {"proxy",       "10.0.0.0/33", "10.0.0.0/",    "10.0.0.0/x",
                                 "10.0.0/8",    "::1/129",     "127.0.0.1/-1", "127.0.0.1 nobody",
                                 "10.0.0.0/8,", "/8"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_null(make(wrong[i]), "%s", wrong[i]);
        cr_expect_not_null(strstr(reason, "LR_TRUSTED_PROXIES"));
    }
}

Test(peers, given_proxies_then_an_eighth_of_all_is_reserved_for_them) {
    enum { RESERVED = MOST_IN_ALL / 8 };
    peers *all = make("192.0.2.1");
    char from[32];
    for (int i = 0; i < MOST_IN_ALL - RESERVED; i++) {
        snprintf(from, sizeof from, "198.51.100.%d", i);
        cr_assert(enter(all, i, from), "connection %d", i);
    }
    cr_expect(peers_crowded(all));
    cr_expect_not(enter(all, 90, "203.0.113.1"));
    for (int i = 0; i < RESERVED; i++) {
        cr_expect(enter(all, 100 + i, "192.0.2.1"), "connection %d", i);
    }
    cr_expect_not(enter(all, 91, "192.0.2.1"));
    cr_expect(peers_arrive(all, 100));
    cr_expect_not(peers_arrive(all, 1));
    peers_free(all);
}

Test(peers, given_no_proxies_then_nothing_is_reserved_and_few_are_not_a_crowd) {
    peers *all = make("");
    char from[32];
    cr_expect_not(peers_crowded(all));
    for (int i = 0; i < MOST_IN_ALL; i++) {
        snprintf(from, sizeof from, "198.51.100.%d", i);
        cr_assert(enter(all, i, from), "connection %d", i);
    }
    cr_expect(peers_crowded(all));
    peers_free(all);
}

Test(peers, given_a_connection_that_goes_on_with_another_descriptor_then_it_still_counts) {
    peers *all = make("");
    fill(all, "192.0.2.1");
    cr_expect(peers_arriving(all));
    for (int i = 0; i < MOST; i++) {
        peers_arrive(all, 10 + i);
    }
    cr_expect_not(peers_arriving(all));
    peers_move(all, 11, 4000);
    peers_leave(all, 11);
    cr_expect_not(enter(all, 20, "192.0.2.1"));
    peers_leave(all, 4000);
    cr_expect(enter(all, 20, "192.0.2.1"));
    peers_free(all);
}
