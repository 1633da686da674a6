/* Hexadecimal text. */
#pragma once

#include <stddef.h>

/* Writes `size` bytes as 2 * size lower-case digits and a NUL to `text`. */
void hex_write(const unsigned char *bytes, size_t size, char *text);

/* Returns the value of a digit in either case; -1 for any other character. */
int hex_value(char digit);
