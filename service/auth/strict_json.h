/* Parses the JSON of tokens and key sets: one object, no duplicate member, little nesting. */
#pragma once

#include <jansson.h>
#include <stddef.h>

enum { STRICT_JSON_DEPTH = 8 };

/* Parses `size` bytes as one JSON object (RFC 8259). Returns it (the caller gives it back with
 * json_decref). Returns NULL when it is anything else, names a member twice at any level, is not
 * UTF-8, or nests deeper than STRICT_JSON_DEPTH. Nesting is checked before the parser is called. */
json_t *strict_json_object(const char *bytes, size_t size);

/* Returns the text of a member and its length in bytes, or NULL when it is absent or no string. */
const char *strict_json_text(const json_t *object, const char *member, size_t *length);
