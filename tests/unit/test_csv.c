/* Tests of lists as CSV: columns, kinds of values, quotation marks and formulas. */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static arena *memory;

static void begin(void) {
    memory = arena_new();
}

static void end(void) {
    arena_free(memory);
}

TestSuite(csv, .init = begin, .fini = end);

static const char *csv_of(const char *items, const char *const *columns) {
    static request r;
    static contract_operation operation;
    operation = (contract_operation){.columns = columns, .collection = "things"};
    r = (request){.memory = memory, .operation = &operation};
    respond_items_csv(&r, items);
    cr_expect_str_eq(r.content_type, "text/csv; charset=utf-8");
    return arena_strndup(memory, r.response, r.response_size);
}

/* The cell that a text becomes. */
static const char *cell_of(const char *text) {
    static const char *const columns[] = {"a", NULL};
    json_t *items = json_pack("[{s:s}]", "a", text);
    char *written = json_dumps(items, 0);
    const char *csv = csv_of(written, columns);
    free(written);
    json_decref(items);
    cr_expect(strncmp(csv, "a\r\n", 3) == 0);
    return arena_strndup(memory, csv + 3, strlen(csv) - 5);
}

Test(csv, each_kind_of_value_is_a_cell) {
    static const char *const columns[] = {"text", "number", "no",     "many",
                                          "one",  "in.it",  "in.not", NULL};
    cr_expect_str_eq(
        csv_of("[{\"text\":\"a b\",\"number\":-7,\"no\":null,\"many\":[\"x\",\"y\"],"
               "\"one\":true,\"in\":{\"it\":false}},{\"many\":[]}]",
               columns),
        "text,number,no,many,one,in.it,in.not\r\na b,-7,,x y,true,false,\r\n,,,,,,\r\n");
    cr_expect_str_eq(csv_of("[]", columns), "text,number,no,many,one,in.it,in.not\r\n");
}

Test(csv, a_cell_has_quotation_marks_when_it_needs_them) {
    static const char *const rows[][2] = {{"", ""},
                                          {"plain", "plain"},
                                          {"a,b", "\"a,b\""},
                                          {"a;b", "\"a;b\""},
                                          {"a\nb", "\"a\nb\""},
                                          {"say \"x\"", "\"say \"\"x\"\"\""},
                                          {"\"", "\"\"\"\""},
                                          {"\xC3\xA0 \xE2\x9C\x93", "\xC3\xA0 \xE2\x9C\x93"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_str_eq(cell_of(rows[i][0]), rows[i][1]);
    }
}

Test(csv, no_text_is_a_formula) {
    static const char *const rows[][2] = {
        {"=1+1", "\"'=1+1\""}, {"+44", "\"'+44\""},   {"-2", "\"'-2\""},
        {"@A1", "\"'@A1\""},   {"\t=1", "\"'\t=1\""}, {"\r=1", "\"'\r=1\""},
        {"1=1", "1=1"},        {"'=1", "'=1"},        {"=\"x\"", "\"'=\"\"x\"\"\""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_str_eq(cell_of(rows[i][0]), rows[i][1]);
    }
}

Test(csv, a_long_list_is_whole) {
    static const char *const columns[] = {"a", NULL};
    const char *items = "[";
    for (int i = 0; i < 300; i++) {
        items = arena_printf(memory, "%s%s{\"a\":\"row %d\"}", items, i == 0 ? "" : ",", i);
    }
    const char *csv = csv_of(arena_printf(memory, "%s]", items), columns);
    const char *last = strstr(csv, "row 299\r\n");
    cr_assert_not_null(last);
    cr_expect_str_eq(last, "row 299\r\n");
}
