/* From method and path to an operation. */
#include "service/contract/contract.h"
#include "service/contract/problems.h"

#include <criterion/criterion.h>
#include <string.h>

static arena *memory;

static void start(void) {
    memory = arena_new();
}

static void stop(void) {
    arena_free(memory);
}

TestSuite(route, .init = start, .fini = stop);

static const char *id_of(const char *method, const char *path) {
    contract_match match = contract_route(method, path, memory);
    return match.operation == NULL ? "" : match.operation->id;
}

Test(route, finds_operations) {
    cr_expect_str_eq(id_of("GET", "/"), "getRoot");
    cr_expect_str_eq(id_of("HEAD", "/"), "getRoot");
    cr_expect_str_eq(id_of("GET", "/things"), "listThings");
    cr_expect_str_eq(id_of("POST", "/things"), "pushThing");
    cr_expect_str_eq(id_of("PATCH", "/things/7"), "changeThing");
}

Test(route, takes_values) {
    contract_match match = contract_route("GET", "/things/a:b/parts/%C3%A9%20%25", memory);
    cr_assert_not_null(match.operation);
    cr_expect_str_eq(match.operation->id, "getPart");
    cr_assert(match.value_count == 2);
    cr_expect_str_eq(match.names[0], "id");
    cr_expect_str_eq(match.values[0], "a:b");
    cr_expect_str_eq(match.names[1], "part");
    cr_expect_str_eq(match.values[1], "\xC3\xA9 %");
}

Test(route, literal_wins_over_parameter) {
    cr_expect_str_eq(id_of("POST", "/things/batch"), "pushThings");
    contract_match match = contract_route("GET", "/things/batch", memory);
    cr_expect_null(match.operation);
    cr_expect(match.path_known);
    cr_expect_str_eq(match.allow, "POST, OPTIONS");
}

Test(route, a_suffix_asks_for_csv_where_there_is_some) {
    contract_match match = contract_route("GET", "/parts.csv", memory);
    cr_assert_not_null(match.operation);
    cr_expect_str_eq(match.operation->id, "listParts");
    cr_expect_str_eq(match.format, "csv");
    cr_expect_str_eq(match.operation->columns[1], "open.id");
    cr_expect_str_eq(id_of("HEAD", "/parts.csv"), "listParts");
    cr_expect_null(contract_route("GET", "/parts", memory).format);
    match = contract_route("POST", "/parts.csv", memory);
    cr_expect(match.operation == NULL && match.path_known);
    cr_expect_str_eq(match.allow, "GET, HEAD, OPTIONS");
    static const char *const others[] = {"/things.csv", "/parts.csv.csv", "/parts.json", "/.csv",
                                         ".csv",        "/parts%2Ecsv",   "/parts/.csv"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        match = contract_route("GET", others[i], memory);
        cr_expect(match.operation == NULL && !match.path_known, "%s", others[i]);
    }
    match = contract_route("GET", "/things/7.csv", memory);
    cr_assert_not_null(match.operation);
    cr_expect_str_eq(match.values[0], "7.csv");
}

Test(route, lists_methods) {
    contract_match match = contract_route("DELETE", "/things", memory);
    cr_expect_null(match.operation);
    cr_expect(match.path_known);
    cr_expect_str_eq(match.allow, "GET, HEAD, POST, OPTIONS");
    cr_expect_str_eq(contract_route("get", "/things/1", memory).allow, "GET, HEAD, PATCH, OPTIONS");
    cr_expect_null(contract_route("HEAD", "/things/batch", memory).operation);
}

Test(route, only_canonical_paths) {
    const char *paths[] = {"",
                           "*",
                           "things",
                           "/things/",
                           "//things",
                           "//",
                           "/things//x",
                           "/./things",
                           "/x/../things",
                           "/things/..",
                           "/things/%2",
                           "/things/%",
                           "/things/%zz",
                           "/things/%2F",
                           "/things/%00",
                           "/things/a b",
                           "/things/%41",
                           "/things/%2E%2E",
                           "/things/%7E",
                           "/things/%0A",
                           "/things/%FF",
                           "/things/%C3",
                           "/things/\xC3\xA9",
                           "/things?x=1",
                           "/things#x",
                           "/%74hings",
                           "/Things",
                           "/thing",
                           "/thingss",
                           "/things/1/parts",
                           "/things/1/parts/2/3",
                           "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r",
                           "/things/a\\b",
                           "/things/%ED%A0%80",
                           "/things/%7F",
                           "/things/<",
                           "/things/\""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        contract_match match = contract_route("GET", paths[i], memory);
        cr_expect_null(match.operation, "%s", paths[i]);
        cr_expect_not(match.path_known, "%s", paths[i]);
    }
}

Test(route, tables_hold_what_the_contract_says) {
    contract_match match = contract_route("PATCH", "/things/1", memory);
    const contract_operation *change = match.operation;
    cr_assert_not_null(change);
    cr_expect(change->max_bytes == 1000 && change->body_required && change->success == 200);
    cr_expect_str_eq(change->scopes[0], "things.write");
    cr_expect_not(change->public);
    cr_expect_str_eq(change->bodies[0].media_type, "application/merge-patch+json");
    const contract_operation *list = contract_route("GET", "/things", memory).operation;
    cr_expect_str_eq(list->deprecation, "@1796083200");
    cr_expect_str_eq(list->sunset, "Wed, 01 Dec 2027 00:00:00 GMT");
    cr_expect(list->body_count == 0 && list->max_bytes == 65536);
    cr_expect_str_eq(list->produces[0], "application/json");
    cr_expect(contract_route("POST", "/things/batch", memory).operation->success == 207);
    const contract_operation *root = contract_route("GET", "/", memory).operation;
    cr_expect(root->public && root->scopes[0] == NULL);
    const contract_operation *parts = contract_route("GET", "/parts", memory).operation;
    cr_expect(parts->public && parts->scopes[0] != NULL);
    cr_expect_str_eq(contract_version, "1.2.3");
}

Test(route, documents_are_embedded) {
    cr_expect(contract_yaml_size > 100 && contract_yaml[0] == '#');
    cr_expect(memcmp(contract_json, "{\"openapi\":\"3.1.0\"", 18) == 0);
    cr_expect(contract_json[contract_json_size - 1] == '\n');
    cr_expect(problem_kind_count == 2);
    cr_expect_str_eq(problem_kinds[1].code, "overloaded");
    cr_expect(problem_kinds[1].status == 503 && problem_kinds[1].retryable);
}
