/* Tests of the configuration: what wins, what is refused, and that the reason names the setting. */
#include "service/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

enum { REASON_SIZE = 300 };

static config settings;
static char reason[REASON_SIZE];
static char file[] = "/tmp/config-test-XXXXXX";

/* Every test starts without a setting in its environment and with an empty file. */
static void begin(void) {
    static char *empty[] = {NULL};
    environ = empty;
    int descriptor = mkstemp(file);
    cr_assert_geq(descriptor, 0);
    close(descriptor);
}

static void end(void) {
    config_free(&settings);
    unlink(file);
}

static void write_file(const char *text) {
    FILE *out = fopen(file, "we");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

static bool load_file(const char *text) {
    write_file(text);
    return config_load(&settings, file, reason, sizeof reason);
}

static bool load(void) {
    return config_load(&settings, NULL, reason, sizeof reason);
}

static void expect_reason(const char *part) {
    cr_expect_not_null(strstr(reason, part), "no '%s' in: %s", part, reason);
}

TestSuite(config, .init = begin, .fini = end);

Test(config, given_nothing_when_loaded_then_the_defaults_hold) {
    cr_assert(load(), "%s", reason);
    cr_expect_not(settings.dev);
    cr_expect_str_eq(settings.listen, "127.0.0.1:8080");
    cr_expect_str_eq(settings.audience, "learning-reviews");
    cr_expect_gt(settings.workers, 0);
    cr_expect_null(settings.database);
    cr_expect_null(settings.issuer);
}

Test(config, given_a_file_when_loaded_then_its_values_win_over_the_defaults) {
    cr_assert(load_file("# a comment\n\n  LR_WORKERS=7\r\nLR_DATABASE=dbname=a host=b\n"), "%s",
              reason);
    cr_expect_eq(settings.workers, 7);
    cr_expect_str_eq(settings.database, "dbname=a host=b");
}

Test(config, given_a_file_without_a_last_line_end_when_loaded_then_its_last_line_counts) {
    cr_assert(load_file("LR_WORKERS=7"), "%s", reason);
    cr_expect_eq(settings.workers, 7);
}

Test(config, given_file_and_environment_when_loaded_then_the_environment_wins) {
    setenv("LR_WORKERS", "9", 1);
    cr_assert(load_file("LR_WORKERS=7\nLR_CONNECTIONS=3\n"), "%s", reason);
    cr_expect_eq(settings.workers, 9);
    cr_expect_eq(settings.connections, 3);
}

Test(config, given_the_environment_names_the_file_when_loaded_then_it_is_read) {
    write_file("LR_WORKERS=5\n");
    setenv("LR_CONFIG", file, 1);
    cr_assert(load(), "%s", reason);
    cr_expect_eq(settings.workers, 5);
}

Test(config, given_an_unknown_key_in_the_file_when_loaded_then_the_reason_names_it) {
    cr_expect_not(load_file("LR_WORKER=7\n"));
    expect_reason("LR_WORKER ");
    expect_reason(file);
}

Test(config, given_an_unknown_key_in_the_environment_when_loaded_then_the_reason_names_it) {
    setenv("LR_LISTENS", "1", 1);
    cr_expect_not(load());
    expect_reason("LR_LISTENS");
    expect_reason("environment");
}

Test(config, given_other_programs_variables_in_the_environment_when_loaded_then_they_are_ignored) {
    setenv("LRX", "1", 1);
    setenv("PATH", "/usr/bin", 1);
    cr_expect(load(), "%s", reason);
}

Test(config, given_a_line_without_an_equals_sign_when_loaded_then_it_is_refused) {
    cr_expect_not(load_file("LR_WORKERS 7\n"));
    expect_reason("NAME=value");
}

Test(config, given_a_file_that_is_not_there_when_loaded_then_the_reason_names_it) {
    cr_expect_not(config_load(&settings, "/nowhere/at/all", reason, sizeof reason));
    expect_reason("/nowhere/at/all");
}

Test(config, given_a_directory_instead_of_a_file_when_loaded_then_it_is_refused) {
    cr_expect_not(config_load(&settings, "/tmp", reason, sizeof reason));
    expect_reason("/tmp");
}

Test(config, given_numbers_out_of_range_when_loaded_then_the_reason_names_setting_and_range) {
    static const char *const values[] = {"0", "1025", "-1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        setenv("LR_WORKERS", values[i], 1);
        cr_expect_not(load(), "accepted: %s", values[i]);
        expect_reason("LR_WORKERS");
        expect_reason("from 1 to 1024");
        config_free(&settings);
    }
}

Test(config, given_the_ends_of_a_range_when_loaded_then_they_are_accepted) {
    cr_expect(load_file("LR_WORKERS=1\nLR_CONNECTIONS=256\nLR_DRAIN_GRACE_SECONDS=0\n"), "%s",
              reason);
    cr_expect_eq(settings.workers, 1);
    cr_expect_eq(settings.connections, 256);
    cr_expect_eq(settings.drain_grace_seconds, 0);
}

Test(config, given_values_that_are_no_numbers_when_loaded_then_they_are_refused) {
    static const char *const values[] = {"", "x", "7x", "7 ", "7.5", "0x10", "1e3", "seven"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        setenv("LR_WORKERS", values[i], 1);
        cr_expect_not(load(), "accepted: '%s'", values[i]);
        expect_reason("LR_WORKERS");
        config_free(&settings);
    }
}

Test(config, given_a_number_refused_in_the_file_when_loaded_then_the_reason_names_the_file) {
    cr_expect_not(load_file("LR_WORKERS=0\n"));
    expect_reason(file);
}

Test(config, given_mode_dev_when_loaded_then_it_is_development_with_an_issuer) {
    setenv("LR_MODE", "dev", 1);
    cr_assert(load(), "%s", reason);
    cr_expect(settings.dev);
    cr_expect_not_null(settings.issuer);
}

Test(config, given_mode_production_when_loaded_then_it_is_not_development) {
    setenv("LR_MODE", "production", 1);
    cr_assert(load(), "%s", reason);
    cr_expect_not(settings.dev);
}

Test(config, given_any_other_mode_when_loaded_then_it_is_refused) {
    static const char *const modes[] = {"", "Dev", "development", "test", "prod"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        setenv("LR_MODE", modes[i], 1);
        cr_expect_not(load(), "accepted: '%s'", modes[i]);
        expect_reason("LR_MODE");
        config_free(&settings);
    }
}

Test(config, given_the_mode_in_the_file_when_loaded_then_it_is_refused) {
    cr_expect_not(load_file("LR_MODE=dev\n"));
    expect_reason("LR_MODE");
}

Test(config, given_a_certificate_without_its_key_when_loaded_then_it_is_refused) {
    cr_expect_not(load_file("LR_TLS_CERTIFICATE_FILE=/etc/a.pem\n"));
    expect_reason("LR_TLS_KEY_FILE");
}

Test(config, given_hosts_for_webhooks_without_a_key_when_loaded_then_it_is_refused) {
    cr_expect_not(load_file("LR_WEBHOOK_HOSTS=hooks.example.org\n"));
    expect_reason("LR_WEBHOOK_KEY_FILE");
    config_free(&settings);
    cr_expect_not(load_file("LR_WEBHOOK_KEY_FILE=/etc/webhook-key\n"));
    expect_reason("LR_WEBHOOK_HOSTS");
    config_free(&settings);
    cr_expect(load_file("LR_WEBHOOK_HOSTS=a\nLR_WEBHOOK_KEY_FILE=/etc/webhook-key\n"), "%s",
              reason);
}

Test(config, given_a_key_without_its_certificate_when_loaded_then_it_is_refused) {
    cr_expect_not(load_file("LR_TLS_KEY_FILE=/etc/a.key\n"));
    expect_reason("LR_TLS_CERTIFICATE_FILE");
}

Test(config, given_certificate_and_key_when_loaded_then_the_public_address_is_https) {
    cr_assert(load_file("LR_TLS_KEY_FILE=/etc/a.key\nLR_TLS_CERTIFICATE_FILE=/etc/a.pem\n"), "%s",
              reason);
    cr_expect_str_eq(settings.public_url, "https://127.0.0.1:8080");
}

Test(config, given_no_tls_when_loaded_then_the_public_address_follows_the_listener) {
    cr_assert(load_file("LR_LISTEN=127.0.0.1:9999\n"), "%s", reason);
    cr_expect_str_eq(settings.public_url, "http://127.0.0.1:9999");
}

Test(config, given_every_interface_when_loaded_then_the_public_address_is_this_machine) {
    static const char *const everywhere[] = {":9999", "0.0.0.0:9999", "[::]:9999"};
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) {
        setenv("LR_LISTEN", everywhere[i], 1);
        cr_assert(load(), "%s", reason);
        cr_expect_str_eq(settings.public_url, "http://127.0.0.1:9999");
        cr_expect(settings.public_url_derived);
        config_free(&settings);
    }
}

Test(config, given_nothing_when_loaded_then_nothing_insecure_is_allowed) {
    cr_assert(load(), "%s", reason);
    cr_expect_not(settings.allow_plain_http);
    cr_expect_not(settings.allow_unverified_database);
}

Test(config, given_a_public_address_when_loaded_then_it_is_kept) {
    cr_assert(load_file("LR_PUBLIC_URL=https://register.example\n"), "%s", reason);
    cr_expect_str_eq(settings.public_url, "https://register.example");
}

Test(config, given_a_connection_string_when_printed_then_it_is_not_shown) {
    cr_assert(load_file("LR_DATABASE=host=db password=hunter2\n"), "%s", reason);
    char text[8192] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    config_print(&settings, out);
    fclose(out);
    cr_expect_null(strstr(text, "hunter2"));
    cr_expect_not_null(strstr(text, "LR_DATABASE"));
    cr_expect_not_null(strstr(text, "(set)"));
}

/* --- secrets --- */

static unsigned char *read_secret(const char *text, mode_t mode, size_t *size) {
    write_file(text);
    chmod(file, mode);
    return config_read_secret("LR_PSEUDONYM_KEY_FILE", file, 32, size, reason, sizeof reason);
}

static const char thirty_two[] = "0123456789abcdef0123456789abcdef";

Test(config, given_a_secret_of_the_least_length_when_read_then_it_comes_without_its_line_end) {
    size_t size = 0;
    unsigned char *secret = read_secret("0123456789abcdef0123456789abcdef\r\n", 0600, &size);
    cr_assert_not_null(secret, "%s", reason);
    cr_expect_eq(size, 32);
    cr_expect_arr_eq(secret, thirty_two, 32);
    free(secret);
}

Test(config, given_a_secret_that_is_too_short_when_read_then_the_reason_names_setting_and_length) {
    size_t size = 0;
    cr_expect_null(read_secret("0123456789abcdef0123456789abcde", 0600, &size));
    expect_reason("LR_PSEUDONYM_KEY_FILE");
    expect_reason("32");
}

Test(config, given_blanks_that_fill_a_short_secret_up_when_read_then_it_is_refused) {
    size_t size = 0;
    cr_expect_null(read_secret("short                                        \n", 0600, &size));
}

Test(config, given_an_empty_secret_when_read_then_it_is_refused) {
    size_t size = 0;
    cr_expect_null(read_secret("", 0600, &size));
}

Test(config, given_a_secret_that_everybody_may_use_when_read_then_it_is_refused) {
    static const mode_t modes[] = {0604, 0602, 0644, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        size_t size = 0;
        cr_expect_null(read_secret(thirty_two, modes[i], &size), "mode %o", modes[i]);
        expect_reason("0600");
    }
}

Test(config, given_a_secret_that_the_group_may_read_when_read_then_it_is_accepted) {
    size_t size = 0;
    unsigned char *secret = read_secret(thirty_two, 0640, &size);
    cr_expect_not_null(secret, "%s", reason);
    free(secret);
}

Test(config, given_a_refused_secret_then_the_reason_does_not_repeat_it) {
    size_t size = 0;
    cr_expect_null(read_secret("hunter2", 0600, &size));
    cr_expect_null(strstr(reason, "hunter2"));
}

Test(config, given_a_secret_file_that_is_not_there_when_read_then_the_reason_names_the_setting) {
    size_t size = 0;
    cr_expect_null(config_read_secret("LR_PSEUDONYM_KEY_FILE", "/nowhere/at/all", 32, &size, reason,
                                      sizeof reason));
    expect_reason("LR_PSEUDONYM_KEY_FILE");
}

Test(config, given_no_secret_file_when_read_then_the_reason_says_it_is_not_set) {
    size_t size = 0;
    cr_expect_null(
        config_read_secret("LR_PSEUDONYM_KEY_FILE", NULL, 32, &size, reason, sizeof reason));
    expect_reason("not set");
}
