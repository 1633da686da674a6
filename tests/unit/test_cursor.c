/* Tests of cursors: only this service's own cursors for the same query are accepted. */
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

Test(cursor, a_cursor_returns_its_key) {
    const char *cursor = cursor_make(&r, last_item, filters);
    cr_expect_str_eq(cursor_read(&r, cursor, filters), last_item);
}

Test(cursor, a_cursor_needs_no_escape_in_an_address) {
    const char *cursor = cursor_make(&r, last_item, filters);
    cr_expect_eq(strspn(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789-_"),
                 strlen(cursor));
}

Test(cursor, a_changed_character_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    for (size_t i = 0; i < strlen(cursor); i++) {
        char *changed = arena_strdup(r.memory, cursor);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        cr_expect_null(cursor_read(&r, changed, filters), "character %zu", i);
    }
}

Test(cursor, a_changed_bit_is_refused) {
    size_t size = 0;
    unsigned char *bytes = base64url_decode(cursor_make(&r, last_item, filters), &size, r.memory);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        cr_expect_null(cursor_read(&r, base64url_encode(bytes, size, r.memory), filters));
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
}

Test(cursor, a_truncated_cursor_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    for (size_t length = 0; length < strlen(cursor); length++) {
        const char *cut = arena_strndup(r.memory, cursor, length);
        cr_expect_null(cursor_read(&r, cut, filters), "length %zu", length);
    }
}

Test(cursor, bytes_after_a_nul_are_refused) {
    size_t size = 0;
    unsigned char *bytes = base64url_decode(cursor_make(&r, last_item, filters), &size, r.memory);
    unsigned char *longer = arena_alloc(r.memory, size + 6);
    memcpy(longer, bytes, size);
    memcpy(longer + size + 1, "extra", 5);
    cr_expect_null(cursor_read(&r, base64url_encode(longer, size + 6, r.memory), filters));
}

Test(cursor, a_cursor_of_other_filters_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    cr_expect_null(cursor_read(&r, cursor, "{\"stage\":\"closed\"}"));
    cr_expect_null(cursor_read(&r, cursor, "{}"));
}

Test(cursor, a_cursor_of_another_operation_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    r.operation = &list_actions;
    cr_expect_null(cursor_read(&r, cursor, filters));
}

Test(cursor, a_cursor_of_another_organisation_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    memcpy(r.principal.organisation, "CPC-EDH", 8);
    cr_expect_null(cursor_read(&r, cursor, filters));
}

Test(cursor, a_cursor_of_another_secret_is_refused) {
    const char *cursor = cursor_make(&r, last_item, filters);
    context.cursor_key[31] ^= 1;
    cr_expect_null(cursor_read(&r, cursor, filters));
}

Test(cursor, a_text_that_is_not_a_cursor_is_refused) {
    static const char *const texts[] = {
        "", "A", "AAAA", "0", "null", "AAAAAAAAAAAAAAAA", "a=b&", "../../", "%00", "Zg==", " "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_expect_null(cursor_read(&r, texts[i], filters), "%s", texts[i]);
    }
}
