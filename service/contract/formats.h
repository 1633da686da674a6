/* Text forms that the contract's formats name, and UTF-8. */
#pragma once

#include "service/contract/contract.h"

#include <stdbool.h>
#include <stddef.h>

/* Returns whether the text has the format. FORMAT_NONE accepts everything. Never allocates.
 * FORMAT_DATE and FORMAT_DATE_TIME: RFC 3339 5.6, years 0001 to 9999, days that exist, second 60
 * only where UTC may have a leap second. FORMAT_UUID: RFC 9562 4. FORMAT_URI and
 * FORMAT_URI_REFERENCE: RFC 3986 3 and 4.1. */
bool format_matches(contract_format format, const char *text, size_t length);

/* Returns whether the bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates. */
bool utf8_is_valid(const char *text, size_t length);

/* Returns the number of code points of valid UTF-8. */
size_t utf8_count(const char *text, size_t length);

/* Returns the greatest length up to `max` that does not cut a code point of valid UTF-8. */
size_t utf8_cut(const char *text, size_t length, size_t max);
