/* Background statements, which no request asks for: nobody waits for their result, so failures are
 * logged. */
#pragma once

#include "service/db/call.h"

/* Runs a statement as nobody in particular. Returns its result, which the caller clears; NULL, and
 * a warning in the log, when it failed; NULL when background work has been stopped. */
PGresult *background_run(pool *connections, const db_call *call, arena *memory);

/* Repeats a statement, which does at most `step` of its work and returns how much it did, until it
 * does less than that, at most `rounds` times. Returns whether it did anything. */
bool background_run_steps(pool *connections, const db_call *call, long step, int rounds);

/* From now on no statement begins, for the rest of the process: its end waits for the one that is
 * under way, not for all that there is to work off. */
void background_stop(void);
