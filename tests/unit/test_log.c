/* Tests of the log: one JSON object per line, whatever the message contains. */
#include "service/log.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *kept;

/* Redirects standard error to our own file. */
static void begin(void) {
    kept = tmpfile();
    cr_assert_not_null(kept);
    dup2(fileno(kept), STDERR_FILENO);
    log_set_level(LOG_INFO);
}

static void end(void) {
    fclose(kept);
}

/* Returns everything logged so far, in the caller's buffer. */
static const char *logged(char *text, size_t size) {
    rewind(kept);
    size_t length = fread(text, 1, size - 1, kept);
    text[length] = '\0';
    return text;
}

/* Returns the only logged line, parsed; fails the test when it is not one JSON object. */
static json_t *only_line(void) {
    char text[8192];
    logged(text, sizeof text);
    size_t length = strlen(text);
    cr_assert_gt(length, 0, "nothing was logged");
    cr_assert_eq(strchr(text, '\n'), text + length - 1, "not one line: %s", text);
    json_error_t error;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(object, "%s: %s", error.text, text);
    cr_assert(json_is_object(object));
    return object;
}

static const char *member(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

TestSuite(log, .init = begin, .fini = end);

Test(log, a_line_has_level_and_message) {
    log_write(LOG_WARNING, "the pool has %d connections", 12);
    json_t *line = only_line();
    cr_expect_str_eq(member(line, "level"), "warning");
    cr_expect_str_eq(member(line, "message"), "the pool has 12 connections");
    json_decref(line);
}

Test(log, the_time_is_in_utc_with_milliseconds) {
    log_write(LOG_INFO, "started");
    json_t *line = only_line();
    const char *stamp = member(line, "time");
    int year, month, day, hour, minute, second, thousandth, end = 0;
    int found = sscanf(stamp, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute,
                       &second, &thousandth, &end);
    cr_expect_eq(found, 7);
    cr_expect_eq(end, 24, "%s", stamp);
    json_decref(line);
}

Test(log, quotes_and_backslashes_are_escaped) {
    log_write(LOG_INFO, "%s", "a \"quoted\" C:\\path");
    json_t *line = only_line();
    cr_expect_str_eq(member(line, "message"), "a \"quoted\" C:\\path");
    json_decref(line);
}

Test(log, line_ends_and_control_bytes_begin_no_second_line) {
    log_write(LOG_INFO, "%s", "one\n{\"level\":\"forged\"}\r\t\x1b[31m\x7f end");
    json_t *line = only_line();
    cr_expect_str_eq(member(line, "message"), "one?{\"level\":\"forged\"}???[31m? end");
    json_decref(line);
}

Test(log, bytes_beyond_ascii_give_valid_json) {
    log_write(LOG_INFO, "%s", "caf\xc3\xa9 \xff\xfe");
    json_t *line = only_line();
    cr_expect_str_eq(member(line, "message"), "caf?? ??");
    json_decref(line);
}

Test(log, a_long_message_is_truncated_to_valid_json) {
    char text[5000];
    memset(text, 'x', sizeof text);
    log_write(LOG_ERROR, "%.*s", (int)sizeof text, text);
    json_t *line = only_line();
    cr_expect_eq(strlen(member(line, "message")), 1023);
    json_decref(line);
}

Test(log, a_long_message_of_quotes_gives_valid_json) {
    char text[1023];
    memset(text, '"', sizeof text);
    log_write(LOG_ERROR, "%.*s", (int)sizeof text, text);
    json_decref(only_line());
}

Test(log, a_message_truncated_inside_an_escape_gives_valid_json) {
    /* Every length, so that the cut is on either side of an escape. */
    for (int length = 960; length < 1024; length++) {
        char text[1024];
        memset(text, '\\', sizeof text);
        log_write(LOG_ERROR, "%.*s", length, text);
        json_decref(only_line());
        rewind(kept);
        cr_assert_eq(ftruncate(fileno(kept), 0), 0);
    }
}

Test(log, a_message_below_the_lowest_level_is_not_written) {
    char text[100];
    log_set_level(LOG_WARNING);
    log_write(LOG_INFO, "not this");
    cr_expect_str_empty(logged(text, sizeof text));
}

Test(log, the_measurements_of_a_request_are_numbers) {
    log_answer(&(log_request){.request_id = "r-1",
                              .method = "POST",
                              .operation = "pushReferral",
                              .status = 201,
                              .duration_us = 1234,
                              .bytes_in = 5,
                              .bytes_out = 7});
    json_t *line = only_line();
    cr_expect_eq(json_integer_value(json_object_get(line, "status")), 201);
    cr_expect_eq(json_integer_value(json_object_get(line, "duration_us")), 1234);
    cr_expect_str_eq(member(line, "request_id"), "r-1");
    json_decref(line);
}

Test(log, a_request_without_a_problem_names_none) {
    log_answer(&(log_request){.request_id = "r-1", .method = "GET", .status = 200});
    json_t *line = only_line();
    cr_expect_null(json_object_get(line, "problem"));
    cr_expect_str_eq(member(line, "level"), "info");
    json_decref(line);
}

Test(log, a_server_error_has_the_level_error) {
    log_answer(&(log_request){.request_id = "r-1", .method = "GET", .status = 500});
    json_t *line = only_line();
    cr_expect_str_eq(member(line, "level"), "error");
    json_decref(line);
}

Test(log, only_known_levels_are_parsed) {
    cr_expect_eq(log_level_parse("debug"), LOG_DEBUG);
    cr_expect_eq(log_level_parse("error"), LOG_ERROR);
    cr_expect_eq(log_level_parse("INFO"), -1);
    cr_expect_eq(log_level_parse(""), -1);
}
