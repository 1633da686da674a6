/* Background statements, which belong to no request: nothing waits for their result, so failures
 * are logged. */
#pragma once

#include "service/db/call.h"

/* Runs a statement without a principal. Returns its result, which the caller clears. Returns NULL
 * when it failed (with a warning in the log), or when background work has been stopped. */
PGresult *background_run(pool *connections, const db_call *call, arena *memory);

/* Repeats a statement that does at most `step` of its work and returns how much it did, until it
 * does less than that, at most `rounds` times. Returns whether it did anything. */
bool background_run_steps(pool *connections, const db_call *call, long step, int rounds);

/* Prevents further statements in this process: its end waits only for the current statement, not
 * for all remaining work. */
void background_stop(void);
