/* Tests of the query string: malformed ones are refused, others are decoded. */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

typedef struct parsed {
    arena *memory;
    contract_pair *pairs;
    size_t count;
    violation_list faults;
    bool good;
} parsed;

static parsed parse(const char *text) {
    parsed made = {.memory = arena_new()};
    made.faults = violation_list_make(made.memory);
    made.good = query_parse(text, &made.pairs, &made.count, &made.faults, made.memory);
    return made;
}

static void expect_pair(const parsed *got, size_t index, const char *name, const char *value) {
    cr_assert_gt(got->count, index);
    cr_expect_str_eq(got->pairs[index].name, name);
    cr_expect_str_eq(got->pairs[index].value, value);
}

static void expect_refused(const char *text) {
    parsed got = parse(text);
    cr_expect_not(got.good, "accepted: %s", text);
    cr_assert_eq(got.faults.count, 1, "%zu faults: %s", got.faults.count, text);
    cr_expect_eq(got.faults.first->place, PLACE_QUERY);
    cr_expect_str_eq(got.faults.first->rule, "malformed");
    arena_free(got.memory);
}

Test(query, a_fault_repeats_only_the_beginning_of_a_long_name) {
    char text[400] = "";
    for (int i = 0; i < 60; i++) {
        strcat(text, "%C3%A8"); /* two bytes each */
    }
    strcat(text, "=%zz");
    parsed got = parse(text);
    cr_assert_eq(got.faults.count, 1);
    cr_expect_eq(strlen(got.faults.first->name), 64);
    arena_free(got.memory);
}

/* A query of that many pairs a1=&a2=&... */
static const char *many_pairs(char *text, size_t size, int count) {
    size_t used = 0;
    for (int i = 1; i <= count; i++) {
        used += (size_t)snprintf(text + used, size - used, "%sa%d=", i == 1 ? "" : "&", i);
    }
    return text;
}

Test(query, no_query_gives_no_pairs) {
    parsed got = parse(NULL);
    cr_expect(got.good);
    cr_expect_eq(got.count, 0);
    arena_free(got.memory);
}

Test(query, an_empty_query_gives_no_pairs) {
    parsed got = parse("");
    cr_expect(got.good);
    cr_expect_eq(got.count, 0);
    arena_free(got.memory);
}

Test(query, two_pairs_are_returned_in_order) {
    parsed got = parse("stage=review&limit=5");
    cr_assert(got.good);
    cr_expect_eq(got.count, 2);
    expect_pair(&got, 0, "stage", "review");
    expect_pair(&got, 1, "limit", "5");
    arena_free(got.memory);
}

Test(query, escapes_in_either_case_are_decoded) {
    parsed got = parse("a%5Bb%5d=%2f%3D%26%25");
    cr_assert(got.good);
    cr_expect_eq(got.count, 1);
    expect_pair(&got, 0, "a[b]", "/=&%");
    arena_free(got.memory);
}

Test(query, an_escaped_percent_sign_is_decoded_once) {
    parsed got = parse("a=%2541");
    cr_assert(got.good);
    expect_pair(&got, 0, "a", "%41");
    arena_free(got.memory);
}

Test(query, a_plus_is_a_space_and_its_escape_is_a_plus) {
    parsed got = parse("a=one+two%2B");
    cr_assert(got.good);
    expect_pair(&got, 0, "a", "one two+");
    arena_free(got.memory);
}

Test(query, the_first_equals_sign_divides) {
    parsed got = parse("a=b=c");
    cr_assert(got.good);
    expect_pair(&got, 0, "a", "b=c");
    arena_free(got.memory);
}

Test(query, a_name_without_a_value_has_an_empty_value) {
    parsed got = parse("a&b=");
    cr_assert(got.good);
    cr_expect_eq(got.count, 2);
    expect_pair(&got, 0, "a", "");
    expect_pair(&got, 1, "b", "");
    arena_free(got.memory);
}

Test(query, a_repeated_name_is_kept_for_the_contract_to_refuse) {
    parsed got = parse("stage=a&stage=b");
    cr_assert(got.good);
    cr_expect_eq(got.count, 2);
    expect_pair(&got, 0, "stage", "a");
    expect_pair(&got, 1, "stage", "b");
    arena_free(got.memory);
}

Test(query, utf8_is_decoded) {
    parsed got = parse("a=%C3%A9%E2%82%AC%F0%9F%8C%8A");
    cr_assert(got.good);
    expect_pair(&got, 0, "a", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8a");
    arena_free(got.memory);
}

Test(query, invalid_escapes_are_refused) {
    static const char *const texts[] = {"a=%",   "a=%2",    "a=%G1", "a=%1g",   "a=% 1",
                                        "%zz=1", "a=1&b=%", "a=%-1", "a=%0x41", "a=%2&b=0"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_refused(texts[i]);
    }
}

Test(query, an_escaped_nul_is_refused) {
    expect_refused("a=b%00c");
    expect_refused("a%00=b");
}

Test(query, control_bytes_are_refused) {
    expect_refused("a=%0a");
    expect_refused("a=%1F");
    expect_refused("a=%7f");
    expect_refused("a=\t");
}

Test(query, invalid_utf8_is_refused) {
    static const char *const texts[] = {"a=%ff",       "a=%c3",    "a=%c0%af",
                                        "a=%ed%a0%80", "a=%80",    "a=%f4%90%80%80",
                                        "a=%e2%82",    "%c3%28=1", "a=\xff"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_refused(texts[i]);
    }
}

Test(query, an_empty_name_is_refused) {
    static const char *const texts[] = {"=1", "a=1&=2", "&", "a=1&&b=2", "&a=1", "="};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_refused(texts[i]);
    }
}

Test(query, fifty_pairs_are_accepted) {
    char text[1000];
    parsed got = parse(many_pairs(text, sizeof text, 50));
    cr_assert(got.good);
    cr_expect_eq(got.count, 50);
    expect_pair(&got, 49, "a50", "");
    arena_free(got.memory);
}

Test(query, fifty_one_pairs_are_refused) {
    char text[1000];
    expect_refused(many_pairs(text, sizeof text, 51));
}

Test(query, hiding_the_query_keeps_the_path) {
    static const char *const rows[][2] = {{"/x?a=1&b=2", "/x?"}, {"/x?", "/x?"}, {"/a&b", "/a&b"},
                                          {"/x?a?b", "/x?"},     {"?a", "?"},    {"", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char target[20];
        snprintf(target, sizeof target, "%s", rows[i][0]);
        query_hide(target);
        cr_expect_str_eq(target, rows[i][1]);
    }
    query_hide(NULL);
}
