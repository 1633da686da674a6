/* Tests of the references that replace children's identifiers. */
#include "api/pseudonym.h"
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>

static app_context context;
static request r;

static void begin(void) {
    static const config settings = {.public_url = "http://127.0.0.1:8080"};
    context.settings = &settings;
    memset(context.pseudonym_key, 0x2a, SECRET_SIZE);
    r = (request){.memory = arena_new(),
                  .context = &context,
                  .authenticated = true,
                  .principal = {.organisation = "LA-S12000049"}};
}

static void end(void) {
    arena_free(r.memory);
}

TestSuite(pseudonym, .init = begin, .fini = end);

/* A member of the child after its identifiers were replaced; lives in the request. */
static const char *replaced(const char *child_id, const char *family_id, const char *committee,
                            const char *system, const char *name) {
    json_t *child = json_pack("{s:s, s:s?}", "child_id", child_id, "family_id", family_id);
    pseudonym_replace(&r, child, committee, system);
    const char *value = arena_strdup(r.memory, json_string_value(json_object_get(child, name)));
    json_decref(child);
    return value;
}

static const char *reference(const char *id, const char *committee, const char *system) {
    return replaced(id, NULL, committee, system, "child_ref");
}

Test(pseudonym, the_childs_own_identifiers_are_replaced) {
    json_t *child = json_pack("{s:s, s:s, s:s}", "child_id", "SECRET-1", "family_id", "SECRET-2",
                              "sex", "female");
    pseudonym_replace(&r, child, "GLA", "carefirst");
    char text[1000] = "";
    cr_assert_leq(json_dumpb(child, text, sizeof text - 1, 0), sizeof text - 1);
    cr_expect_null(strstr(text, "SECRET"), "%s", text);
    cr_expect_null(json_object_get(child, "child_id"));
    cr_expect_null(json_object_get(child, "family_id"));
    cr_expect_str_eq(json_string_value(json_object_get(child, "sex")), "female");
    json_decref(child);
}

Test(pseudonym, a_reference_is_sixteen_bytes_in_hexadecimal) {
    const char *made = reference("c-1", "GLA", "carefirst");
    cr_expect_eq(strlen(made), 32);
    cr_expect_eq(strspn(made, "0123456789abcdef"), 32);
}

Test(pseudonym, the_same_child_and_committee_give_the_same_reference) {
    cr_expect_str_eq(reference("c-1", "GLA", "carefirst"), reference("c-1", "GLA", "carefirst"));
}

Test(pseudonym, another_child_gives_another_reference) {
    cr_expect_str_neq(reference("c-1", "GLA", "carefirst"), reference("c-2", "GLA", "carefirst"));
}

Test(pseudonym, another_committee_gives_another_reference) {
    cr_expect_str_neq(reference("c-1", "GLA", "carefirst"), reference("c-1", "EDH", "carefirst"));
}

Test(pseudonym, another_system_gives_another_reference) {
    cr_expect_str_neq(reference("c-1", "GLA", "carefirst"), reference("c-1", "GLA", "mosaic"));
}

Test(pseudonym, another_organisation_gives_another_reference) {
    const char *first = reference("c-1", "GLA", "carefirst");
    memcpy(r.principal.organisation, "LA-S12000033", sizeof "LA-S12000033");
    cr_expect_str_neq(first, reference("c-1", "GLA", "carefirst"));
}

Test(pseudonym, another_key_gives_another_reference) {
    const char *first = reference("c-1", "GLA", "carefirst");
    context.pseudonym_key[0] ^= 1;
    cr_expect_str_neq(first, reference("c-1", "GLA", "carefirst"));
}

Test(pseudonym, names_that_join_to_the_same_text_give_different_references) {
    cr_expect_str_neq(reference("c-1", "GLA", "a"), reference("-1", "GLA", "ac"));
}

Test(pseudonym, a_family_with_a_childs_identifier_gives_a_different_reference) {
    cr_expect_str_neq(replaced("n-1", "n-1", "GLA", "carefirst", "family_ref"),
                      replaced("n-1", "n-1", "GLA", "carefirst", "child_ref"));
}

Test(pseudonym, two_children_of_a_family_have_the_same_family_reference) {
    cr_expect_str_eq(replaced("c-1", "f-1", "GLA", "carefirst", "family_ref"),
                     replaced("c-2", "f-1", "GLA", "carefirst", "family_ref"));
}

Test(pseudonym, a_missing_family_is_an_explicit_null) {
    json_t *child = json_pack("{s:s}", "child_id", "c-1");
    pseudonym_replace(&r, child, "GLA", "carefirst");
    cr_expect(json_is_null(json_object_get(child, "family_ref")));
    json_decref(child);
}

Test(pseudonym, when_no_hash_can_be_made_the_child_is_refused_without_identifiers) {
    json_t *child = json_pack("{s:s, s:s}", "child_id", "SECRET-1", "family_id", "SECRET-2");
    EVP_set_default_properties(NULL,
                               "provider=nobody"); /* OpenSSL finds no algorithm from here on */
    cr_expect_not(pseudonym_replace(&r, child, "GLA", "carefirst"));
    cr_expect_eq(r.status, 500);
    cr_expect_str_eq(r.problem, "internal");
    cr_expect_null(json_object_get(child, "child_id"));
    cr_expect_null(json_object_get(child, "child_ref"));
    cr_expect_null(json_object_get(child, "family_ref"));
    json_decref(child);
}
