/* The catalogue of problems as the contract's x-problems lists it; written by the build. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct problem_kind {
    const char *code;
    int status;
    const char *title;
    const char *meaning;
    bool retryable;
    const char *what_to_do;
} problem_kind;

extern const problem_kind problem_kinds[];
extern const size_t problem_kind_count;
