/* Children by reference: the sender's own identifier becomes a keyed hash before anything is
 * stored. */
#pragma once

#include "service/http/request.h"

/* Replaces child_id and family_id of the child by child_ref and family_ref. The same child from the
 * same system of the same organisation gets the same reference within one committee and another one
 * elsewhere (HMAC-SHA-256, RFC 2104, with a key derived per committee). Returns false after it
 * answered with a problem: then a hash could not be made, and the child must not be stored. */
bool pseudonym_replace(request *r, json_t *child, const char *committee, const char *source_system);
