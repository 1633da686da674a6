/* Free text must not identify anybody: what the register refuses in it. */
#pragma once

/* Returns what kind of personal identifier the text seems to hold, in words for a message: a CHI
 * number (ten digits that are a date of birth, a serial and a check digit modulo 11), an e-mail
 * address, a UK telephone number, a UK postcode or a stated date of birth; NULL when none. The text
 * is UTF-8. */
const char *free_text_scan(const char *text);

/* The same for an identifier that a system chose (a reference, a key, an address), in which only
 * two kinds are looked for: a free-standing CHI number, and an e-mail address. A telephone number
 * or a postcode looks like a local reference. */
const char *free_text_scan_identifier(const char *text);
