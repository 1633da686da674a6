/* The command line: a table of commands and their options, used to check the arguments and to write
 * the help. */
#include "service/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

typedef struct parse {
    const cli_program *program;
    const cli_command *command;
    const char *config_file;
    bool help;
    cli_call call;
    char reason[256]; /* "" while there is no error */
} parse;

int cli_fail(int status, const char *reason) {
    fprintf(stderr, "learning-reviews: %s\n", reason);
    return status;
}

__attribute__((format(printf, 2, 3))) static void refuse(parse *p, const char *format, ...) {
    if (p->reason[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(p->reason, sizeof p->reason, format, arguments);
        va_end(arguments);
    }
}

static const cli_command *find_command(const cli_program *program, const char *name) {
    for (size_t i = 0; i < program->command_count; i++) {
        if (strcmp(program->commands[i].name, name) == 0) {
            return &program->commands[i];
        }
    }
    return NULL;
}

/* ---- help ---- */

static void print_option(const cli_option *option, FILE *out) {
    char left[64];
    snprintf(left, sizeof left, "%s %s", option->name,
             option->argument == NULL ? "" : option->argument);
    fprintf(out, "  %-24s %s\n", left, option->meaning);
}

static const cli_option config_option = {"--config", "FILE", "read settings from this file"};
static const cli_option help_option = {"--help", NULL, "print this text"};

static void print_command_help(const cli_program *program, const cli_command *command, FILE *out) {
    fprintf(out, "%s %s: %s\n\n%s\n", program->name, command->name, command->summary,
            command->description);
    for (const cli_option *each = command->options; each->name != NULL; each++) {
        print_option(each, out);
    }
    if (!command->without_settings) {
        print_option(&config_option, out);
    }
    print_option(&help_option, out);
}

static void print_help(const cli_program *program, FILE *out) {
    fprintf(out, "%s: %s\n\n  %s [--config FILE] COMMAND [OPTION...]\n\n", program->name,
            program->summary, program->name);
    for (size_t i = 0; i < program->command_count; i++) {
        fprintf(out, "  %-24s %s\n", program->commands[i].name, program->commands[i].summary);
    }
    fprintf(out, "  %-24s %s\n", "help COMMAND", "say more about a command");
    fprintf(out, "\n%s", program->ending);
}

static int run_help(const cli_program *program, const char *name) {
    if (name == NULL) {
        print_help(program, stdout);
        return EX_OK;
    }
    const cli_command *command = find_command(program, name);
    if (command == NULL) {
        return cli_fail(EX_USAGE, "no such command; see `learning-reviews --help`.");
    }
    print_command_help(program, command, stdout);
    return EX_OK;
}

/* ---- arguments ---- */

/* Returns whether the word is the option, alone or followed by `=value`. */
static bool is_option(const char *word, const char *name) {
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

/* Reads the value of an option, after its = or in the next word; returns the words used. */
static int take_value(parse *p, const char *name, int count, char **words, const char **value) {
    const char *equals = strchr(words[0], '=');
    if (*value != NULL) {
        refuse(p, "%s is there twice.", name);
    } else if (equals != NULL) {
        *value = equals + 1;
    } else if (count > 1) {
        *value = words[1];
        return 2;
    } else {
        refuse(p, "%s needs a value.", name);
    }
    return 1;
}

static int take_own_option(parse *p, int count, char **words) {
    const cli_option *options = p->command->options;
    for (size_t i = 0; i < CLI_OPTIONS_MAX && options[i].name != NULL; i++) {
        if (!is_option(words[0], options[i].name)) {
            continue;
        }
        if (options[i].argument != NULL) {
            return take_value(p, options[i].name, count, words, &p->call.values[i]);
        }
        if (strchr(words[0], '=') != NULL) {
            refuse(p, "%s takes no value.", options[i].name);
        }
        p->call.values[i] = "";
        return 1;
    }
    refuse(p, "%s does not know the option %.*s; see `learning-reviews help %s`.", p->command->name,
           (int)strcspn(words[0], "="), words[0], p->command->name);
    return 1;
}

static const char *find_topic(const cli_command *command, const char *word) {
    for (size_t i = 0; i < CLI_TOPICS_MAX && command->topics[i] != NULL; i++) {
        if (strcmp(command->topics[i], word) == 0) {
            return command->topics[i];
        }
    }
    return NULL;
}

/* Takes the first word, and its value when it has one; the count of words used. */
static int take_word(parse *p, int count, char **words) {
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        p->help = true;
        return 1;
    }
    bool configurable = p->command == NULL || !p->command->without_settings;
    if (configurable && is_option(words[0], config_option.name)) {
        return take_value(p, config_option.name, count, words, &p->config_file);
    }
    if (p->command == NULL && words[0][0] != '-') {
        p->command = find_command(p->program, words[0]);
        if (p->command == NULL) {
            refuse(p, "there is no command %s; see `learning-reviews --help`.", words[0]);
        }
        return 1;
    }
    if (p->command == NULL) {
        refuse(p, "there is no option %s; see `learning-reviews --help`.", words[0]);
    } else if (p->call.topic == NULL && find_topic(p->command, words[0]) != NULL) {
        p->call.topic = find_topic(p->command, words[0]);
    } else if (words[0][0] == '-') {
        return take_own_option(p, count, words);
    } else {
        refuse(p, "%s takes no %s; see `learning-reviews help %s`.", p->command->name, words[0],
               p->command->name);
    }
    return 1;
}

static void take_all(parse *p, int count, char **words) {
    for (int at = 1; at < count && p->reason[0] == '\0';) {
        at += take_word(p, count - at, words + at);
    }
}

static int run_command(parse *p) {
    char reason[1024] = "";
    config settings = {0};
    p->call.command = p->command;
    if (p->command->without_settings) {
        return p->command->run(&p->call);
    }
    int status = EX_CONFIG;
    if (config_load(&settings, p->config_file, reason, sizeof reason)) {
        p->call.settings = &settings;
        status = p->command->run(&p->call);
    } else {
        cli_fail(EX_CONFIG, reason);
    }
    config_free(&settings);
    return status;
}

int cli_run(const cli_program *program, int count, char **words) {
    if (count > 1 && strcmp(words[1], "help") == 0 && count <= 3) {
        return run_help(program, words[2]);
    }
    if (count == 2 && strcmp(words[1], "--version") == 0) {
        words[1] = words[1] + strlen("--");
    }
    parse p = {.program = program};
    take_all(&p, count, words);
    if (p.reason[0] != '\0') {
        return cli_fail(EX_USAGE, p.reason);
    }
    if (p.help) {
        return run_help(program, p.command == NULL ? NULL : p.command->name);
    }
    if (p.command == NULL) {
        print_help(program, stderr);
        return EX_USAGE;
    }
    return run_command(&p);
}

const char *cli_value(const cli_call *call, const char *name) {
    for (size_t i = 0; i < CLI_OPTIONS_MAX && call->command->options[i].name != NULL; i++) {
        if (strcmp(call->command->options[i].name, name) == 0) {
            return call->values[i];
        }
    }
    return NULL;
}
