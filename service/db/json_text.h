/* JSON text of the database, in the one style of all answers. */
#pragma once

#include "service/arena.h"

/* Returns a copy of well-formed JSON text without white space between its tokens, in `memory`.
 * PostgreSQL writes one style for `json` and another one for `jsonb`. */
char *json_text_compact(const char *text, arena *memory);
