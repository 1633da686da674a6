/* Dates, times, UUIDs, URIs and UTF-8. */
#include "service/contract/formats.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect(contract_format format, bool expected, const char *const *texts) {
    for (; *texts != NULL; texts++) {
        bool found = format_matches(format, *texts, strlen(*texts));
        cr_expect(found == expected, "%s", *texts);
    }
}

Test(formats, date_exists) {
    expect(FORMAT_DATE, true,
           (const char *[]){"2026-03-02", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31",
                            NULL});
    expect(FORMAT_DATE, false,
           (const char *[]){"2026-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-10",
                            "2026-01-00", "0000-01-01", "2026-1-1", "2026/01/01", "2026-01-01 ",
                            "2026-01-01\n", "", "20260101", "-026-01-01", "+026-01-01",
                            "2026-01-+1", NULL});
}

Test(formats, date_time_has_offset) {
    expect(FORMAT_DATE_TIME, true,
           (const char *[]){"2026-03-02T10:11:12Z", "2026-03-02t10:11:12z",
                            "2026-03-02T10:11:12.5+01:00", "2026-03-02T23:59:60Z",
                            "2017-01-01T00:59:60+01:00", "2026-03-02T00:00:00-23:59", NULL});
    expect(FORMAT_DATE_TIME, false,
           (const char *[]){"2026-03-02T10:11:12", "2026-03-02 10:11:12Z", "2026-03-02T24:00:00Z",
                            "2026-03-02T10:60:00Z", "2026-03-02T10:11:61Z", "2026-03-02T10:11:60Z",
                            "2026-03-02T10:11:12.Z", "2026-03-02T10:11:12+1:00",
                            "2026-03-02T10:11:12+24:00", "2026-02-30T10:11:12Z", "2026-03-02",
                            "2026-03-02T", "2026-03-02T10:11:12ZZ", NULL});
}

Test(formats, uuid_has_hyphens) {
    expect(FORMAT_UUID, true,
           (const char *[]){"018f2d3e-0000-7000-8000-00000000000a",
                            "018F2D3E-0000-7000-8000-00000000000A", NULL});
    expect(FORMAT_UUID, false,
           (const char *[]){
               "018f2d3e000070008000000000000000", "{018f2d3e-0000-7000-8000-0000000000}",
               "018f2d3e-0000-7000-8000-00000000000", "", "018f2d3e-0000-7000-8000-00000000000g",
               "018f2d3e-0000-7000-8000-00000000000a0", NULL});
}

Test(formats, uri_follows_rfc_3986) {
    expect(FORMAT_URI, true,
           (const char *[]){"https://example.org/a?b=c#d", "urn:uuid:x", "http://u:p@[::1]:80/",
                            "mailto:a@example.org", "file:///x", "http://example.org", "a:", NULL});
    expect(FORMAT_URI, false,
           (const char *[]){"/a", "example.org", "1a:b", "http://a b/", "http://a/%4",
                            "http://a:x/", "http://[::1", "http://a/\xC3\xA9", "http://a/#b#c",
                            "http://a/<b>", "", NULL});
    expect(FORMAT_URI_REFERENCE, true,
           (const char *[]){"/a/b", "a", "", "?q", "#f", "//host/x", "./a:b", "../x?y=%20", NULL});
    expect(FORMAT_URI_REFERENCE, false,
           (const char *[]){"a b", "1a:b", "%", "//a:b:c", "\\", NULL});
}

Test(formats, text_with_nul_has_no_format) {
    cr_expect_not(format_matches(FORMAT_URI, "a:b\0c", 5));
    cr_expect_not(format_matches(FORMAT_DATE, "2026-01-0\0", 10));
    cr_expect(format_matches(FORMAT_NONE, "\0", 1));
}

Test(formats, utf8) {
    const char *valid[] = {
        "", "abc", "\xC2\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"};
    const char *invalid[] = {"\x80",         "\xC0\xAF",         "\xC2",  "\xE0\x80\x80",
                             "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5",  "\xF0\x80\x80\x80",
                             "\xE2\x82",     "\xC2\x41",         "a\xFF", "\xE2\x28\xA1"};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        cr_expect(utf8_is_valid(valid[i], strlen(valid[i])), "valid %zu", i);
    }
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        cr_expect_not(utf8_is_valid(invalid[i], strlen(invalid[i])), "invalid %zu", i);
    }
    cr_expect(utf8_count("a\xC3\xA9\xF0\x9F\x98\x80", 7) == 3);
    cr_expect(utf8_cut("a\xC3\xA9", 3, 2) == 1);
    cr_expect(utf8_cut("a\xC3\xA9", 3, 3) == 3);
}
