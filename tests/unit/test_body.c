/* Tests of reading a body: what its parsing may cost, whatever form it comes in. */
#include "service/http/exchange_parts.h"

#include <criterion/criterion.h>
#include <string.h>

enum { VALUES_MOST = 200000 };

static const config settings = {.public_url = "http://127.0.0.1:8080"};
static service shared = {.settings = &settings};
static exchange x;
static contract_pair type = {"Content-Type", NULL};

static void begin(void) {
    x = (exchange){.memory = arena_new(),
                   .shared = &shared,
                   .operation = contract_find("pushReferrals"),
                   .request = {.method = "POST", .headers = &type, .header_count = 1}};
}

static void end(void) {
    json_decref(x.body);
    arena_free(x.memory);
}

TestSuite(body, .init = begin, .fini = end);

/* Reads a body that has the piece so often between what opens and closes it. */
static bool read_pieces(const char *media_type, const char *open, const char *piece, size_t count,
                        const char *close) {
    size_t length = strlen(piece);
    char *text = arena_alloc(x.memory, strlen(open) + count * length + strlen(close) + 1);
    char *end_of_text = stpcpy(text, open);
    for (size_t i = 0; i < count; i++) {
        end_of_text = stpcpy(end_of_text, piece);
    }
    stpcpy(end_of_text, close);
    type.value = media_type;
    x.request.body = text;
    x.request.body_size = strlen(text);
    return exchange_read_body(&x);
}

Test(body, given_as_many_lines_as_may_be_when_read_then_all_are_there) {
    cr_assert(read_pieces("application/x-ndjson", "", "1\n", VALUES_MOST, ""));
    cr_expect_eq(json_array_size(x.body), VALUES_MOST);
}

Test(body, given_one_line_more_when_read_then_it_is_refused) {
    cr_assert_not(read_pieces("application/x-ndjson", "", "1\n", VALUES_MOST + 1, ""));
    cr_expect_eq(x.status, 400);
    cr_expect_str_eq(x.problem, "malformed_json");
}

Test(body, given_lines_of_objects_when_read_then_they_count_together) {
    cr_expect_not(read_pieces("application/x-ndjson", "", "{}\n", VALUES_MOST, ""));
    cr_expect_null(x.body);
}

Test(body, given_an_array_of_too_many_values_when_read_then_it_is_refused) {
    cr_assert_not(read_pieces("application/json", "[", "1,", VALUES_MOST, "1]"));
    cr_expect_str_eq(x.problem, "malformed_json");
}

Test(body, given_empty_lines_when_read_then_they_count_for_nothing) {
    cr_assert(read_pieces("application/x-ndjson", "{}\n", "\n", 3 * VALUES_MOST, "{}"));
    cr_expect_eq(json_array_size(x.body), 2);
}
