/* The command `check audit`. */
#pragma once

#include "service/config.h"

/* Reads the whole audit trail as an auditor and verifies its chain; `anchor` is COUNT:HASH from
 * elsewhere, or NULL. Prints one line. Returns EX_OK, 1 when the trail was tampered with, or
 * another status of sysexits.h. */
int audit_check(const config *settings, const char *anchor);
