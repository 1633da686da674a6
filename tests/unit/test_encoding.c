/* Tests of base64url, gzip and what an Accept header allows. */
#include "service/http/exchange_parts.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

static arena *memory;

static void begin(void) {
    memory = arena_new();
}

static void end(void) {
    arena_free(memory);
}

TestSuite(base64url, .init = begin, .fini = end);
TestSuite(gzip, .init = begin, .fini = end);

Test(base64url, given_the_vectors_of_rfc_4648_when_encoded_then_they_are_right_without_padding) {
    static const char *const vectors[][2] = {{"f", "Zg"},          {"fo", "Zm8"},
                                             {"foo", "Zm9v"},      {"foob", "Zm9vYg"},
                                             {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        cr_expect_str_eq(base64url_encode(vectors[i][0], strlen(vectors[i][0]), memory),
                         vectors[i][1]);
    }
}

Test(base64url, given_nothing_when_encoded_then_the_text_is_empty) {
    cr_expect_str_empty(base64url_encode("", 0, memory));
}

Test(base64url, given_bytes_of_the_last_two_digits_when_encoded_then_they_are_safe_in_addresses) {
    cr_expect_str_eq(base64url_encode("\xfb\xff\xbf", 3, memory), "-_-_");
}

Test(base64url, given_bytes_of_every_length_when_encoded_and_decoded_then_they_come_back) {
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * 167 + 13);
    }
    for (size_t size = 1; size <= sizeof bytes; size++) {
        size_t decoded = 0;
        unsigned char *back =
            base64url_decode(base64url_encode(bytes, size, memory), &decoded, memory);
        cr_assert_not_null(back, "size %zu", size);
        cr_assert_eq(decoded, size);
        cr_assert_arr_eq(back, bytes, size);
    }
}

Test(base64url, given_text_that_is_not_canonical_when_decoded_then_it_is_refused) {
    static const char *const texts[] = {"",          "A",         "AAAAA",       "Zh",     "Zm9",
                                        "Zg==",      "Zm8=",      "Zm9v\n",      " Zm9v",  "Zm9v ",
                                        "Zm 9v",     "+_-_",      "-/-_",        "Zm9v=",  "====",
                                        "=",         "\nAAA",     "AA\n",        "    ",   "    AA",
                                        "Zm9vZg-\n", "Z\xc3\xa9", "Zm9v.Zg",     "Zm9vZ*", "\t\t\t",
                                        "    A===",  "-\n\n\n",   "AAA-\n\n\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t size = 0;
        cr_expect_null(base64url_decode(texts[i], &size, memory), "accepted: '%s'", texts[i]);
    }
}

Test(base64url, given_a_text_beyond_any_use_when_decoded_then_it_is_refused) {
    char *text = arena_alloc(memory, 100005);
    memset(text, 'A', 100004);
    size_t size = 0;
    cr_expect_null(base64url_decode(text, &size, memory));
}

/* Undoes gzip (RFC 1952). */
static size_t inflate_whole(const void *bytes, size_t size, unsigned char *out, size_t room) {
    z_stream stream = {0};
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (z_const Bytef *)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    cr_assert_eq(stream.avail_in, 0);
    inflateEnd(&stream);
    return stream.total_out;
}

Test(gzip, given_text_when_compressed_then_it_is_smaller_and_comes_back_whole) {
    enum { SIZE = 20000 };
    char *text = arena_alloc(memory, SIZE);
    for (int i = 0; i < SIZE; i++) {
        text[i] = (char)('a' + i % 23);
    }
    exchange x = {.memory = memory};
    size_t compressed = 0;
    const void *bytes = gzip_bytes(&x, text, SIZE, &compressed);
    cr_assert_not_null(bytes);
    cr_expect_lt(compressed, SIZE);
    unsigned char *back = arena_alloc(memory, SIZE);
    cr_assert_eq(inflate_whole(bytes, compressed, back, SIZE), SIZE);
    cr_expect_arr_eq(back, text, SIZE);
}

Test(gzip, given_bytes_without_a_pattern_when_compressed_then_there_is_no_result) {
    enum { SIZE = 4096 };
    unsigned char *noise = arena_alloc(memory, SIZE);
    uint64_t state = 88172645463325252U;
    for (int i = 0; i < SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (unsigned char)(state >> 32);
    }
    exchange x = {.memory = memory};
    size_t compressed = 0;
    cr_expect_null(gzip_bytes(&x, noise, SIZE, &compressed));
}

Test(gzip, given_very_little_when_compressed_then_there_is_no_result) {
    exchange x = {.memory = memory};
    size_t compressed = 0;
    cr_expect_null(gzip_bytes(&x, "{}", 2, &compressed));
}

Test(accept, given_ranges_that_name_json_then_it_is_allowed) {
    static const char *const fields[] = {"application/json",
                                         "*/*",
                                         "application/*",
                                         "APPLICATION/JSON",
                                         "application/json;q=0.1",
                                         "application/json; charset=utf-8",
                                         "text/html, application/*",
                                         "text/html,application/json",
                                         "text/html , */* ; q=0.001",
                                         " application/json ",
                                         ",,application/json",
                                         "application/json;q=1.000",
                                         "text/html;q=0, */*;q=0.5",
                                         "application/*;q=0, application/json",
                                         "*/*;q=0, application/json",
                                         "application/json, application/xml;q=0"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect(accept_allows(fields[i], "application/json"), "refused: %s", fields[i]);
    }
}

Test(accept, given_ranges_that_do_not_name_json_then_it_is_refused) {
    static const char *const fields[] = {"",
                                         "text/html",
                                         "text/*",
                                         "application/jsonx",
                                         "application/jso",
                                         "xapplication/json",
                                         "application/xml, text/html",
                                         "application/problem+json",
                                         "application/",
                                         "/json",
                                         "json",
                                         "*",
                                         "*/json",
                                         "applicatio*",
                                         ",,,",
                                         ";q=1",
                                         "application /json",
                                         "\"application/json\"",
                                         "\xff\xfe"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(accept_allows(fields[i], "application/json"), "allowed: %s", fields[i]);
    }
}

Test(accept, given_a_weight_of_nothing_then_json_is_refused) {
    static const char *const fields[] = {
        "application/json;q=0", "application/json;q=0.000", "application/json; Q=0",   "*/*;q=0",
        "application/*;q=0",    "application/json ;q=0.0",  "application/json;a=1;q=0"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(accept_allows(fields[i], "application/json"), "allowed: %s", fields[i]);
    }
}

Test(accept, given_json_refused_beside_a_wider_range_then_the_closer_range_decides) {
    cr_expect_not(accept_allows("application/json;q=0, */*", "application/json"));
    cr_expect_not(accept_allows("*/*, application/json;q=0", "application/json"));
    cr_expect_not(accept_allows("application/*;q=0, */*", "application/json"));
}

Test(accept, given_a_weight_of_another_range_then_it_does_not_count_for_json) {
    cr_expect(accept_allows("application/json, text/html;q=0", "application/json"));
    cr_expect_not(accept_allows("application/json;q=0, text/html;q=1", "application/json"));
}

Test(accept_gzip, given_fields_that_ask_for_gzip_then_it_is_allowed) {
    static const char *const fields[] = {
        "gzip",          "GZIP", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5", "identity;q=0,gzip",
        "gzip ; q=0.001"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect(accept_gzip(fields[i]), "refused: %s", fields[i]);
    }
}

Test(accept_gzip, given_fields_that_do_not_ask_for_gzip_then_it_is_refused) {
    static const char *const fields[] = {
        "",           "identity",  "br",      "gzip;q=0",     "gzip; q=0",
        "gzip;Q=0.0", "x-gzipped", "gzipped", "br, gzip;q=0", ",,"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(accept_gzip(fields[i]), "allowed: %s", fields[i]);
    }
}

Test(accept_gzip, given_no_field_then_gzip_is_refused) {
    cr_expect_not(accept_gzip(NULL));
}
