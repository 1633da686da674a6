/* A pushed referral made ready for the database. */
#pragma once

#include "service/http/request.h"

/* Turns a checked NewReferral with its defaults into the item that the push statement takes
 * (without braces and n): children by reference, the hash of the content, the idempotency key or
 * null, and the identifier of the request that gets an entry in the audit trail (`audited`), or
 * null. Changes `referral`. The text lives in the request's memory. NULL after it answered with a
 * problem, because a hash could not be made. */
const char *referral_item(request *r, json_t *referral, const char *key, const char *audited);

/* Replaces the identifiers of the referral's children. Returns false after it answered with a
 * problem. */
bool referral_hide_children(request *r, json_t *referral, const char *committee,
                            const char *source_system);
