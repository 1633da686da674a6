/* Tests of the command line with their own table. */
#include "service/cli.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *seen_name, *seen_quiet;
static bool had_settings;

static int note(const cli_call *call) {
    seen_name = cli_value(call, "--name");
    seen_quiet = cli_value(call, "--quiet");
    had_settings = call->settings != NULL;
    cr_expect_null(cli_value(call, "--unheard"));
    return 17;
}

static const cli_command commands[] = {
    {.name = "greet",
     .summary = "say good day",
     .description = "Politely.\n",
     .options = {{"--name", "NAME", "whom"}, {"--quiet", NULL, "in a low voice"}},
     .run = note},
    {.name = "plain", .summary = "s", .description = "", .run = note, .without_settings = true},
};
static const cli_program program = {.name = "tester",
                                    .summary = "tests",
                                    .ending = "End.\n",
                                    .commands = commands,
                                    .command_count = 2};

/* Runs words that are separated by one space. */
static int run(const char *text) {
    static char copy[256];
    char *words[16] = {"tester"};
    int count = 1;
    static char *nothing[] = {NULL};
    environ = nothing; /* without the settings of the user who runs the tests */
    cr_redirect_stdout();
    cr_redirect_stderr();
    snprintf(copy, sizeof copy, "%s", text);
    for (char *rest = NULL, *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    return cli_run(&program, count, words);
}

Test(cli, a_known_command_returns_its_status) {
    cr_expect_eq(run("greet"), 17);
    cr_expect(had_settings);
    cr_expect_null(seen_name);
    cr_expect_null(seen_quiet);
}

Test(cli, options_in_both_forms_reach_the_command) {
    cr_expect_eq(run("greet --name Ann --quiet"), 17);
    cr_expect_str_eq(seen_name, "Ann");
    cr_expect_not_null(seen_quiet);
    cr_expect_eq(run("greet --name=B=C"), 17);
    cr_expect_str_eq(seen_name, "B=C");
}

Test(cli, a_command_without_settings_reads_none) {
    cr_expect_eq(run("plain"), 17);
    cr_expect_not(had_settings);
}

Test(cli, a_missing_configuration_file_is_a_configuration_error) {
    cr_expect_eq(run("--config /nonexistent greet"), EX_CONFIG);
    cr_expect_eq(run("greet --config=/nonexistent"), EX_CONFIG);
}

Test(cli, unknown_words_are_a_usage_error) {
    static const char *const wrong[] = {"",
                                        "shout",
                                        "--shout",
                                        "greet --shout",
                                        "greet Ann",
                                        "greet --name",
                                        "greet --name A --name B",
                                        "greet --quiet=yes",
                                        "greet --names A",
                                        "plain --config /nonexistent",
                                        "--config",
                                        "help shout"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        seen_name = NULL;
        cr_expect_eq(run(wrong[i]), EX_USAGE, "%s", wrong[i]);
    }
}

Test(cli, every_form_of_help_is_answered) {
    static const char *const ways[] = {"help",
                                       "--help",
                                       "-h",
                                       "help greet",
                                       "greet --help",
                                       "greet -h",
                                       "--config /nonexistent --help"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        cr_expect_eq(run(ways[i]), EX_OK, "%s", ways[i]);
    }
}
