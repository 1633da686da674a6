/* The contract's regular expressions, compiled once by contract_start. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Returns whether the pattern occurs in the text, which has to be valid UTF-8. False, too, before
 * contract_start and when matching takes more work than the limits allow. Thread-safe. */
bool pattern_matches(size_t pattern_index, const char *text, size_t length);
