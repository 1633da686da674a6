/* Tests of W3C Trace Context: which header is continued, and the answer's header. */
#include "service/http/request_private.h"

#include <criterion/criterion.h>
#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static request begin(const char *header, const contract_pair *field, arena *memory) {
    request r = {.memory = memory,
                 .raw = {.headers = field, .header_count = header == NULL ? 0 : 1}};
    trace_begin(&r);
    return r;
}

/* The answer's traceparent for a request with this one. */
static const char *answer_to(const char *header, arena *memory) {
    contract_pair field = {"Traceparent", header};
    request r = begin(header, &field, memory);
    return r.trace_id[0] == '\0' ? "" : trace_parent(&r);
}

static void expect_form(const char *answer, const char *flags) {
    static const char digits[] = "0123456789abcdef";
    cr_assert_eq(strlen(answer), 55, "%s", answer);
    cr_expect_eq(strncmp(answer, "00-", 3), 0);
    cr_expect_eq(strspn(answer + 3, digits), 32);
    cr_expect_eq(strspn(answer + 36, digits), 16);
    cr_expect_neq(strncmp(answer + 3, "00000000000000000000000000000000", 32), 0);
    cr_expect_neq(strncmp(answer + 36, "0000000000000000", 16), 0);
    cr_expect_str_eq(answer + 53, flags);
}

Test(trace, without_a_header_there_is_no_trace) {
    arena *memory = arena_new();
    cr_expect_str_empty(answer_to(NULL, memory));
    arena_free(memory);
}

Test(trace, a_valid_header_keeps_its_trace_and_flag_with_a_new_parent) {
    static const char *const rows[][2] = {
        {"00-" TRACE "-" PARENT "-01", "01"},      {"00-" TRACE "-" PARENT "-00", "00"},
        {"00-" TRACE "-" PARENT "-03", "01"},      {"00-" TRACE "-" PARENT "-fe", "00"},
        {"cc-" TRACE "-" PARENT "-01", "01"},      {"cc-" TRACE "-" PARENT "-01-more", "01"},
        {"01-" TRACE "-" PARENT "-00-more", "00"},
    };
    arena *memory = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *answer = answer_to(rows[i][0], memory);
        expect_form(answer, rows[i][1]);
        cr_expect_eq(strncmp(answer + 3, TRACE, 32), 0, "%s", rows[i][0]);
        cr_expect_neq(strncmp(answer + 36, PARENT, 16), 0, "%s", rows[i][0]);
        cr_expect_neq(strncmp(answer + 36, &TRACE[16], 16), 0, "no part of the trace id");
    }
    arena_free(memory);
}

Test(trace, an_invalid_header_begins_a_new_trace_that_is_not_sampled) {
    static const char *const headers[] = {
        "",
        "x",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-0",
        "00-" TRACE "-" PARENT "-01-more",
        "00-" TRACE "-" PARENT "-01 ",
        "cc-" TRACE "-" PARENT "-01.more",
        "ff-" TRACE "-" PARENT "-01",
        "0g-" TRACE "-" PARENT "-01",
        "00-" TRACE "-" PARENT "-0G",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        "00-" TRACE "-" PARENT "-01,00-" TRACE "-" PARENT "-01",
    };
    arena *memory = arena_new();
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        const char *answer = answer_to(headers[i], memory);
        expect_form(answer, "00");
        cr_expect_neq(strncmp(answer + 3, TRACE, 32), 0, "%s", headers[i]);
    }
    arena_free(memory);
}

Test(trace, each_request_of_a_trace_has_its_own_span) {
    enum { REQUESTS = 1000 };
    arena *memory = arena_new();
    const char *answers[REQUESTS];
    for (int i = 0; i < REQUESTS; i++) {
        answers[i] = answer_to("00-" TRACE "-" PARENT "-01", memory);
        for (int before = 0; before < i; before++) {
            cr_assert_str_neq(answers[i], answers[before]);
        }
    }
    arena_free(memory);
}
