/* Tests of the allowed targets of webhooks, and of their signatures. */
#include "service/webhook/endpoint_health.h"
#include "service/webhook/signature.h"
#include "service/webhook/target.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum { REASON_SIZE = 300 };

static bool read_address(const char *text, struct sockaddr_storage *into) {
    struct sockaddr_in *v4 = (void *)into;
    struct sockaddr_in6 *v6 = (void *)into;
    *into = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        into->ss_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        into->ss_family = AF_INET6;
    } else {
        return false;
    }
    return true;
}

static bool is_public(const char *text) {
    struct sockaddr_storage address;
    cr_assert(read_address(text, &address), "%s", text);
    return address_is_public((const struct sockaddr *)&address);
}

static bool holds(const network *block, const unsigned char *bytes) {
    struct sockaddr_storage address = {.ss_family = (sa_family_t)block->family};
    if (block->family == AF_INET) {
        memcpy(&((struct sockaddr_in *)(void *)&address)->sin_addr, bytes, 4);
    } else {
        memcpy(&((struct sockaddr_in6 *)(void *)&address)->sin6_addr, bytes, 16);
    }
    return network_holds(block, (const struct sockaddr *)&address);
}

/* The next higher (or lower) address. */
static void step(unsigned char *bytes, size_t size, bool up) {
    for (size_t i = size; i-- > 0;) {
        bytes[i] = (unsigned char)(bytes[i] + (up ? 1 : -1));
        if (bytes[i] != (up ? 0 : 255)) {
            return;
        }
    }
}

Test(webhook, an_address_that_is_not_public_is_refused) {
    static const char *const refused[] = {"0.0.0.0",
                                          "0.255.255.255",
                                          "10.0.0.0",
                                          "10.255.255.255",
                                          "100.64.0.0",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "169.254.0.1",
                                          "169.254.169.254",
                                          "172.16.0.0",
                                          "172.31.255.255",
                                          "192.0.0.1",
                                          "192.0.0.170",
                                          "192.0.2.1",
                                          "192.88.99.1",
                                          "192.168.0.1",
                                          "192.168.255.255",
                                          "198.18.0.0",
                                          "198.19.255.255",
                                          "198.51.100.1",
                                          "203.0.113.255",
                                          "224.0.0.1",
                                          "239.255.255.255",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::ffff:8.8.8.8",
                                          "::ffff:10.0.0.1",
                                          "::ffff:127.0.0.1",
                                          "::8.8.8.8",
                                          "64:ff9b::8.8.8.8",
                                          "64:ff9b:1::1",
                                          "100::1",
                                          "2001::1",
                                          "2001:1ff:ffff::",
                                          "2001:db8::1",
                                          "2002:7f00:1::",
                                          "2002:808:808::1",
                                          "2620:4f:8000::1",
                                          "3fff::1",
                                          "4000::1",
                                          "5f00::1",
                                          "fc00::1",
                                          "fdff::1",
                                          "fe80::1",
                                          "fec0::1",
                                          "ff02::1",
                                          "1fff:ffff::1"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cr_expect_not(is_public(refused[i]), "%s", refused[i]);
    }
}

Test(webhook, a_public_address_is_allowed) {
    static const char *const allowed[] = {
        "1.0.0.0",     "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0", "126.255.255.255", "128.0.0.0",       "169.253.255.255",
        "169.255.0.0", "172.15.255.255",  "172.32.0.0",      "191.255.255.255",
        "192.0.1.0",   "192.167.255.255", "192.169.0.0",     "198.17.255.255",
        "198.20.0.0",  "223.255.255.255", "2001:200::1",     "2001:db7:ffff::1",
        "2001:db9::1", "2003::1",         "2606:4700::1111", "2a00:1450::1",
        "3ffe:ffff::1"};
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        cr_expect(is_public(allowed[i]), "%s", allowed[i]);
    }
}

/* For every length of prefix of both families: the first and the last address are inside, their
 * neighbours outside. */
static void check_edges(int family, unsigned size, unsigned bits) {
    network block = {.family = family, .bits = bits};
    unsigned char last[16];
    for (unsigned place = 0; place < bits; place++) { /* 1010… so that neighbours differ inside */
        block.bytes[place / 8] |= (unsigned char)(place % 2 == 0 ? 0x80 >> place % 8 : 0);
    }
    memcpy(last, block.bytes, sizeof last);
    for (unsigned place = bits; place < size * 8; place++) {
        last[place / 8] |= (unsigned char)(0x80 >> place % 8);
    }
    cr_expect(holds(&block, block.bytes), "first of /%u", bits);
    cr_expect(holds(&block, last), "last of /%u", bits);
    if (bits > 1) {
        unsigned char before[16];
        memcpy(before, block.bytes, sizeof before);
        step(before, size, false);
        step(last, size, true);
        cr_expect_not(holds(&block, before), "before /%u", bits);
        cr_expect_not(holds(&block, last), "after /%u", bits);
    }
}

Test(webhook, a_prefix_contains_exactly_the_addresses_inside) {
    for (unsigned bits = 0; bits <= 32; bits++) {
        check_edges(AF_INET, 4, bits);
    }
    for (unsigned bits = 0; bits <= 128; bits++) {
        check_edges(AF_INET6, 16, bits);
    }
}

Test(webhook, a_network_contains_no_address_of_the_other_family) {
    network block;
    struct sockaddr_storage address;
    cr_assert(network_parse("0.0.0.0/0", &block));
    cr_assert(read_address("::ffff:1.2.3.4", &address));
    cr_expect_not(network_holds(&block, (const struct sockaddr *)&address));
}

Test(webhook, an_invalid_network_is_refused) {
    static const char *const wrong[] = {
        "",           "10.0.0.0/33", "10.0.0.0/",   "10.0.0.1/8",  "10.0.0/8",     "fd00::/129",
        "fd00::1/64", "localhost",   "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/0x8", "::1/128/1"};
    network block;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_not(network_parse(wrong[i], &block), "%s", wrong[i]);
    }
    cr_expect(network_parse("10.0.0.0/8", &block));
    cr_expect(network_parse("fd00::/8", &block));
    cr_expect(network_parse("192.0.2.7", &block));
    cr_expect_eq(block.bits, 32);
}

static bool settings_are_read(const char *hosts, const char *networks) {
    char reason[REASON_SIZE] = "";
    targets *targets = targets_new(hosts, networks, reason, sizeof reason);
    cr_expect_eq(targets == NULL, reason[0] != '\0');
    targets_free(targets);
    return targets != NULL;
}

Test(webhook, invalid_settings_are_refused) {
    cr_expect(settings_are_read("example.org", NULL));
    cr_expect(settings_are_read(" Example.org:8443 , *.example.net,[::1]:9", "10.0.0.0/8, ::1"));
    static const char *const hosts[] = {"",    ",",   "a,,b", "https://a", "a:0", "a:65536",
                                        "a:x", "a b", "*",    "*.",        "a/b", "*.a:99999"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        cr_expect_not(settings_are_read(hosts[i], NULL), "%s", hosts[i]);
    }
    cr_expect_not(settings_are_read("a", "10.0.0.0/8,private"));
}

static const char *fault(const char *hosts, const char *url) {
    char reason[REASON_SIZE];
    targets *targets = targets_new(hosts, NULL, reason, sizeof reason);
    cr_assert_not_null(targets, "%s", reason);
    const char *rule = targets_fault(targets, url);
    targets_free(targets);
    return rule == NULL ? "" : rule;
}

Test(webhook, only_listed_hosts_are_allowed) {
    static const char *const hosts = "hooks.example.org,*.example.net:8443,[2001:db8::1]";
    static const char *const rows[][2] = {
        {"https://hooks.example.org/a?b=c", ""},
        {"https://HOOKS.example.org", ""},
        {"https://hooks.example.org:443/", ""},
        {"https://a.example.net:8443/", ""},
        {"https://a.b.example.net:8443/", ""},
        {"https://[2001:db8::1]/", ""},
        {"https://example.net:8443/", "host_not_allowed"},
        {"https://badexample.net:8443/", "host_not_allowed"},
        {"https://a.example.net/", "host_not_allowed"},
        {"https://hooks.example.org:8443/", "host_not_allowed"},
        {"https://hooks.example.org./", "host_not_allowed"},
        {"https://hooks.example.org.evil.example/", "host_not_allowed"},
        {"https://xhooks.example.org/", "host_not_allowed"},
        {"https://hooks.example.org@evil.example/", "user_in_address"},
        {"https://:word@hooks.example.org/", "user_in_address"},
        {"https://hooks.example.org/#a", "fragment_in_address"},
        {"http://hooks.example.org/", "https_required"},
        {"gopher://hooks.example.org/", "https_required"},
        {"file:///etc/passwd", "not_an_address"},
        {"hooks.example.org", "not_an_address"},
        {"https://", "not_an_address"},
        {"https://[fe80::1%25eth0]/", "host_not_allowed"},
        {"https://127.0.0.1\\@hooks.example.org/", "user_in_address"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *found = fault(hosts, rows[i][0]);
        cr_expect_str_eq(found, rows[i][1], "%s: '%s' instead of '%s'", rows[i][0], found,
                         rows[i][1]);
    }
}

Test(webhook, another_webhook_or_generation_has_another_secret) {
    static const unsigned char key[WEBHOOK_KEY_SIZE] = "0123456789abcdef0123456789abcde";
    arena *memory = arena_new();
    const char *first = webhook_secret(key, "a", 1, memory);
    cr_expect_str_eq(first, webhook_secret(key, "a", 1, memory));
    cr_expect_str_neq(first, webhook_secret(key, "a", 2, memory));
    cr_expect_str_neq(first, webhook_secret(key, "b", 1, memory));
    cr_expect_eq(strlen(first), strlen("whsec_") + 44);
    arena_free(memory);
}

Test(webhook, the_old_secret_signs_only_on_request) {
    static const unsigned char key[WEBHOOK_KEY_SIZE] = "0123456789abcdef0123456789abcde";
    arena *memory = arena_new();
    webhook_message message = {
        .webhook = "a", .id = "m", .timestamp = 1700000000, .body = "{}", .generation = 2};
    const char *one = webhook_signature(key, &message, memory);
    message.old_secret = true;
    const char *two = webhook_signature(key, &message, memory);
    cr_expect_eq(strncmp(one, "v1,", 3), 0);
    cr_expect_eq(strncmp(two, one, strlen(one)), 0);
    cr_expect_eq(strlen(two), 2 * strlen(one) + 1);
    message.generation = 1;
    message.old_secret = false;
    cr_expect_str_eq(two + strlen(one) + 1, webhook_signature(key, &message, memory));
    arena_free(memory);
}

static bool is_second(const void *context, const char *webhook) {
    (void)context;
    return strcmp(webhook, "second") == 0;
}

Test(webhook, the_last_state_counts_and_deleted_webhooks_are_forgotten) {
    endpoint_health *health = endpoint_health_new();
    cr_expect_eq(endpoint_health_get(health, "first"), ENDPOINT_UNKNOWN);
    endpoint_health_set(health, "first", ENDPOINT_RESPONSIVE);
    endpoint_health_set(health, "second", ENDPOINT_RESPONSIVE);
    endpoint_health_set(health, "second", ENDPOINT_SILENT);
    cr_expect_eq(endpoint_health_count(health), 2);
    cr_expect_eq(endpoint_health_get(health, "first"), ENDPOINT_RESPONSIVE);
    endpoint_health_forget(health, is_second, NULL);
    cr_expect_eq(endpoint_health_count(health), 1);
    cr_expect_eq(endpoint_health_get(health, "first"), ENDPOINT_UNKNOWN);
    cr_expect_eq(endpoint_health_get(health, "second"), ENDPOINT_SILENT);
    endpoint_health_free(health);
}
