/* Parts of which a case has one at most, put whole: the report, the publication, … */
#pragma once

#include "service/db/statement.h"
#include "service/http/exchange.h"

/* Runs a statement that takes the case's id, whether there must be none yet, the expected version
 * and the body. A first one is put with `If-None-Match: *`, another one with `If-Match` (RFC 9110
 * section 13.1). */
void singleton_put(exchange *x, const statement *what);

/* Reads the one that belongs to the case of the path. */
void singleton_read(exchange *x, const statement *what);
