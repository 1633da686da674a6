/* Tests of the command line with a table of their own. */
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
    environ = nothing; /* settings of whoever runs the tests are not meant */
    cr_redirect_stdout();
    cr_redirect_stderr();
    snprintf(copy, sizeof copy, "%s", text);
    for (char *rest = NULL, *word = strtok_r(copy, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        words[count++] = word;
    }
    return cli_run(&program, count, words);
}

Test(cli, given_a_known_command_when_run_then_its_status_is_returned) {
    cr_expect_eq(run("greet"), 17);
    cr_expect(had_settings);
    cr_expect_null(seen_name);
    cr_expect_null(seen_quiet);
}

Test(cli, given_options_in_both_forms_when_run_then_the_command_gets_their_values) {
    cr_expect_eq(run("greet --name Ann --quiet"), 17);
    cr_expect_str_eq(seen_name, "Ann");
    cr_expect_not_null(seen_quiet);
    cr_expect_eq(run("greet --name=B=C"), 17);
    cr_expect_str_eq(seen_name, "B=C");
}

Test(cli, given_a_command_that_needs_no_settings_when_run_then_none_are_read) {
    cr_expect_eq(run("plain"), 17);
    cr_expect_not(had_settings);
}

Test(cli, given_a_file_that_is_not_there_when_named_then_the_configuration_is_at_fault) {
    cr_expect_eq(run("--config /nonexistent greet"), EX_CONFIG);
    cr_expect_eq(run("greet --config=/nonexistent"), EX_CONFIG);
}

Test(cli, given_words_that_nobody_knows_when_run_then_the_status_says_usage) {
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

Test(cli, given_help_is_asked_for_when_run_then_every_way_is_answered) {
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
