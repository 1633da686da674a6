/* What a case has one of, or several of: the usual ways of their handlers. */
#pragma once

#include "service/db/call.h"
#include "service/http/exchange.h"

/* Records or replaces what a case has one of: a first one is put with `If-None-Match: *`, another
 * one with `If-Match` (RFC 9110 section 13.1). The statement takes the case's id, whether it has to
 * be the first, the expected version and the body. */
void case_replace_part(exchange *x, const statement *what);

/* Reads one of several: the statement takes the case's id and the part's, named `place`. */
void case_read_part(exchange *x, const statement *what, const char *place);

/* Adds one of several: the statement takes the case's id and the body. */
void case_add_part(exchange *x, const statement *what);

/* Changes one of several: the statement takes both ids, the expected version and the body. */
void case_change_part(exchange *x, const statement *what, const char *place);
