/* Tests of cursors: only what this service gave out for the same question comes back. */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <string.h>

static const char last_item[] = "[\"2026-03-05\",\"0195f3b2-7c1a-7d5e-8f00-0123456789ab\"]";
static const char filters[] = "{\"stage\":\"review\"}";

static const contract_operation list_cases = {.id = "listCases"};
static const contract_operation list_actions = {.id = "listActions"};
static app_context context;
static request r;

static void begin(void) {
    memset(context.cursor_key, 0x17, SECRET_SIZE);
    r = (request){.memory = arena_new(),
                  .context = &context,
                  .operation = &list_cases,
                  .authenticated = true,
                  .principal = {.organisation = "CPC-GLA"}};
}

static void end(void) {
    arena_free(r.memory);
}

TestSuite(cursor, .init = begin, .fini = end);

Test(cursor, given_a_cursor_when_read_for_the_same_question_then_the_key_comes_back) {
    const char *cursor = cursor_make(&r, last_item, filters);
    cr_expect_str_eq(cursor_read(&r, cursor, filters), last_item);
}

Test(cursor, given_a_cursor_when_made_then_it_needs_no_escape_in_an_address) {
    const char *cursor = cursor_make(&r, last_item, filters);
    cr_expect_eq(strspn(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_"),
                 strlen(cursor));
}

Test(cursor, given_any_character_changed_when_read_then_the_cursor_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    for (size_t i = 0; i < strlen(cursor); i++) {
        char *changed = arena_strdup(r.memory, cursor);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        cr_expect_null(cursor_read(&r, changed, filters), "character %zu", i);
    }
}

Test(cursor, given_any_bit_of_the_bytes_changed_when_read_then_the_cursor_is_refused) {
    size_t size = 0;
    unsigned char *bytes = base64url_decode(cursor_make(&r, last_item, filters), &size, r.memory);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        cr_expect_null(cursor_read(&r, base64url_encode(bytes, size, r.memory), filters));
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
}

Test(cursor, given_a_cursor_cut_anywhere_when_read_then_it_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    for (size_t length = 0; length < strlen(cursor); length++) {
        const char *cut = arena_strndup(r.memory, cursor, length);
        cr_expect_null(cursor_read(&r, cut, filters), "length %zu", length);
    }
}

Test(cursor, given_bytes_hung_on_behind_a_nul_when_read_then_the_cursor_is_refused) {
    size_t size = 0;
    unsigned char *bytes = base64url_decode(cursor_make(&r, last_item, filters), &size, r.memory);
    unsigned char *longer = arena_alloc(r.memory, size + 6);
    memcpy(longer, bytes, size);
    memcpy(longer + size + 1, "extra", 5);
    cr_expect_null(cursor_read(&r, base64url_encode(longer, size + 6, r.memory), filters));
}

Test(cursor, given_other_filters_when_read_then_the_cursor_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    cr_expect_null(cursor_read(&r, cursor, "{\"stage\":\"closed\"}"));
    cr_expect_null(cursor_read(&r, cursor, "{}"));
}

Test(cursor, given_another_operation_when_read_then_the_cursor_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    r.operation = &list_actions;
    cr_expect_null(cursor_read(&r, cursor, filters));
}

Test(cursor, given_another_organisation_when_read_then_the_cursor_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    memcpy(r.principal.organisation, "CPC-EDH", 8);
    cr_expect_null(cursor_read(&r, cursor, filters));
}

Test(cursor, given_another_secret_when_read_then_the_cursor_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    context.cursor_key[31] ^= 1;
    cr_expect_null(cursor_read(&r, cursor, filters));
}

Test(cursor, given_what_is_no_cursor_when_read_then_it_is_refused) {
    static const char *const texts[] = {
        "", "A", "AAAA", "0", "null", "AAAAAAAAAAAAAAAA", "a=b&", "../../", "%00", "Zg==", " "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_expect_null(cursor_read(&r, texts[i], filters), "%s", texts[i]);
    }
}
