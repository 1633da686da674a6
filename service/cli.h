/* The command line: a table of commands and their options, used to check the arguments and to write
 * the help. */
#pragma once

#include "service/config.h"

#include <stdbool.h>

enum { CLI_OPTIONS_MAX = 8, CLI_TOPICS_MAX = 6 };

typedef struct cli_option {
    const char *name;     /* with its dashes; NULL ends a list */
    const char *argument; /* name of its value in the help; NULL: a switch without a value */
    const char *meaning;
} cli_option;

typedef struct cli_command cli_command;

typedef struct cli_call {
    const cli_command *command;
    const config *settings; /* NULL: the command needs none */
    const char *topic;      /* the one of the command's topics that was given; or NULL */
    const char *values[CLI_OPTIONS_MAX]; /* in the order of its options; "" for a switch */
} cli_call;

struct cli_command {
    const char *name, *summary;
    const char *description; /* whole lines of the help */
    cli_option options[CLI_OPTIONS_MAX];
    int (*run)(const cli_call *call);   /* returns an exit status of sysexits.h */
    const char *topics[CLI_TOPICS_MAX]; /* words that may follow the command; ends with NULL */
    bool without_settings;
};

typedef struct cli_program {
    const char *name, *summary;
    const char *ending; /* whole lines at the end of the program's help */
    const cli_command *commands;
    size_t command_count;
} cli_program;

/* Runs the command that the words name. Returns its exit status, EX_USAGE for words that are not in
 * the table, or EX_CONFIG when the configuration cannot be read. */
int cli_run(const cli_program *program, int count, char **words);

/* Returns the value of the call's option; NULL when it was not given. */
const char *cli_value(const cli_call *call, const char *name);

/* Writes the sentence for the user of the command line and returns the status. */
int cli_fail(int status, const char *reason);
