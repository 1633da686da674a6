/* Path values, query and headers against the contract. */
#include "service/contract/contract.h"

#include <criterion/criterion.h>
#include <string.h>

static arena *memory;

static void start(void) {
    memory = arena_new();
    cr_assert(contract_start());
}

static void stop(void) {
    contract_stop();
    arena_free(memory);
}

TestSuite(parameters, .init = start, .fini = stop);

static const char *list_text(const violation_list *list) {
    static const char *const places[] = {"body", "query", "path", "header", "state"};
    const char *text = "";
    for (const violation *each = list->first; each != NULL; each = each->next) {
        text = arena_printf(memory, "%s%s%s %s %s", text, *text == '\0' ? "" : "; ",
                            places[each->place], each->name, each->rule);
    }
    return text;
}

static const char *check(const char *method, const char *path, const contract_pair *query,
                         size_t query_count, const contract_pair *headers, size_t header_count) {
    contract_match match = contract_route(method, path, memory);
    violation_list list = violation_list_make(memory);
    contract_check_parameters(match.operation, &match, query, query_count, headers, header_count,
                              &list);
    return list_text(&list);
}

/* Checks GET /things?kind=big with one more pair. */
static const char *check_query(const char *name, const char *value) {
    contract_pair query[] = {{"kind", "big"}, {name, value}};
    return check("GET", "/things", query, 2, NULL, 0);
}

Test(parameters, values_of_each_type) {
    const char *valid[][2] = {
        {"limit", "1"},
        {"limit", "200"},
        {"overdue", "true"},
        {"overdue", "false"},
        {"from", "2024-02-29"},
        {"code", "ABC"},
        {"expand", "one"},
        {"expand", "three,one,two"},
        {"owner", "018f2d3e-0000-7000-8000-000000000000"},
    };
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        cr_expect_str_eq(check_query(valid[i][0], valid[i][1]), "", "%s", valid[i][1]);
    }
}

Test(parameters, each_rule) {
    const char *cases[][3] = {
        {"limit", "0", "query limit minimum"},
        {"limit", "201", "query limit maximum"},
        {"limit", "-5", "query limit minimum"},
        {"limit", "", "query limit type"},
        {"limit", "-", "query limit type"},
        {"limit", "07", "query limit type"},
        {"limit", "+7", "query limit type"},
        {"limit", "7.0", "query limit type"},
        {"limit", " 7", "query limit type"},
        {"limit", "99999999999999999999999999", "query limit type"},
        {"overdue", "1", "query overdue type"},
        {"overdue", "TRUE", "query overdue type"},
        {"from", "2026-02-29", "query from format"},
        {"owner", "x", "query owner format"},
        {"code", "abc", "query code pattern"},
        {"code", "ABC\n", "query code pattern"},
        {"code", "\xFF", "query code format"},
        {"expand", "five", "query expand enum"},
        {"expand", "", "query expand enum"},
        {"expand", "one,", "query expand enum"},
        {"expand", "one,one", "query expand unique_items"},
        {"expand", "one,two,three,four", "query expand max_items"},
        {"unknown", "x", "query unknown unknown_parameter"},
        {"", "x", "query  unknown_parameter"},
        {"Limit", "1", "query Limit unknown_parameter"},
        {"kind", "big", "query kind repeated_parameter"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_str_eq(check_query(cases[i][0], cases[i][1]), cases[i][2], "%s=%s", cases[i][0],
                         cases[i][1]);
    }
}

Test(parameters, required_and_unknown) {
    cr_expect_str_eq(check("GET", "/things", NULL, 0, NULL, 0), "query kind required");
    contract_pair query[] = {{"x", "1"}, {"x", "2"}, {"y", "3"}};
    cr_expect_str_eq(check("GET", "/", query, 3, NULL, 0),
                     "query x unknown_parameter; query y unknown_parameter");
}

Test(parameters, path_values) {
    const char *id = "/things/018f2d3e-0000-7000-8000-000000000000";
    cr_expect_str_eq(check("GET", id, NULL, 0, NULL, 0), "");
    cr_expect_str_eq(check("GET", "/things/7", NULL, 0, NULL, 0), "path id format");
    cr_expect_str_eq(check("GET", "/things/7/parts/12345", NULL, 0, NULL, 0),
                     "path part max_length");
}

Test(parameters, headers_without_case) {
    const char *id = "/things/018f2d3e-0000-7000-8000-000000000000";
    contract_pair good[] = {{"x-reason", "why"}, {"IF-MATCH", "\"1\""}, {"Accept", "*/*"}};
    cr_expect_str_eq(check("PATCH", id, NULL, 0, good, 3), "");
    contract_pair twice[] = {{"x-reason", "why"}, {"if-match", "\"1\""}, {"If-Match", "\"1\""}};
    cr_expect_str_eq(check("PATCH", id, NULL, 0, twice, 3), "header If-Match repeated_parameter");
    cr_expect_str_eq(check("PATCH", id, NULL, 0, NULL, 0), "header X-Reason required",
                     "a missing If-Match is answered later, with 428");
    contract_pair bad[] = {{"If-None-Match", "123456789"}};
    cr_expect_str_eq(check("GET", id, NULL, 0, bad, 1),
                     "header If-None-Match max_length; header If-None-Match pattern");
}

Test(parameters, hostile_names_are_cut) {
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    contract_pair query[] = {{name, ""}, {"\xFF", ""}};
    contract_match match = contract_route("GET", "/", memory);
    violation_list list = violation_list_make(memory);
    contract_check_parameters(match.operation, &match, query, 2, NULL, 0, &list);
    cr_assert(list.count == 2);
    cr_expect(strlen(list.first->name) == 64);
    cr_expect_str_eq(list.last->name, "(not UTF-8)");
}
