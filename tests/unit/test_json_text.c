/* Tests of the compact style of JSON: nothing but the white space between tokens is left out. */
#include "service/db/json_text.h"

#include <criterion/criterion.h>

static void expect_compact(const char *text, const char *compact) {
    arena *memory = arena_new();
    cr_expect_str_eq(json_text_compact(text, memory), compact, "%s", text);
    arena_free(memory);
}

Test(json_text, white_space_between_tokens_is_left_out) {
    expect_compact("{\"id\" : \"a\", \"list\": [1, 2,\n\t{\"b\":null} ] }\r\n",
                   "{\"id\":\"a\",\"list\":[1,2,{\"b\":null}]}");
    expect_compact("  -1.5e3 ", "-1.5e3");
    expect_compact("", "");
}

Test(json_text, strings_stay_as_they_are) {
    static const char *const texts[] = {
        "\"a b : c , d\"",        "\"say \\\" : \\\" twice\"",     "\"ends with \\\\\"",
        "\"tab\\t and \\u00e9\"", "\"\xc3\xa9 \xf0\x9f\x98\x80\"", "[\" \",\"\\\\\",\" \"]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        expect_compact(texts[i], texts[i]);
    }
}

Test(json_text, text_that_ends_within_a_string_is_copied_to_its_end) {
    expect_compact("\"open ", "\"open ");
    expect_compact("\"open \\", "\"open \\");
}
