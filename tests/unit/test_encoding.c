/* Tests of base64url and gzip. */
#include "service/http/request_private.h"

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

Test(base64url, the_vectors_of_rfc_4648_are_encoded_without_padding) {
    static const char *const vectors[][2] = {{"f", "Zg"},          {"fo", "Zm8"},
                                             {"foo", "Zm9v"},      {"foob", "Zm9vYg"},
                                             {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        cr_expect_str_eq(base64url_encode(vectors[i][0], strlen(vectors[i][0]), memory),
                         vectors[i][1]);
    }
}

Test(base64url, nothing_is_encoded_as_empty_text) {
    cr_expect_str_empty(base64url_encode("", 0, memory));
}

Test(base64url, the_last_two_digits_are_safe_in_addresses) {
    cr_expect_str_eq(base64url_encode("\xfb\xff\xbf", 3, memory), "-_-_");
}

Test(base64url, bytes_of_every_length_are_decoded_again) {
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

Test(base64url, text_that_is_not_canonical_is_refused) {
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

Test(base64url, an_oversized_text_is_refused) {
    char *text = arena_alloc(memory, 100005);
    memset(text, 'A', 100004);
    size_t size = 0;
    cr_expect_null(base64url_decode(text, &size, memory));
}

/* Decompresses gzip (RFC 1952). */
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

Test(gzip, compressed_text_is_smaller_and_decompresses_to_the_same) {
    enum { SIZE = 20000 };
    char *text = arena_alloc(memory, SIZE);
    for (int i = 0; i < SIZE; i++) {
        text[i] = (char)('a' + i % 23);
    }
    size_t compressed = 0;
    const void *bytes = gzip_bytes(memory, text, SIZE, &compressed);
    cr_assert_not_null(bytes);
    cr_expect_lt(compressed, SIZE);
    unsigned char *back = arena_alloc(memory, SIZE);
    cr_assert_eq(inflate_whole(bytes, compressed, back, SIZE), SIZE);
    cr_expect_arr_eq(back, text, SIZE);
}

Test(gzip, random_bytes_have_no_compressed_result) {
    enum { SIZE = 4096 };
    unsigned char *noise = arena_alloc(memory, SIZE);
    uint64_t state = 88172645463325252U;
    for (int i = 0; i < SIZE; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (unsigned char)(state >> 32);
    }
    size_t compressed = 0;
    cr_expect_null(gzip_bytes(memory, noise, SIZE, &compressed));
}

Test(gzip, a_tiny_text_has_no_compressed_result) {
    size_t compressed = 0;
    cr_expect_null(gzip_bytes(memory, "{}", 2, &compressed));
}
