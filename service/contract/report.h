/* Says where in an input something is wrong, building text only when something is. */
#pragma once

#include "service/contract/contract.h"

/* A step from a value to one inside it; the steps form a list on the stack, innermost first. */
typedef struct report_step {
    const struct report_step *outer;
    const char *member; /* NULL: an array's item */
    size_t length;      /* of the member's name */
    size_t index;       /* of the item */
} report_step;

/* What is being checked, for the violations that it may give. */
typedef struct report {
    violation_list *out;
    violation_place place;
    const char *root; /* pointer to the checked value, or the parameter's name */
} report;

/* Returns whether no more violations are kept, so that further checks are useless. */
bool report_is_full(const report *to);

/* Adds a violation whose message ends with a suggestion, if there is one
 * (service/contract/suggest.h). Only the first few violations of a request search for one. */
void report_unknown(const report *to, const report_step *step, const char *rule,
                    const char *message, const char *suggested);
bool report_may_suggest(const report *to);

/* Adds a violation at the place that the steps lead to. For a parameter the steps are ignored.
 * The message is formatted; it must not hold what was sent. */
void report_add(const report *to, const report_step *step, const char *rule, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* Adds the violation for a value of a type that the schema does not allow. */
void report_type(const report *to, const report_step *step, const contract_schema *schema);

/* Adds the violation for a string that is not among the values of the schema's enum. */
void report_choice(const report *to, const report_step *step, const contract_schema *schema,
                   const char *sent, size_t length);

/* Adds the violation for a string that does not match the schema's pattern. */
void report_pattern(const report *to, const report_step *step, const contract_schema *schema);

/* Adds the violation for a string that does not have the schema's format. */
void report_format(const report *to, const report_step *step, const contract_schema *schema);
