/* Tests of the audit entry of an answer, and of the positions in the chain. */
#include "service/db/audit.h"
#include "service/db/audit_watch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPERATION, KIND, REQUEST, COLLECTION, IDS, PARTS, ITEMS };

#define A "01890a5d-ac96-774b-bcce-b302099a8057"
#define B "01890a5d-ac96-774b-bcce-b302099a8058"
#define C "01890a5d-ac96-774b-bcce-b302099a8059"

static arena *memory;
static const char *made[AUDIT_PARAMETERS];

static void begin(void) {
    memory = arena_new();
}

static void end(void) {
    arena_free(memory);
}

TestSuite(audit, .init = begin, .fini = end);

static void record(const char *id, const char *part, const char *answer) {
    const audit_note note = {.operation = "getThing",
                             .kind = "read",
                             .request = "r-1",
                             .collection = "things",
                             .id = id,
                             .part = part};
    audit_parameters(&note, answer, made, memory);
}

Test(audit, a_document_shows_its_own_identifier) {
    record(NULL, NULL, "{\"name\" : \"x\", \"id\" : \"" A "\"}");
    cr_expect_str_eq(made[OPERATION], "getThing");
    cr_expect_str_eq(made[REQUEST], "r-1");
    cr_expect_str_eq(made[COLLECTION], "things");
    cr_expect_str_eq(made[IDS], "{" A "}");
    cr_expect_str_eq(made[PARTS], "{}");
    cr_expect_null(made[ITEMS]);
}

Test(audit, a_resource_named_by_the_path_is_not_its_own_part) {
    record(A, NULL, "{\"id\":\"" A "\"}");
    cr_expect_str_eq(made[IDS], "{" A "}");
    cr_expect_str_eq(made[PARTS], "{}");
}

Test(audit, a_resource_named_by_its_reference_is_recorded_with_its_identifier) {
    record("LR-2026-GLA-0042", NULL, "{\"id\":\"" A "\",\"parts\":[{\"id\":\"" B "\"}]}");
    cr_expect_str_eq(made[IDS], "{" A "}");
    cr_expect_str_eq(made[PARTS], "{}");
}

Test(audit, a_part_in_path_and_answer_appears_once) {
    record(A, B, "{\"id\":\"" B "\",\"case_id\":\"" A "\"}");
    cr_expect_str_eq(made[IDS], "{" A "}");
    cr_expect_str_eq(made[PARTS], "{" B "}");
}

Test(audit, a_list_shows_its_items) {
    const char *list = "[{\"id\" : \"" A "\", \"links\" : {\"id\" : \"" C "\"}}, \n {\"id\" : \"" B
                       "\", \"more\": [{\"id\": \"" C "\"}]}]";
    record(NULL, NULL, list);
    cr_expect_str_eq(made[IDS], "{" A "," B "}");
    cr_expect_str_eq(made[ITEMS], "2");
    record(C, NULL, list);
    cr_expect_str_eq(made[IDS], "{" C "}");
    cr_expect_str_eq(made[PARTS], "{" A "," B "}");
}

Test(audit, only_the_items_inside_a_document_are_found) {
    record(NULL, NULL,
           "{\"others\":[{\"id\":\"" C "\"}],\"items\":[{\"id\":\"" A
           "\"},{\"id\":null},{\"a\":{\"id\":\"" C "\"},\"id\":\"" B
           "\"}],\"after\":{\"x\":{\"id\":\"" C "\"}}}");
    cr_expect_str_eq(made[IDS], "{" A "," B "}");
    cr_expect_str_eq(made[ITEMS], "3");
}

Test(audit, text_that_looks_like_a_member_is_text) {
    record(NULL, NULL,
           "{\"note\":\"\\\"id\\\":\\\"" C "\\\"\",\"id\":\"" A
           "\",\"last\":\"ends with \\\\\",\"idle\":\"" C "\",\"x\":[\"id\",\"" C "\"]}");
    cr_expect_str_eq(made[IDS], "{" A "}");
}

Test(audit, other_strings_than_identifiers_are_left_out) {
    record(NULL, NULL, "[{\"id\":\"4711\"},{\"id\":\"" A "x\"},{\"id\":17}]");
    cr_expect_str_eq(made[IDS], "{}");
    cr_expect_str_eq(made[ITEMS], "3");
}

Test(audit, without_an_answer_the_path_names_the_resource) {
    record(A, NULL, NULL);
    cr_expect_str_eq(made[IDS], "{" A "}");
    record(NULL, NULL, "");
    cr_expect_str_eq(made[IDS], "{}");
}

Test(audit, the_largest_list_of_identifiers_is_complete) {
    enum { MANY = 1000 };
    char *list = arena_alloc(memory, MANY * 64 + 3);
    char *at = list;
    for (int i = 0; i < MANY; i++) {
        at += sprintf(at, "%c{\"id\":\"" A "\"}", i == 0 ? '[' : ',');
    }
    strcpy(at, "]");
    record(NULL, NULL, list);
    cr_expect_eq(strlen(made[IDS]), (size_t)MANY * 37 + 1);
    cr_expect_str_eq(made[ITEMS], "1000");
}

Test(audit, an_anchor_is_read_and_written_unchanged) {
    const char *text = "4711:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
    char again[AUDIT_ANCHOR_MAX];
    audit_place place;
    cr_expect(audit_place_read(text, &place));
    cr_expect_eq(place.position, 4711);
    audit_place_write(&place, again);
    cr_expect_str_eq(again, text);
}

Test(audit, an_invalid_anchor_is_refused) {
    audit_place place;
    const char *const wrong[] = {
        "",
        ":",
        "12",
        "12:",
        "12:00",
        ("-1:" A),
        "x:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff",
        "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1efg",
        "1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff0",
        "-1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_not(audit_place_read(wrong[i], &place), "%s", wrong[i]);
    }
}

/* --- the file of anchors --- */

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Writes the text to a new file and reads its last anchor; position 0 if there is none. */
static audit_place last_of(const char *text) {
    char name[] = "/tmp/lr-anchors-XXXXXX";
    int file = mkstemp(name);
    audit_place last = {0};
    cr_assert(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    if (!audit_anchor_file_last(name, &last)) {
        last = (audit_place){0};
    }
    close(file);
    unlink(name);
    return last;
}

Test(audit, the_last_whole_line_of_the_file_is_the_anchor) {
    audit_place last = last_of("2026-11-30T10:00:00Z 12:" HASH " 15\n"
                               "2026-11-30T10:01:00Z 20:" HASH " 31\n");
    cr_expect(last.position == 20 && last.number == 31 && last.hash[1] == 0x11);
}

Test(audit, an_incomplete_line_is_not_an_anchor) {
    const char *const torn[] = {"2026-11-30T10:01:00Z 20:" HASH " 31", "2026-11-30T10:01:00Z 20:00",
                                "2026-11-30T10:01:00Z 20:" HASH "\n", "2026-11\n", "\n"};
    for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
        char text[400];
        snprintf(text, sizeof text, "%s%s", "2026-11-30T10:00:00Z 12:" HASH " 15\n", torn[i]);
        cr_expect(last_of(text).position == 12, "after: %s", torn[i]);
    }
}

Test(audit, a_file_without_anchors_or_a_missing_file_gives_none) {
    audit_place last;
    cr_expect(last_of("").position == 0 && last_of("nothing\n").position == 0);
    cr_expect_not(audit_anchor_file_last("/nowhere/at/all", &last));
}

Test(audit, a_long_file_is_read_from_its_end) {
    char text[20000] = "";
    size_t length = 0;
    for (int i = 1; i <= 150; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   "2026-11-30T10:00:00Z %d:" HASH " %d\n", i, 2 * i);
    }
    audit_place last = last_of(text);
    cr_expect(last.position == 150 && last.number == 300);
}
