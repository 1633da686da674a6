/* What the audit trail is told of an answer: who asked for what stands in the claims, what was
 * shown in the answer itself. */
#pragma once

#include "service/arena.h"

typedef struct audit_note {
    const char *operation, *kind, *request;
    const char *collection; /* what the identifiers are of */
    const char *id;         /* what the path names of it; NULL: the answer does */
    const char *part;       /* what the path names below that, or NULL */
} audit_note;

enum { AUDIT_PARAMETERS = 7 };

/* Fills in the parameters of the statement audit_write for an answer, well-formed JSON text or
 * NULL. What it shows are its own `id` and those of its `items`, or of the items when it is a list.
 * Strings live in `memory`, or where those of the note do. */
void audit_parameters(const audit_note *note, const char *answer, const char **parameters,
                      arena *memory);
