/* Bodies against schemas: rules, places, messages, defaults, free text. */
#include "service/contract/contract.h"

#include <criterion/criterion.h>
#include <string.h>

#define MINIMUM "\"name\": \"abc\", \"kind\": \"big\""

static arena *memory;

static void start(void) {
    memory = arena_new();
    cr_assert(contract_start());
}

static void stop(void) {
    contract_stop();
    arena_free(memory);
}

TestSuite(check, .init = start, .fini = stop);

static const contract_schema *schema_of(const char *method, const char *path) {
    return contract_route(method, path, memory).operation->bodies[0].schema;
}

static json_t *parse(const char *text) {
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(value, "%s", text);
    return value;
}

static const char *list_text(const violation_list *list) {
    const char *text = "";
    for (const violation *each = list->first; each != NULL; each = each->next) {
        cr_expect(each->place == PLACE_BODY);
        text = arena_printf(memory, "%s%s%s %s", text, *text == '\0' ? "" : "; ", each->name,
                            each->rule);
    }
    return text;
}

static const char *check(const contract_schema *schema, const char *text) {
    json_t *value = parse(text);
    violation_list list = violation_list_make(memory);
    contract_check_value(schema, value, "", &list);
    json_decref(value);
    return list_text(&list);
}

static const char *check_thing(const char *members) {
    const char *text = arena_printf(memory, "{" MINIMUM "%s%s}", *members ? ", " : "", members);
    return check(schema_of("POST", "/things"), text);
}

Test(check, valid_things) {
    const char *valid[] = {
        "",
        "\"maybe\": null, \"always\": \"12:30\", \"age\": null",
        "\"maybe\": \"yes\", \"age\": 25, \"share\": 0.5",
        "\"age\": 7.0, \"share\": 1",
        "\"tags\": [\"a\", \"b\"], \"numbers\": [1, 2, 1.5]",
        "\"parts\": [{\"code\": \"ABC\"}, {\"code\": \"XYZ\", \"note\": null, \"sure\": true}]",
        "\"open\": {\"x\": 1}, \"any\": [null]",
    };
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        cr_expect_str_eq(check_thing(valid[i]), "", "%s", valid[i]);
    }
}

Test(check, each_rule) {
    const char *cases[][2] = {
        {"\"more\": 1", "/more unknown_member"},
        {"\"age\": \"7\"", "/age type"},
        {"\"age\": 7.5", "/age type"},
        {"\"age\": true", "/age type"},
        {"\"age\": -1", "/age minimum"},
        {"\"age\": 26.0", "/age maximum"},
        {"\"share\": 1.01", "/share maximum"},
        {"\"share\": -0.01", "/share minimum"},
        {"\"maybe\": \"perhaps\"", "/maybe enum"},
        {"\"maybe\": \"yes\\n\"", "/maybe enum"},
        {"\"always\": null", "/always type"},
        {"\"always\": \"12:31\"", "/always enum"},
        {"\"day\": \"2026-02-29\"", "/day format"},
        {"\"id\": \"x\"", "/id format"},
        {"\"tags\": []", "/tags min_items"},
        {"\"tags\": [\"a\", \"a\", \"b\", \"c\"]", "/tags max_items"},
        {"\"tags\": [\"a\", \"b\", \"a\"]", "/tags/2 unique_items"},
        {"\"numbers\": [1, 1.0]", "/numbers/1 unique_items"},
        {"\"parts\": [{\"code\": \"ABC\"}, {\"sure\": 1}]",
         "/parts/1/code required; /parts/1/sure type"},
        {"\"parts\": [{\"code\": \"ABC\\n\"}]", "/parts/0/code max_length; /parts/0/code pattern"},
        {"\"parts\": {}", "/parts type"},
        {"\"a/b~c\": 1", "/a~1b~0c type"},
        {"\"x/y~z\": 1", "/x~1y~0z unknown_member"},
        {"\"open\": {}", "/open min_properties"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_str_eq(check_thing(cases[i][0]), cases[i][1], "%s", cases[i][0]);
    }
}

Test(check, whole_documents) {
    const contract_schema *thing = schema_of("POST", "/things");
    cr_expect_str_eq(check(thing, "[]"), " type");
    cr_expect_str_eq(check(thing, "null"), " type");
    cr_expect_str_eq(check(thing, "{}"), "/name required; /kind required");
    cr_expect_str_eq(check(schema_of("PATCH", "/things/1"), "{}"), " min_properties");
    const contract_schema *batch = schema_of("POST", "/things/batch");
    cr_expect_str_eq(check(batch, "[]"), " min_items");
    cr_expect_str_eq(check(batch, "[{" MINIMUM "}, {}]"), "/1/name required; /1/kind required");
}

Test(check, lengths_count_code_points) {
    const contract_schema *change = schema_of("PATCH", "/things/1");
    cr_expect_str_eq(check(change, "{\"name\": \"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xC3\xA9x\"}"),
                     "");
    cr_expect_str_eq(check(change, "{\"name\": \"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"}"),
                     "/name max_length");
    const contract_schema *thing = schema_of("POST", "/things");
    cr_expect_str_eq(check(thing, "{\"kind\": \"big\", \"name\": \"\xF0\x9F\x98\x80\"}"),
                     "/name min_length");
    cr_expect_str_eq(check(thing, "{\"kind\": \"big\", \"name\": \"\xC3\xA9\xC3\xA9\"}"), "");
}

Test(check, pointer_starts_with_prefix) {
    json_t *value = parse("{\"kind\": \"big\", \"name\": 1}");
    violation_list list = violation_list_make(memory);
    contract_check_value(schema_of("POST", "/things"), value, "/12", &list);
    cr_expect_str_eq(list_text(&list), "/12/name type");
    json_decref(value);
}

Test(check, messages_name_the_bound_and_not_the_value) {
    json_t *value =
        parse("{\"name\": \"secret\", \"kind\": \"secret\", \"age\": 99, \"tags\": []}");
    violation_list list = violation_list_make(memory);
    contract_check_value(schema_of("POST", "/things"), value, "", &list);
    const char *expected[] = {"must have at most 4 characters", "must be one of: big, small",
                              "must be at most 25", "must have at least 1 item"};
    size_t i = 0;
    for (const violation *each = list.first; each != NULL; each = each->next) {
        cr_assert(i < sizeof expected / sizeof *expected);
        cr_expect_str_eq(each->message, expected[i++]);
    }
    cr_expect(i == 4);
    json_decref(value);
}

Test(check, embedded_nul_is_not_the_end) {
    json_t *value = parse("{\"name\": \"abc\"}");
    json_object_set_new(value, "kind", json_stringn("big\0x", 5));
    violation_list list = violation_list_make(memory);
    contract_check_value(schema_of("POST", "/things"), value, "", &list);
    cr_expect_str_eq(list_text(&list), "/kind enum");
    json_decref(value);
}

Test(check, hostile_documents_are_cut) {
    json_t *value = parse("{" MINIMUM "}");
    for (int i = 0; i < 5000; i++) {
        json_object_set_new(value, arena_printf(memory, "unknown%d", i), json_null());
    }
    violation_list list = violation_list_make(memory);
    contract_check_value(schema_of("POST", "/things"), value, "", &list);
    cr_expect(list.count == VIOLATIONS_MAX);
    cr_expect(violation_list_all(&list, "unknown_member"));
    json_decref(value);
    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_expect_str_eq(check_thing(arena_printf(memory, "\"%s\": 1", name)), " unknown_member");
}

Test(check, defaults_are_set) {
    json_t *value = parse("{\"name\": \"abc\", \"age\": 7.0, \"parts\": [{\"code\": \"ABC\"}]}");
    contract_apply_defaults(schema_of("POST", "/things"), value);
    json_t *expected = parse(
        "{\"name\": \"abc\", \"kind\": \"big\", \"age\": 7, \"tags\": [\"a\"], \"numbers\": [],"
        "\"parts\": [{\"code\": \"ABC\", \"note\": null, \"sure\": false}]}");
    cr_expect(json_equal(value, expected));
    contract_apply_defaults(schema_of("POST", "/things"), value);
    cr_expect(json_equal(value, expected), "a second time changes nothing");
    json_decref(value);
    json_decref(expected);
    json_t *text = json_string("no object");
    contract_apply_defaults(schema_of("POST", "/things"), text);
    json_decref(text);
}

static const char *find_x(const char *text) {
    return strchr(text, 'X') == NULL ? NULL : "chi_number";
}

Test(check, free_text_is_scanned) {
    json_t *value = parse("{\"name\": \"X\", \"a/b~c\": \"X\", \"parts\": [{\"note\": \"no\"},"
                          "{\"code\": \"XXX\", \"note\": \"X\"}, {\"note\": null}]}");
    violation_list list = violation_list_make(memory);
    contract_scan_free_text(schema_of("POST", "/things"), value, "/0", find_x, &list);
    cr_expect_str_eq(list_text(&list), "/0/parts/1/note personal_identifier; "
                                       "/0/a~1b~0c personal_identifier");
    cr_expect_not_null(strstr(list.first->message, "chi number"));
    json_decref(value);
}

Test(check, identifiers_are_scanned) {
    json_t *value = parse("{\"name\": \"X\", \"a/b~c\": \"X\", \"parts\": [{\"code\": \"ABC\"},"
                          "{\"code\": \"XXX\", \"note\": \"X\"}, {\"code\": null}]}");
    violation_list list = violation_list_make(memory);
    contract_scan_identifiers(schema_of("POST", "/things"), value, "/0", find_x, &list);
    cr_expect_str_eq(list_text(&list), "/0/parts/1/code personal_identifier");
    json_decref(value);
}

Test(check, works_again_after_stop) {
    contract_stop();
    cr_expect_str_eq(check_thing("\"parts\": [{\"code\": \"ABC\"}]"), "/parts/0/code pattern",
                     "without patterns nothing is let through");
    cr_assert(contract_start());
    cr_expect_str_eq(check_thing("\"parts\": [{\"code\": \"ABC\"}]"), "");
}
