/* Tests of the configuration: which source overrides, what is refused, and that the reason names
 * the setting. */
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

Test(config, defaults_apply) {
    cr_assert(load(), "%s", reason);
    cr_expect_not(settings.dev);
    cr_expect_str_eq(settings.listen, "127.0.0.1:8080");
    cr_expect_str_eq(settings.audience, "learning-reviews");
    cr_expect_gt(settings.workers, 0);
    cr_expect_null(settings.database);
    cr_expect_null(settings.issuer);
}

Test(config, the_file_overrides_defaults) {
    cr_assert(load_file("# a comment\n\n  LR_WORKERS=7\r\nLR_DATABASE=dbname=a host=b\n"), "%s",
              reason);
    cr_expect_eq(settings.workers, 7);
    cr_expect_str_eq(settings.database, "dbname=a host=b");
}

Test(config, the_last_line_of_the_file_needs_no_line_end) {
    cr_assert(load_file("LR_WORKERS=7"), "%s", reason);
    cr_expect_eq(settings.workers, 7);
}

Test(config, the_environment_overrides_the_file) {
    setenv("LR_WORKERS", "9", 1);
    cr_assert(load_file("LR_WORKERS=7\nLR_CONNECTIONS=3\n"), "%s", reason);
    cr_expect_eq(settings.workers, 9);
    cr_expect_eq(settings.connections, 3);
}

Test(config, the_environment_can_name_the_file) {
    write_file("LR_WORKERS=5\n");
    setenv("LR_CONFIG", file, 1);
    cr_assert(load(), "%s", reason);
    cr_expect_eq(settings.workers, 5);
}

Test(config, an_unknown_key_in_the_file_is_named) {
    cr_expect_not(load_file("LR_WORKER=7\n"));
    expect_reason("LR_WORKER ");
    expect_reason(file);
}

Test(config, an_unknown_key_in_the_environment_is_named) {
    setenv("LR_LISTENS", "1", 1);
    cr_expect_not(load());
    expect_reason("LR_LISTENS");
    expect_reason("environment");
}

Test(config, variables_of_other_programs_are_ignored) {
    setenv("LRX", "1", 1);
    setenv("PATH", "/usr/bin", 1);
    cr_expect(load(), "%s", reason);
}

Test(config, a_line_without_an_equals_sign_is_refused) {
    cr_expect_not(load_file("LR_WORKERS 7\n"));
    expect_reason("NAME=value");
}

Test(config, a_missing_file_is_named) {
    cr_expect_not(config_load(&settings, "/nowhere/at/all", reason, sizeof reason));
    expect_reason("/nowhere/at/all");
}

Test(config, a_directory_as_the_file_is_refused) {
    cr_expect_not(config_load(&settings, "/tmp", reason, sizeof reason));
    expect_reason("/tmp");
}

Test(config, a_number_out_of_range_is_refused_with_setting_and_range) {
    static const char *const values[] = {"0", "1025", "-1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        setenv("LR_WORKERS", values[i], 1);
        cr_expect_not(load(), "accepted: %s", values[i]);
        expect_reason("LR_WORKERS");
        expect_reason("from 1 to 1024");
        config_free(&settings);
    }
}

Test(config, the_limits_of_a_range_are_accepted) {
    cr_expect(load_file("LR_WORKERS=1\nLR_CONNECTIONS=256\nLR_DRAIN_GRACE_SECONDS=0\n"), "%s",
              reason);
    cr_expect_eq(settings.workers, 1);
    cr_expect_eq(settings.connections, 256);
    cr_expect_eq(settings.drain_grace_seconds, 0);
}

Test(config, values_that_are_not_numbers_are_refused) {
    static const char *const values[] = {"", "x", "7x", "7 ", "7.5", "0x10", "1e3", "seven"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        setenv("LR_WORKERS", values[i], 1);
        cr_expect_not(load(), "accepted: '%s'", values[i]);
        expect_reason("LR_WORKERS");
        config_free(&settings);
    }
}

Test(config, a_refused_number_of_the_file_names_the_file) {
    cr_expect_not(load_file("LR_WORKERS=0\n"));
    expect_reason(file);
}

Test(config, mode_dev_has_an_issuer) {
    setenv("LR_MODE", "dev", 1);
    cr_assert(load(), "%s", reason);
    cr_expect(settings.dev);
    cr_expect_not_null(settings.issuer);
}

Test(config, mode_production_is_not_development) {
    setenv("LR_MODE", "production", 1);
    cr_assert(load(), "%s", reason);
    cr_expect_not(settings.dev);
}

Test(config, another_mode_is_refused) {
    static const char *const modes[] = {"", "Dev", "development", "test", "prod"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        setenv("LR_MODE", modes[i], 1);
        cr_expect_not(load(), "accepted: '%s'", modes[i]);
        expect_reason("LR_MODE");
        config_free(&settings);
    }
}

Test(config, the_mode_in_the_file_is_refused) {
    cr_expect_not(load_file("LR_MODE=dev\n"));
    expect_reason("LR_MODE");
}

Test(config, a_certificate_without_its_key_is_refused) {
    cr_expect_not(load_file("LR_TLS_CERTIFICATE_FILE=/etc/a.pem\n"));
    expect_reason("LR_TLS_KEY_FILE");
}

Test(config, webhook_hosts_without_a_key_are_refused) {
    cr_expect_not(load_file("LR_WEBHOOK_HOSTS=hooks.example.org\n"));
    expect_reason("LR_WEBHOOK_KEY_FILE");
    config_free(&settings);
    cr_expect_not(load_file("LR_WEBHOOK_KEY_FILE=/etc/webhook-key\n"));
    expect_reason("LR_WEBHOOK_HOSTS");
    config_free(&settings);
    cr_expect(load_file("LR_WEBHOOK_HOSTS=a\nLR_WEBHOOK_KEY_FILE=/etc/webhook-key\n"), "%s",
              reason);
}

Test(config, a_key_without_its_certificate_is_refused) {
    cr_expect_not(load_file("LR_TLS_KEY_FILE=/etc/a.key\n"));
    expect_reason("LR_TLS_CERTIFICATE_FILE");
}

Test(config, with_a_certificate_the_public_address_is_https) {
    cr_assert(load_file("LR_TLS_KEY_FILE=/etc/a.key\nLR_TLS_CERTIFICATE_FILE=/etc/a.pem\n"), "%s",
              reason);
    cr_expect_str_eq(settings.public_url, "https://127.0.0.1:8080");
}

Test(config, without_tls_the_public_address_is_derived_from_the_listener) {
    cr_assert(load_file("LR_LISTEN=127.0.0.1:9999\n"), "%s", reason);
    cr_expect_str_eq(settings.public_url, "http://127.0.0.1:9999");
}

Test(config, on_every_interface_the_public_address_is_this_machine) {
    static const char *const everywhere[] = {":9999", "0.0.0.0:9999", "[::]:9999"};
    for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++) {
        setenv("LR_LISTEN", everywhere[i], 1);
        cr_assert(load(), "%s", reason);
        cr_expect_str_eq(settings.public_url, "http://127.0.0.1:9999");
        cr_expect(settings.public_url_derived);
        config_free(&settings);
    }
}

Test(config, nothing_insecure_is_allowed_by_default) {
    cr_assert(load(), "%s", reason);
    cr_expect_not(settings.allow_plain_http);
    cr_expect_not(settings.allow_unverified_database);
}

Test(config, a_public_address_is_kept) {
    cr_assert(load_file("LR_PUBLIC_URL=https://register.example\n"), "%s", reason);
    cr_expect_str_eq(settings.public_url, "https://register.example");
}

Test(config, a_connection_string_is_not_printed) {
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

Test(config, a_secret_of_the_least_length_is_read_without_its_line_end) {
    size_t size = 0;
    unsigned char *secret = read_secret("0123456789abcdef0123456789abcdef\r\n", 0600, &size);
    cr_assert_not_null(secret, "%s", reason);
    cr_expect_eq(size, 32);
    cr_expect_arr_eq(secret, thirty_two, 32);
    free(secret);
}

Test(config, a_short_secret_is_refused_with_setting_and_length) {
    size_t size = 0;
    cr_expect_null(read_secret("0123456789abcdef0123456789abcde", 0600, &size));
    expect_reason("LR_PSEUDONYM_KEY_FILE");
    expect_reason("32");
}

Test(config, spaces_do_not_lengthen_a_secret) {
    size_t size = 0;
    cr_expect_null(read_secret("short                                        \n", 0600, &size));
}

Test(config, an_empty_secret_is_refused) {
    size_t size = 0;
    cr_expect_null(read_secret("", 0600, &size));
}

Test(config, a_secret_open_to_everybody_is_refused) {
    static const mode_t modes[] = {0604, 0602, 0644, 0666};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        size_t size = 0;
        cr_expect_null(read_secret(thirty_two, modes[i], &size), "mode %o", modes[i]);
        expect_reason("0600");
    }
}

Test(config, a_secret_readable_by_the_group_is_accepted) {
    size_t size = 0;
    unsigned char *secret = read_secret(thirty_two, 0640, &size);
    cr_expect_not_null(secret, "%s", reason);
    free(secret);
}

Test(config, the_reason_does_not_repeat_a_refused_secret) {
    size_t size = 0;
    cr_expect_null(read_secret("hunter2", 0600, &size));
    cr_expect_null(strstr(reason, "hunter2"));
}

Test(config, a_missing_secret_file_is_named_with_its_setting) {
    size_t size = 0;
    cr_expect_null(config_read_secret("LR_PSEUDONYM_KEY_FILE", "/nowhere/at/all", 32, &size, reason,
                                      sizeof reason));
    expect_reason("LR_PSEUDONYM_KEY_FILE");
}

Test(config, an_unset_secret_file_is_reported) {
    size_t size = 0;
    cr_expect_null(
        config_read_secret("LR_PSEUDONYM_KEY_FILE", NULL, 32, &size, reason, sizeof reason));
    expect_reason("not set");
}

Test(config, given_a_profile_when_loaded_then_it_sets_what_is_not_set) {
    setenv("LR_TOKEN_PROFILE", "entra", 1);
    setenv("LR_TOKEN_CLIENT_CLAIMS", "appid", 1);
    cr_assert(load(), "%s", reason);
    cr_expect_str_eq(settings.token_client_claims, "appid");
    cr_expect_str_eq(settings.token_scope_claims, "scp roles");
    cr_expect_str_eq(settings.token_subject, "required");
    cr_expect_eq(settings.token_max_seconds, 6000);
}

Test(config, given_no_profile_when_loaded_then_tokens_are_those_of_rfc_9068) {
    cr_assert(load(), "%s", reason);
    cr_expect_str_eq(settings.token_client_claims, "client_id azp");
    cr_expect_str_eq(settings.token_scope_claims, "scope");
    cr_expect_str_eq(settings.token_organisation_claim, "organisation");
    cr_expect_eq(settings.token_max_seconds, 3600);
}

Test(config, given_an_unknown_profile_when_loaded_then_the_reason_lists_the_known_ones) {
    setenv("LR_TOKEN_PROFILE", "ping", 1);
    cr_expect_not(load());
    expect_reason("LR_TOKEN_PROFILE");
    expect_reason("keycloak");
}
