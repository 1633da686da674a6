/* Parameters of an audit entry: the claims name the caller and the request, the answer names the
 * data shown. */
#pragma once

#include "service/arena.h"

typedef struct audit_note {
    const char *operation, *kind, *request;
    const char *collection; /* the kind of resource that the identifiers name */
    const char *id;         /* the resource that the path names; NULL: the answer names it */
    const char *part;       /* a part of it that the path names, or NULL */
} audit_note;

/* The parameters of the statement audit_write. */
enum {
    AUDIT_OPERATION,
    AUDIT_KIND,
    AUDIT_REQUEST,
    AUDIT_COLLECTION,
    AUDIT_IDS,
    AUDIT_PARTS,
    AUDIT_ITEMS,
    AUDIT_PARAMETERS
};

/* Fills in the parameters of the statement audit_write for an answer (well-formed JSON text, or
 * NULL). The answer shows its own `id` and those of its `items`, or of the items when it is a list.
 * Strings live in `memory`, or as long as those of the note. */
void audit_parameters(const audit_note *note, const char *answer, const char **parameters,
                      arena *memory);
