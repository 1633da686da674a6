/* Free text must not identify anybody: what the register refuses in it. */
#pragma once

/* Returns what kind of personal identifier the text seems to hold, in words for a message: a CHI
 * number (ten digits that are a date of birth, a serial and a check digit modulo 11), an e-mail
 * address, a UK telephone number, a UK postcode or a stated date of birth; NULL when none. The text
 * is UTF-8. */
const char *free_text_scan(const char *text);
