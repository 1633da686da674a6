/* Cross-origin requests of browsers (Fetch Standard, 3.2).
 *
 * Pages of any origin may read what needs no token: contract, documentation, problems and released
 * statistics. Every other operation is open to the pages of the origins in LR_CORS_ORIGINS alone.
 * Browsers send a token only after the answer to a preflight has allowed the header Authorization,
 * which it does for those origins. The service uses no cookies, so that it allows no credentials.
 */
#pragma once

#include "service/http/request.h"

/* Returns NULL, or the fault of LR_CORS_ORIGINS as the end of a sentence. The setting is a list of
 * origins as browsers send them, separated by spaces. */
const char *cors_origins_fault(const char *origins);

/* Sets the headers that let the page read the response. */
void cors_allow_reading(request *r);

/* Sets the headers of the response to a preflight for the path of the request. */
void cors_allow_request(request *r);
