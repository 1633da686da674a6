/* Tests of content negotiation: Accept and Accept-Encoding. */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const tables[] = {"application/json", "text/csv", NULL};
static const char *const events[] = {"application/json", "application/cloudevents-batch+json",
                                     NULL};
static const char *const json_only[] = {"application/json", NULL};

typedef struct row {
    const char *accept, *chosen;
} row;

static void expect_choices(const char *const *offered, const row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *chosen = negotiate_media_type(rows[i].accept, offered);
        cr_expect_str_eq(chosen == NULL ? "none" : chosen, rows[i].chosen, "Accept: %s gives %s",
                         rows[i].accept == NULL ? "(none)" : rows[i].accept,
                         chosen == NULL ? "none" : chosen);
    }
}

#define JSON "application/json"
#define CSV "text/csv"
#define CLOUD "application/cloudevents-batch+json"

Test(accept, weights_decide_between_json_and_csv) {
    static const row rows[] = {
        {NULL, JSON},
        {"", JSON},
        {"*/*", JSON},
        {CSV, CSV},
        {"Text/CSV", CSV},
        {"text/*", CSV},
        {"text/csv, application/json;q=0.5", CSV},
        {"application/json;q=0.5, text/csv", CSV},
        {"application/json;q=0.5,text/csv;q=0.501", CSV},
        {"text/csv;q=0.1, */*", JSON},
        {"*/*, text/csv;q=0.1", JSON},
        {"text/csv;q=0.1, */*;q=0.01", CSV},
        {"text/csv;q=0, */*", JSON},
        {"application/json;q=0, */*", CSV},
        {"application/*;q=0, */*;q=0.2", CSV},
        {"text/csv; charset=utf-8; header=present, application/json;q=0.9", CSV},
        {"text/csv;header=present;q=0.2, application/json;q=0.3", JSON},
        {"text/csvx, application/json;q=0.1", JSON},
        {"x-text/csv, application/json;q=0.1", JSON},
        {"text/html;a=\"text/csv, text/csv\", application/json;q=0.1", JSON},
        {"text/html;a=\"\\\", text/csv;q=1\", application/json;q=0.1", JSON},
        {"text/csv;q=0, application/json;q=0", "none"},
        {"*/*;q=0", "none"},
        {"image/png", "none"},
    };
    expect_choices(tables, rows, sizeof rows / sizeof rows[0]);
}

Test(accept, equal_weights_prefer_the_more_specific_range_then_the_services_order) {
    static const row rows[] = {
        {"text/csv, */*", CSV},
        {"*/*, text/csv", CSV},
        {"text/*, */*", CSV},
        {"text/csv, application/*", CSV},
        {"text/csv, " JSON, JSON},
        {JSON ", text/csv", JSON},
        {"text/csv;q=0.5, */*;q=0.5", CSV},
        {"text/*, application/*", JSON},
    };
    expect_choices(tables, rows, sizeof rows / sizeof rows[0]);
}

Test(accept, cloudevents_are_returned_only_when_preferred) {
    static const row rows[] = {
        {"*/*", JSON},
        {"application/*", JSON},
        {CLOUD, CLOUD},
        {"APPLICATION/CloudEvents-Batch+JSON", CLOUD},
        {CLOUD ", */*;q=0.1", CLOUD},
        {CLOUD ";q=0.5, application/json", JSON},
        {CLOUD ";q=0.5, */*", JSON},
        {CLOUD ";q=0, */*", JSON},
        {"application/cloudevents+json, */*;q=0.1", JSON},
        {"application/cloudevents+json", "none"},
        {"text/html; of=cloudevents, application/*;q=0.3", JSON},
    };
    expect_choices(events, rows, sizeof rows / sizeof rows[0]);
}

Test(accept, a_range_with_a_malformed_weight_does_not_count) {
    static const row rows[] = {
        {"text/csv;q=2, application/json;q=0.1", JSON},
        {"text/csv;q=, application/json;q=0.1", JSON},
        {"text/csv;q=-1, application/json;q=0.1", JSON},
        {"text/csv;q=0.1234, application/json;q=0.1", JSON},
        {"text/csv;q=1.001, application/json;q=0.1", JSON},
        {"text/csv;q=nan, application/json;q=0.1", JSON},
        {"text/csv;q=0x1, application/json;q=0.1", JSON},
        {"text/csv;q=0,9, application/json;q=0.1", JSON},
        {"text/csv;q=.9, application/json;q=0.1", JSON},
        {"text/csv;q=high", "none"},
        {"text/csv;q=1., application/json;q=0.1", CSV},
        {"text/csv;Q=1.000, application/json;q=0.999", CSV},
        {"text/csv;q=0.05, application/json;q=0.049", CSV},
    };
    expect_choices(tables, rows, sizeof rows / sizeof rows[0]);
}

static bool json_allowed(const char *accept) {
    return negotiate_media_type(accept, json_only) != NULL;
}

Test(accept, ranges_that_include_json_allow_it) {
    static const char *const fields[] = {"application/json",
                                         "*/*",
                                         "application/*",
                                         "APPLICATION/JSON",
                                         "application/json;q=0.1",
                                         "application/json; charset=utf-8",
                                         "text/html, application/*",
                                         "text/html,application/json",
                                         "text/html , */* ; q=0.001",
                                         " application/json ",
                                         ",,application/json",
                                         "application/json;q=1.000",
                                         "text/html;q=0, */*;q=0.5",
                                         "application/*;q=0, application/json",
                                         "*/*;q=0, application/json",
                                         "application/json, application/xml;q=0"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect(json_allowed(fields[i]), "refused: %s", fields[i]);
    }
}

Test(accept, ranges_without_json_refuse_it) {
    static const char *const fields[] = {"text/html",
                                         "text/*",
                                         "application/jsonx",
                                         "application/jso",
                                         "xapplication/json",
                                         "application/xml, text/html",
                                         "application/problem+json",
                                         "application/",
                                         "/json",
                                         "json",
                                         "*",
                                         "*/json",
                                         "applicatio*",
                                         ",,,",
                                         ";q=1",
                                         "application /json",
                                         "\"application/json\"",
                                         "\xff\xfe"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(json_allowed(fields[i]), "allowed: %s", fields[i]);
    }
}

Test(accept, a_weight_of_zero_refuses_json) {
    static const char *const fields[] = {
        "application/json;q=0", "application/json;q=0.000", "application/json; Q=0",   "*/*;q=0",
        "application/*;q=0",    "application/json ;q=0.0",  "application/json;a=1;q=0"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(json_allowed(fields[i]), "allowed: %s", fields[i]);
    }
}

Test(accept, a_more_specific_range_overrides_a_wider_one) {
    cr_expect_not(json_allowed("application/json;q=0, */*"));
    cr_expect_not(json_allowed("*/*, application/json;q=0"));
    cr_expect_not(json_allowed("application/*;q=0, */*"));
}

Test(accept, the_weight_of_another_range_does_not_apply_to_json) {
    cr_expect(json_allowed("application/json, text/html;q=0"));
    cr_expect_not(json_allowed("application/json;q=0, text/html;q=1"));
}

Test(negotiate_gzip, fields_with_gzip_allow_it) {
    static const char *const fields[] = {"gzip",
                                         "GZIP",
                                         "gzip, deflate, br",
                                         "br;q=1.0, gzip;q=0.5",
                                         "identity;q=0,gzip",
                                         "gzip ; q=0.001",
                                         "gzip, identity",
                                         "identity;q=0.5, gzip"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect(negotiate_gzip(fields[i]), "refused: %s", fields[i]);
    }
}

Test(negotiate_gzip, fields_without_gzip_refuse_it) {
    static const char *const fields[] = {"",
                                         "identity",
                                         "br",
                                         "gzip;q=0",
                                         "gzip; q=0",
                                         "gzip;Q=0.0",
                                         "x-gzipped",
                                         "gzipped",
                                         "br, gzip;q=0",
                                         ",,",
                                         "identity, gzip;q=0.5",
                                         "gzip;q=0.1, identity;q=0.2",
                                         "gzip;q=x"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(negotiate_gzip(fields[i]), "allowed: %s", fields[i]);
    }
}

Test(negotiate_gzip, without_a_field_gzip_is_refused) {
    cr_expect_not(negotiate_gzip(NULL));
}

/* A quote that is never closed extends to the end of the field; once the two functions read it in
 * two ways, in an endless loop. */
Test(negotiate_media_type, an_unclosed_quote_makes_the_rest_one_element, .timeout = 60) {
    static const char *const fields[] = {"text/x\", *",
                                         "text/x\", */*",
                                         "\", application/json",
                                         "text/x\"\\",
                                         "text/x;a=\", application/json",
                                         "\""};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        cr_expect_not(json_allowed(fields[i]), "allowed: %s", fields[i]);
        cr_expect_not(negotiate_gzip(fields[i]), "gzip: %s", fields[i]);
    }
    cr_expect(json_allowed("text/x\"a,b\", application/json"));
    cr_expect(json_allowed("text/html;t=\"a,b\", application/json"));
}
